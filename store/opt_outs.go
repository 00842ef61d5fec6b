package store

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/relance/relance/campaign"
)

// SetOptedOut records that a contact must not be messaged, or may be again. The
// moment of the first opt-out stays. It returns the recipients whom an opt-out
// has put into a final state, for their workflows to be woken.
func (s *Store) SetOptedOut(ctx context.Context, id uuid.UUID, optedOut bool) (Contact, []Recipient, error) {
	var contact Contact
	var stopped []Recipient
	err := s.transaction(ctx, "recording an opt-out", func(tx *gorm.DB) error {
		stopped = nil
		var phone string
		if err := value(tx, &phone, `SELECT phone FROM contacts WHERE id = ?`, id); err != nil {
			return err
		}
		at, err := now(tx)
		if err != nil {
			return err
		}
		wish := person{contactID: id, phones: campaign.PhoneSpellings(phone)}
		if optedOut {
			stopped, err = suppress(tx, wish, at)
		} else {
			err = unsuppress(tx, wish)
		}
		if err != nil {
			return err
		}
		contact, err = readContact(tx, id)
		return err
	})
	if err != nil {
		return contact, nil, err
	}
	return contact, stopped, nil
}

// person is who a wish is about: a contact, if known, and phone numbers.
type person struct {
	contactID uuid.UUID
	phones    []string
}

func (p person) values() map[string]any {
	// gorm would write a list of strings as a list of parameters
	return map[string]any{"contact": p.contactID, "phones": strings.Join(p.phones, ",")}
}

// suppress keeps a person from being messaged in any campaign, and ends every
// recipient of theirs whose next message has surely not left: as stopped, or as
// not_sent before Message 1.
func suppress(tx *gorm.DB, p person, at time.Time) ([]Recipient, error) {
	values := p.values()
	values["at"], values["reason"] = at, string(campaign.ReasonOptedOut)
	if err := tx.Exec(`
		INSERT INTO opt_outs (phone, opted_out_at)
		SELECT phone, @at FROM (
		    SELECT unnest(string_to_array(@phones, ',')) AS phone UNION SELECT phone FROM contacts WHERE id = @contact) p
		WHERE phone ~ '^\+[1-9][0-9]{6,14}$' ORDER BY phone ON CONFLICT (phone) DO NOTHING`, values).Error; err != nil {
		return nil, err
	}
	// Recipients before contacts: whoever claims a message waits for the former,
	// and then finds it ended. They are locked by a statement of its own, because the
	// next one must see what was claimed while this one waited.
	if err := tx.Exec(`
		SELECT FROM recipients r
		WHERE r.contact_id IN (SELECT id FROM contacts WHERE id = @contact OR phone = ANY (string_to_array(@phones, ','))
		                       UNION SELECT CAST(@contact AS uuid))
		  AND r.state IN ('pending', 'admitted', 'message_1_sent', 'replied')
		ORDER BY r.campaign_id, r.contact_id FOR UPDATE`, values).Error; err != nil {
		return nil, err
	}
	var stopped []Recipient
	if err := tx.Raw(`
		UPDATE recipients r SET state = CASE WHEN r.message_1_sent_at IS NULL THEN 'not_sent' ELSE 'stopped' END,
		       state_reason = @reason, finished_at = @at
		WHERE r.contact_id IN (SELECT id FROM contacts WHERE id = @contact OR phone = ANY (string_to_array(@phones, ','))
		                       UNION SELECT CAST(@contact AS uuid))
		  AND r.state IN ('pending', 'admitted', 'message_1_sent', 'replied')
		  AND NOT EXISTS (SELECT FROM messages m WHERE m.campaign_id = r.campaign_id AND m.contact_id = r.contact_id AND m.status = 'sending')
		RETURNING r.campaign_id, r.contact_id`, values).Scan(&stopped).Error; err != nil {
		return nil, err
	}
	return stopped, tx.Exec(`
		UPDATE contacts SET opted_out_at = @at, updated_at = @at
		WHERE (id = @contact OR phone = ANY (string_to_array(@phones, ','))) AND opted_out_at IS NULL`, values).Error
}

// unsuppress lets a person be messaged again by campaigns launched from now on.
func unsuppress(tx *gorm.DB, p person) error {
	if err := tx.Exec(`
		DELETE FROM opt_outs WHERE phone = ANY (string_to_array(@phones, ',')) OR phone = (SELECT phone FROM contacts WHERE id = @contact)`,
		p.values()).Error; err != nil {
		return err
	}
	if err := tx.Exec(`
		UPDATE erased_numbers SET opted_out_at = NULL WHERE opted_out_at IS NOT NULL AND hash IN (
		    SELECT number_hash(phone) FROM (
		        SELECT unnest(string_to_array(@phones, ',')) AS phone UNION SELECT phone FROM contacts WHERE id = @contact) p)`,
		p.values()).Error; err != nil {
		return err
	}
	return tx.Exec(`
		UPDATE contacts SET opted_out_at = NULL, updated_at = relance_now()
		WHERE (id = @contact OR phone = ANY (string_to_array(@phones, ','))) AND opted_out_at IS NOT NULL`, p.values()).Error
}

// applyWish obeys a message that asks to be left alone, or to be written to again.
// contactID is the nil id where the sender is nobody's recipient.
func applyWish(tx *gorm.DB, event campaign.Event, contactID uuid.UUID, at time.Time) (stopped []Recipient, changed bool, err error) {
	p := person{contactID: contactID}
	if event.Phone != "" {
		p.phones = campaign.PhoneSpellings(event.Phone)
	}
	switch campaign.WishOf(event.Body) {
	case campaign.WishOptOut:
		stopped, err = suppress(tx, p, at)
		return stopped, true, err
	case campaign.WishOptIn:
		return nil, true, unsuppress(tx, p)
	}
	return nil, false, nil
}
