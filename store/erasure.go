package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/relance/relance/campaign"
)

// Person says whom data are about: by the id of a contact, existing or deleted,
// or else by a phone number, which need not be a contact's.
type Person struct {
	ContactID uuid.UUID
	Phone     string // E.164; used where ContactID is zero
}

// Erasure is the removal of everything that was stored about a person.
type Erasure struct {
	// ContactID is what stands for the person in what is left; one of several, if
	// they were asked for by number. For a number that was nobody's it is a new id.
	ContactID uuid.UUID
	ErasedAt  time.Time
	// CompletedAt is when the search through what no index leads to was done
	// (raw webhooks, rejected rows of imports, stored answers); nil until then.
	CompletedAt *time.Time
}

// erasureSettles is how long after an erasure its search begins. A webhook or an
// audience that was just being stored, by somebody who had not yet seen the
// erasure, is there by then.
const erasureSettles = time.Minute

// Erase removes what is stored about a person, once and for all. Nothing that has
// not been claimed leaves any more: their recipients end like those of a deleted
// contact, and are returned for their workflows to be woken. Recipients and
// messages stay without number, name, attributes and the provider's words, so that
// every count stays exact and no message can leave a second time. That the person
// opted out stays known by a keyed hash of the number. What no index leads to is
// left to [Store.FinishErasures].
//
// Erased again by the id, it changes nothing and tells of the first time.
// [ErrNotFound] for an id that neither a contact nor a recipient has or had.
func (s *Store) Erase(ctx context.Context, who Person) (Erasure, []Recipient, error) {
	var erasure Erasure
	var ended []Recipient
	err := s.transaction(ctx, "erasing a person", func(tx *gorm.DB) error {
		ended = nil
		their, err := findTraces(tx, who)
		if errors.Is(err, ErrNotFound) {
			erasure, err = readErasure(tx, who.ContactID)
			return err
		}
		if err != nil {
			return err
		}
		if ended, err = their.eraseRecipients(tx); err != nil {
			return err
		}
		if err := their.leaveImports(tx); err != nil {
			return err
		}
		// A contact that an import has just brought has the number, and an id that we do not know.
		var wish struct{ OptedOutAt *time.Time }
		if err := first(tx, &wish, `
			WITH gone AS (
			    DELETE FROM contacts WHERE id = ANY (@contacts) OR phone = ANY (string_to_array(@phones, ','))
			    RETURNING opted_out_at)
			SELECT min(opted_out_at) AS opted_out_at FROM gone`, their.values()); err != nil {
			return err
		}
		if err := their.hashNumbers(tx, wish.OptedOutAt); err != nil {
			return err
		}
		erasure, err = their.beginErasure(tx, who.ContactID)
		return err
	})
	return erasure, ended, err
}

// traces are what a person is found by.
type traces struct {
	phones   []string // all numbers that are or were theirs, in all spellings
	contacts UUIDs    // the ids of their contact, and of deleted ones with their number
}

func (t traces) values() map[string]any {
	return map[string]any{"contacts": t.contacts, "phones": strings.Join(t.phones, ",")}
}

