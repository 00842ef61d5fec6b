package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

const (
	// searchAtOnce is how many webhooks are looked at in one statement.
	searchAtOnce = 1000
	// searchPatience is how long a search may show no sign of life before another
	// process begins it anew.
	searchPatience = 10 * time.Minute
)

// FinishErasures searches what no index leads to for people who were erased a
// while ago, and removes what it finds: raw webhooks, rows of imports that were
// rejected, kept answers. It returns the erasures that are complete by that. One
// whose person stands in a webhook that is not applied yet, and may hold a wish to
// be left alone, is begun anew later. Several callers at once take different ones;
// after a crash another begins anew.
func (s *Store) FinishErasures(ctx context.Context) ([]Erasure, error) {
	var complete []Erasure
	for {
		search, err := s.takeSearch(ctx)
		if errors.Is(err, ErrNotFound) {
			return complete, nil
		}
		if err != nil {
			return complete, err
		}
		finished, err := s.finish(ctx, search)
		if err != nil {
			return complete, fmt.Errorf("finishing the erasure of %s: %w", search.contacts[0], err)
		}
		complete = append(complete, finished...)
	}
}

// search is for a person who was erased: for what was stored up to a moment. What
// is stored about them later, if they come back, is another matter.
type search struct {
	traces
	until time.Time
}

// takeSearch takes one that is due, together with those of the other ids that the
// same person had. Who was erased again since is searched for again.
func (s *Store) takeSearch(ctx context.Context) (search, error) {
	var taken search
	err := s.transaction(ctx, "taking an erasure", func(tx *gorm.DB) error {
		var due struct {
			Numbers  string
			ErasedAt time.Time
		}
		if err := first(tx, &due, `SELECT array_to_string(numbers, ',') AS numbers, erased_at
			FROM erasures WHERE completed_at IS NULL AND due_at <= relance_now() ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED`); err != nil {
			return err
		}
		taken = search{traces: traces{phones: strings.Split(due.Numbers, ",")}, until: due.ErasedAt.Add(erasureSettles)}
		values := taken.values()
		values["patience"], values["erased"] = searchPatience.Seconds(), due.ErasedAt
		var ids []uuid.UUID
		err := tx.Raw(`UPDATE erasures SET due_at = relance_now() + make_interval(secs => @patience)
			WHERE completed_at IS NULL AND numbers = string_to_array(@phones, ',') AND erased_at = @erased RETURNING contact_id`, values).Scan(&ids).Error
		taken.contacts = ids
		return err
	})
	return taken, err
}

