package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/relance/relance/campaign"
)

// TestSend is a message outside any campaign, to try a text.
type TestSend struct {
	ID       uuid.UUID // the reference at the provider
	Text     string
	MediaURL string
}

// RefusedError says why a test message may not leave now.
type RefusedError struct {
	Obstacle Obstacle // "" for a person who opted out
	Wait     time.Duration
}

func (r *RefusedError) Error() string {
	if r.Obstacle == "" {
		return "the person has opted out"
	}
	return fmt.Sprintf("held up: %s", r.Obstacle)
}

// ReserveTestSend takes a place under the quota for a message of a campaign to
// one number, which must leave within the given time. What cannot leave is a
// [RefusedError]. The variables are the contact's, if the number is one's.
func (s *Store) ReserveTestSend(ctx context.Context, campaignID uuid.UUID, message campaign.MessageType, phone string, by uuid.UUID, within time.Duration) (TestSend, error) {
	var test TestSend
	err := s.transaction(ctx, "reserving a test message", func(tx *gorm.DB) error {
		device, err := lockDevice(tx, s.deviceID)
		if err != nil {
			return err
		}
		var c Campaign
		if err := first(tx, &c, `SELECT * FROM campaigns WHERE id = ?`, campaignID); err != nil {
			return err
		}
		var contact struct{ Variables json.RawMessage }
		err = first(tx, &contact, `SELECT attributes || jsonb_build_object('name', name) AS variables FROM contacts WHERE phone = ?`, phone)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		optedOut, err := numberOptedOut(tx, phone)
		if err != nil {
			return err
		}
		at, err := now(tx)
		if err != nil {
			return err
		}
		if refused := s.refuseTest(tx, device, optedOut, at); refused != nil {
			return refused
		}
		text, media := c.Message1, c.Message1MediaURL
		if message == campaign.Message2 {
			text, media = c.Message2, c.Message2MediaURL
		}
		test = TestSend{ID: uuid.New(), Text: campaign.Render(text, textVariables(contact.Variables)), MediaURL: media}
		// Until it is settled it counts from the latest moment at which it can leave.
		return tx.Exec(`INSERT INTO test_sends (id, device_id, counted_at, created_by) VALUES (?, ?, ?, ?)`,
			test.ID, device.ID, at.Add(within), nullable(by)).Error
	})
	return test, err
}

// numberOptedOut tells whether whoever has a number asked to be left alone: it need
// not be a contact's, nor be known but by its hash.
func numberOptedOut(tx *gorm.DB, phone string) (optedOut bool, err error) {
	err = value(tx, &optedOut, `
		SELECT EXISTS (SELECT FROM contacts WHERE phone = theirs.phone AND opted_out_at IS NOT NULL)
		    OR EXISTS (SELECT FROM opt_outs WHERE phone = theirs.phone)
		    OR EXISTS (SELECT FROM erased_numbers WHERE hash = number_hash(theirs.phone) AND opted_out_at IS NOT NULL)
		FROM unnest(string_to_array(?, ',')) AS theirs (phone) ORDER BY 1 DESC LIMIT 1`, strings.Join(campaign.PhoneSpellings(phone), ","))
	return optedOut, err
}

func (s *Store) refuseTest(tx *gorm.DB, device deviceRow, optedOut bool, at time.Time) error {
	if optedOut {
		return &RefusedError{}
	}
	if device.Restored {
		return &RefusedError{Obstacle: ObstacleRestored}
	}
	if device.Halted {
		return &RefusedError{Obstacle: ObstacleHalted}
	}
	used, err := s.usage(tx, device.ID, at)
	if err != nil {
		return err
	}
	// It must not take the room that is held for answers either.
	if s.rules.Quota.Admittable(used.Usage) == 0 {
		return &RefusedError{Obstacle: ObstacleQuota, Wait: s.untilRoom(used, at)}
	}
	return nil
}

// SettleTestSend records what became of a test message: a place that was surely
// not used is given back, any other counts from now.
func (s *Store) SettleTestSend(ctx context.Context, id uuid.UUID, left bool, problem string) error {
	query := `DELETE FROM test_sends WHERE id = @id`
	if left {
		query = `UPDATE test_sends SET counted_at = least(counted_at, relance_now()), error = @problem WHERE id = @id`
	}
	if err := s.db.WithContext(ctx).Exec(query, map[string]any{"id": id, "problem": problem}).Error; err != nil {
		return fmt.Errorf("settling a test message: %w", err)
	}
	return nil
}