// findTraces gathers what a person is found by. A number that they had when a
// campaign began, and that another contact has now, is not theirs any more.
func findTraces(tx *gorm.DB, who Person) (traces, error) {
	var their traces
	phone := who.Phone
	if who.ContactID != uuid.Nil {
		their.contacts = UUIDs{who.ContactID}
		err := value(tx, &phone, `SELECT phone FROM contacts WHERE id = ?`, who.ContactID)
		if errors.Is(err, ErrNotFound) {
			err = value(tx, &phone, `SELECT phone FROM recipients WHERE contact_id = ? AND phone <> '' ORDER BY campaign_id DESC LIMIT 1`, who.ContactID)
		}
		if err != nil {
			return their, err
		}
	}
	their.phones = campaign.PhoneSpellings(phone)
	var ids []uuid.UUID
	if err := tx.Raw(`SELECT id FROM contacts WHERE phone = ANY (string_to_array(@phones, ','))`, their.values()).Scan(&ids).Error; err != nil {
		return their, err
	}
	their.contacts = append(their.contacts, ids...)

	var before []string
	if err := tx.Raw(`SELECT DISTINCT phone FROM recipients WHERE contact_id = ANY (@contacts) AND phone <> ''`, their.values()).Scan(&before).Error; err != nil {
		return their, err
	}
	for _, phone := range before {
		earlier := traces{phones: campaign.PhoneSpellings(phone), contacts: their.contacts}
		var anothers bool
		if err := value(tx, &anothers, `SELECT EXISTS (SELECT FROM contacts
			WHERE phone = ANY (string_to_array(@phones, ',')) AND id <> ALL (@contacts))`, earlier.values()); err != nil {
			return their, err
		}
		if !anothers {
			their.phones = append(their.phones, earlier.phones...)
		}
	}

	var deleted []uuid.UUID
	if err := tx.Raw(`SELECT DISTINCT contact_id FROM recipients r WHERE phone = ANY (string_to_array(@phones, ','))
		AND NOT EXISTS (SELECT FROM contacts k WHERE k.id = r.contact_id)`, their.values()).Scan(&deleted).Error; err != nil {
		return their, err
	}
	their.contacts = append(their.contacts, deleted...)
	slices.SortFunc(their.contacts, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	slices.Sort(their.phones)
	their.contacts, their.phones = slices.Compact(their.contacts), slices.Compact(their.phones)
	return their, nil
}

// eraseRecipients takes what is about the person out of campaigns, and ends those
// recipients whose next message has surely not left. A message that may just be
// leaving is settled by whoever claimed it; its row stays.
func (t traces) eraseRecipients(tx *gorm.DB) ([]Recipient, error) {
	var theirs []Recipient
	if err := tx.Raw(`
		SELECT campaign_id, contact_id FROM recipients
		WHERE contact_id = ANY (@contacts) OR phone = ANY (string_to_array(@phones, ','))
		ORDER BY campaign_id, contact_id FOR UPDATE`, t.values()).Scan(&theirs).Error; err != nil || len(theirs) == 0 {
		return nil, err
	}
	var campaigns, contacts UUIDs
	for _, r := range theirs {
		campaigns, contacts = append(campaigns, r.CampaignID), append(contacts, r.ContactID)
	}
	values := map[string]any{"campaigns": campaigns, "contacts": contacts, "reason": string(campaign.ReasonContactDeleted)}
	const locked = `(SELECT unnest(CAST(@campaigns AS uuid[])), unnest(CAST(@contacts AS uuid[])))`
	// By statements of their own, which see what was waited for.
	var ended []Recipient
	if err := tx.Raw(`
		UPDATE recipients r SET state = CASE WHEN r.message_1_sent_at IS NULL THEN 'not_sent' ELSE 'stopped' END,
		       state_reason = @reason, finished_at = relance_now()
		WHERE (r.campaign_id, r.contact_id) IN `+locked+` AND r.state IN ('pending', 'admitted', 'message_1_sent', 'replied')
		  AND NOT EXISTS (SELECT FROM messages m WHERE m.campaign_id = r.campaign_id AND m.contact_id = r.contact_id AND m.status = 'sending')
		RETURNING r.campaign_id, r.contact_id`, values).Scan(&ended).Error; err != nil {
		return nil, err
	}
	for _, statement := range []string{
		`UPDATE recipients SET phone = '', variables = '{}' WHERE (campaign_id, contact_id) IN ` + locked,
		`UPDATE messages SET erased = true WHERE (campaign_id, contact_id) IN ` + locked, // and a trigger does the rest
		// A key is made of WhatsApp's id of a message. Were that one made of an address, it would hold a number.
		`UPDATE interactions SET event_key = 'erased:' || id WHERE (campaign_id, contact_id) IN ` + locked + ` AND position(chr(64) IN event_key) > 0`,
	} {
		if err := tx.Exec(statement, values).Error; err != nil {
			return nil, err
		}
	}
	return ended, nil
}

// leaveImports takes the person out of files that are received and not merged:
// the merge would bring them back.
func (t traces) leaveImports(tx *gorm.DB) error {
	return tx.Exec(`
		UPDATE import_batches b SET (ids, phones, names, attributes) = (
		    SELECT coalesce(array_agg(r.id ORDER BY r.n), '{}'), coalesce(array_agg(r.phone ORDER BY r.n), '{}'),
		           coalesce(array_agg(r.name ORDER BY r.n), '{}'), coalesce(array_agg(r.attributes ORDER BY r.n), '{}')
		    FROM unnest(b.ids, b.phones, b.names, b.attributes) WITH ORDINALITY AS r (id, phone, name, attributes, n)
		    WHERE r.phone <> ALL (string_to_array(@phones, ',')))
		WHERE b.phones && string_to_array(@phones, ',')`, map[string]any{"phones": strings.Join(t.phones, ",")}).Error
}

// hashNumbers keeps of the person's numbers that they are erased, and of a wish to
// be left alone, in opt_outs or given, that there was one.
func (t traces) hashNumbers(tx *gorm.DB, optedOutAt *time.Time) error {
	return tx.Exec(`
		WITH wishes AS (
		    DELETE FROM opt_outs o WHERE phone = ANY (string_to_array(@phones, ','))
		      AND NOT EXISTS (SELECT FROM contacts k WHERE k.phone = o.phone)
		    RETURNING opted_out_at)
		INSERT INTO erased_numbers (hash, opted_out_at)
		SELECT number_hash(phone), least((SELECT min(opted_out_at) FROM wishes), CAST(@wish AS timestamptz))
		FROM unnest(string_to_array(@phones, ',')) AS theirs (phone) ORDER BY 1
		ON CONFLICT (hash) DO UPDATE SET opted_out_at = coalesce(erased_numbers.opted_out_at, excluded.opted_out_at)`,
		map[string]any{"phones": strings.Join(t.phones, ","), "wish": optedOutAt}).Error
}

// beginErasure notes what is still to be searched for, under each id that the
// person had, and tells of the one that was asked for, if any.
func (t traces) beginErasure(tx *gorm.DB, asked uuid.UUID) (Erasure, error) {
	if len(t.contacts) == 0 {
		stranger, err := uuid.NewV7()
		if err != nil {
			return Erasure{}, err
		}
		t.contacts = UUIDs{stranger}
	}
	if asked == uuid.Nil {
		asked = t.contacts[0]
	}
	values := t.values()
	values["settles"] = erasureSettles.Seconds()
	if err := tx.Exec(`
		INSERT INTO erasures (contact_id, erased_at, due_at, numbers)
		SELECT id, at, at + make_interval(secs => @settles), string_to_array(@phones, ',')
		FROM unnest(CAST(@contacts AS uuid[])) AS theirs (id), (SELECT relance_now() AS at) clock ORDER BY 1
		ON CONFLICT (contact_id) DO UPDATE SET erased_at = excluded.erased_at, due_at = excluded.due_at, completed_at = NULL, numbers = excluded.numbers`, values).Error; err != nil {
		return Erasure{}, err
	}
	return readErasure(tx, asked)
}

func readErasure(tx *gorm.DB, contactID uuid.UUID) (Erasure, error) {
	var erasure Erasure
	err := first(tx, &erasure, `SELECT contact_id, erased_at, completed_at FROM erasures WHERE contact_id = ?`, contactID)
	return erasure, err
}