// finish searches, and tells which erasures are complete by that.
func (s *Store) finish(ctx context.Context, search search) (complete []Erasure, err error) {
	if err := s.eraseLate(ctx, search); err != nil {
		return nil, err
	}
	mentioned, err := search.mentions(s.db.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	unapplied := false
	if err := s.eachWebhook(ctx, search.until, mentioned, func(webhook storedWebhook) error {
		applied, err := s.eraseFromWebhook(ctx, webhook.ID, mentioned)
		unapplied = unapplied || !applied
		return err
	}); err != nil {
		return nil, err
	}
	values := search.values()
	values["until"] = search.until
	for _, statement := range []string{
		`DELETE FROM import_rejections r USING import_jobs j WHERE j.id = r.import_id AND j.created_at <= @until AND ` + rejectionAbout,
		// The request stays answered: sent again it must not bring the person back.
		`UPDATE idempotency_keys SET status = 404, content_type = '', location = '', body = NULL WHERE created_at <= @until AND ` + answerAbout,
	} {
		if err := s.db.WithContext(ctx).Exec(statement, values).Error; err != nil {
			return nil, err
		}
	}
	if unapplied {
		return nil, nil
	}
	values["settles"] = erasureSettles.Seconds()
	err = s.db.WithContext(ctx).Raw(`UPDATE erasures SET completed_at = relance_now(), numbers = NULL
		WHERE completed_at IS NULL AND contact_id = ANY (@contacts) AND erased_at + make_interval(secs => @settles) <= @until
		RETURNING contact_id, erased_at, completed_at`, values).Scan(&complete).Error
	return complete, err
}

// eraseFromWebhook removes what a stored webhook tells about a person, or all of it
// if it tells of nobody else, under its lock: another search may be at it. One that
// is not applied is left alone, since what it says may still have to be obeyed.
func (s *Store) eraseFromWebhook(ctx context.Context, id uuid.UUID, mentioned mentions) (applied bool, err error) {
	err = s.transaction(ctx, "erasing from a webhook", func(tx *gorm.DB) error {
		var webhook webhookRow
		err := first(tx, &webhook, `SELECT raw, processed_at FROM webhook_events WHERE id = ? FOR UPDATE`, id)
		if applied = errors.Is(err, ErrNotFound) || webhook.ProcessedAt != nil; err != nil || !applied {
			return err
		}
		left := WithoutElements(webhook.Raw, func(_ int, element []byte) bool { return mentioned.in(element) })
		if left == nil {
			return tx.Exec(`DELETE FROM webhook_events WHERE id = ?`, id).Error
		}
		// The space before the bytes keeps gorm from writing them as a list.
		return tx.Exec(`UPDATE webhook_events SET raw = CAST( ? AS bytea) WHERE id = ?`, left, id).Error
	})
	if errors.Is(err, ErrNotFound) { // by whoever was quicker
		err = nil
	}
	return applied, err
}

// rejectionAbout holds for rejected rows r of imports that have one of @phones in
// a cell, however it is written: rows are often rejected because of that. Its last
// eight digits tell it from almost any other.
const rejectionAbout = `EXISTS (
	SELECT FROM jsonb_array_elements_text(r.cells) AS cell, unnest(string_to_array(@phones, ',')) AS theirs (phone)
	WHERE position(right(substr(theirs.phone, 2), 8) IN regexp_replace(cell, '[^0-9]', '', 'g')) > 0)`

// answerAbout holds for kept answers that show one of @phones.
const answerAbout = `EXISTS (SELECT FROM unnest(string_to_array(@phones, ',')) AS theirs (phone)
	WHERE position(convert_to(theirs.phone, 'UTF8') IN body) > 0)`

// eraseLate does again what an erasure does first: an audience that was just being
// frozen, and a wish that was just being recorded, did not know of it.
func (s *Store) eraseLate(ctx context.Context, search search) error {
	return s.transaction(ctx, "erasing what came late", func(tx *gorm.DB) error {
		// By id alone: a number that is back belongs to another contact by now.
		if _, err := (traces{contacts: search.contacts}).eraseRecipients(tx); err != nil {
			return err
		}
		return search.hashNumbers(tx, nil)
	})
}

// mentions are the words by which a webhook tells about a person: the numbers,
// without the plus sign, and the ids of their messages.
type mentions [][]byte

func (t traces) mentions(tx *gorm.DB) (mentions, error) {
	var words mentions
	for _, phone := range t.phones {
		words = append(words, []byte(strings.TrimPrefix(phone, "+")))
	}
	var ids []string
	if err := tx.Raw(`
		SELECT DISTINCT v.id FROM recipients r
		JOIN messages m ON m.campaign_id = r.campaign_id AND m.contact_id = r.contact_id
		CROSS JOIN LATERAL (VALUES (CAST(m.id AS text)), (m.wa_id), (m.provider_id)) v (id)
		WHERE (r.contact_id = ANY (@contacts) OR r.phone = ANY (string_to_array(@phones, ','))) AND v.id <> ''`, t.values()).Scan(&ids).Error; err != nil {
		return nil, err
	}
	for _, id := range ids {
		words = append(words, []byte(id))
	}
	return words, nil
}

// in tells whether any of the words stands in a text, as a whole word.
func (m mentions) in(text []byte) bool {
	for _, word := range m {
		rest := text
		for {
			at := bytes.Index(rest, word)
			if at < 0 {
				break
			}
			end := at + len(word)
			if (at == 0 || !alphanumeric(rest[at-1])) && (end == len(rest) || !alphanumeric(rest[end])) {
				return true
			}
			rest = rest[at+1:]
		}
	}
	return false
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// storedWebhook is a webhook as it is stored.
type storedWebhook struct {
	ID         uuid.UUID
	Raw        []byte
	ReceivedAt time.Time
	Outcome    string
}

// eachWebhook visits those stored webhooks, taken in up to a moment, that have any
// of the words, in the order in which they came. It reads all that there are.
func (s *Store) eachWebhook(ctx context.Context, until time.Time, mentioned mentions, visit func(storedWebhook) error) error {
	after := uuid.Nil
	for {
		var page []storedWebhook
		if err := s.db.WithContext(ctx).Raw(`SELECT id, raw, received_at, outcome FROM webhook_events
			WHERE id > ? AND received_at <= ? ORDER BY id LIMIT ?`, after, until, searchAtOnce).Scan(&page).Error; err != nil {
			return fmt.Errorf("reading webhooks: %w", err)
		}
		for _, webhook := range page {
			if !mentioned.in(webhook.Raw) {
				continue
			}
			if err := visit(webhook); err != nil {
				return err
			}
		}
		if len(page) < searchAtOnce {
			return nil
		}
		after = page[len(page)-1].ID
	}
}
