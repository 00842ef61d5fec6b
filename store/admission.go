package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/relance/relance/campaign"
)

// Admission is the answer to a campaign that asks whom it may send Message 1 to.
type Admission struct {
	Status campaign.Status
	// Contacts may be sent Message 1: room for it and for the answer it may
	// provoke is held until it is settled.
	Contacts []uuid.UUID
	// Left is how many recipients still wait for admission.
	Left int64
	// Crowded: enough contacts are admitted and not yet sent; ask again shortly.
	Crowded bool
	// AskAgain is when room under the quota is expected; 0 when unknown.
	AskAgain time.Duration
	// DeadlineLeft is how long the campaign may still run.
	DeadlineLeft time.Duration
}

// Admit admits at most size recipients of a campaign to the given wave, as many
// as the quota and the reply reserve allow. Asked again for the same wave it
// answers with the same contacts, so a lost answer admits nobody twice.
// backlog bounds the recipients of the campaign that are admitted and unsent.
func (s *Store) Admit(ctx context.Context, campaignID uuid.UUID, wave, size, backlog int) (Admission, error) {
	var admission Admission
	err := s.transaction(ctx, "admitting recipients", func(tx *gorm.DB) error {
		admission = Admission{}
		var deviceID string
		if err := value(tx, &deviceID, `SELECT device_id FROM campaigns WHERE id = ?`, campaignID); err != nil {
			return err
		}
		if _, err := lockDevice(tx, deviceID); err != nil {
			return err
		}
		var row struct {
			Status     campaign.Status
			DeadlineAt time.Time
		}
		if err := first(tx, &row, `SELECT status, deadline_at FROM campaigns WHERE id = ? FOR SHARE`, campaignID); err != nil {
			return err
		}
		at, err := now(tx)
		if err != nil {
			return err
		}
		admission.Status, admission.DeadlineLeft = row.Status, max(row.DeadlineAt.Sub(at), 0)
		return s.admit(tx, &admission, deviceID, campaignID, wave, size, backlog, at)
	})
	return admission, err
}

func (s *Store) admit(tx *gorm.DB, admission *Admission, deviceID string, campaignID uuid.UUID, wave, size, backlog int, at time.Time) error {
	if err := tx.Raw(`SELECT contact_id FROM recipients WHERE campaign_id = ? AND wave = ? ORDER BY position`,
		campaignID, wave).Scan(&admission.Contacts).Error; err != nil {
		return err
	}
	var waiting struct{ Pending, Unsent int64 }
	if err := tx.Raw(`SELECT count(*) FILTER (WHERE state = 'pending') AS pending, count(*) FILTER (WHERE state = 'admitted') AS unsent
		FROM recipients WHERE campaign_id = ? AND state IN ('pending', 'admitted')`, campaignID).Scan(&waiting).Error; err != nil {
		return err
	}
	admission.Left = waiting.Pending
	if len(admission.Contacts) > 0 || waiting.Pending == 0 || admission.Status != campaign.Running || admission.DeadlineLeft == 0 {
		return nil
	}
	if room := backlog - int(waiting.Unsent); room < size {
		size = room
	}
	if size <= 0 {
		admission.Crowded = true
		return nil
	}
	used, err := s.usage(tx, deviceID, at)
	if err != nil {
		return err
	}
	free := s.rules.Quota.Admittable(used.Usage)
	if free == 0 {
		admission.AskAgain = s.rules.Quota.AskAgain(s.untilRoom(used, at))
		return nil
	}
	if err := tx.Raw(`
		WITH next AS (SELECT contact_id FROM recipients WHERE campaign_id = @campaign AND state = 'pending'
		              ORDER BY position LIMIT @n FOR UPDATE),
		     admitted AS (UPDATE recipients r SET state = 'admitted', wave = @wave FROM next
		                  WHERE r.campaign_id = @campaign AND r.contact_id = next.contact_id
		                  RETURNING r.contact_id, r.position)
		SELECT contact_id FROM admitted ORDER BY position`,
		map[string]any{"campaign": campaignID, "wave": wave, "n": min(size, free)}).Scan(&admission.Contacts).Error; err != nil {
		return err
	}
	admission.Left -= int64(len(admission.Contacts))
	return nil
}
