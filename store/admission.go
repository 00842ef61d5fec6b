package store

import (
	"context"
	"math/rand/v2"
	"strings"
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
	// Obstacle says why nobody was admitted, and AskAgain when that may have
	// changed.
	Obstacle Obstacle
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
		device, err := lockDevice(tx, deviceID)
		if err != nil {
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
		return s.admit(tx, &admission, device, campaignID, wave, size, backlog, at)
	})
	return admission, err
}

func (s *Store) admit(tx *gorm.DB, admission *Admission, device deviceRow, campaignID uuid.UUID, wave, size, backlog int, at time.Time) error {
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
	if device.Restored {
		admission.Obstacle, admission.AskAgain = ObstacleRestored, s.rules.Quota.AskAgain(s.rules.Quota.Window)
		return nil
	}
	if device.Halted { // until an admin resumes; whoever is admitted would only hold quota
		admission.Obstacle, admission.AskAgain = ObstacleHalted, s.rules.Quota.AskAgain(s.rules.Quota.Window)
		return nil
	}
	if wait := s.rules.Hours.UntilOpen(at); wait > 0 {
		admission.Obstacle, admission.AskAgain = ObstacleHours, wait
		return nil
	}
	// Whole waves only: a wave for each place that becomes free would be a child
	// workflow for each contact.
	if size = min(size, int(waiting.Pending)); backlog-int(waiting.Unsent) < size {
		admission.Crowded = true
		return nil
	}
	free, err := s.share(tx, admission, device.ID, campaignID, at)
	if err != nil || free == 0 {
		return err
	}
	slots, wait := s.slots(device, min(size, free), at)
	if len(slots) == 0 {
		admission.Obstacle, admission.AskAgain = ObstaclePace, wait
		return nil
	}
	if err := s.admitNext(tx, admission, campaignID, wave, slots); err != nil {
		return err
	}
	if s.rules.Pace.None() {
		return nil
	}
	next := slots[len(slots)-1].Add(s.rules.Pace.Gap(rand.Float64())) //nolint:gosec // not a secret
	return tx.Exec(`UPDATE devices SET next_message_1_at = ? WHERE id = ?`, next, device.ID).Error
}

// share is how many recipients of a campaign may be admitted now: what is free
// under the quota, divided among all campaigns that wait for it, so that none
// starves behind one that asks more often.
func (s *Store) share(tx *gorm.DB, admission *Admission, deviceID string, campaignID uuid.UUID, at time.Time) (int, error) {
	used, err := s.usage(tx, deviceID, at)
	if err != nil {
		return 0, err
	}
	free, untilRoom := s.rules.Quota.Admittable(used.Usage), s.untilRoom(used, at)
	if free > 0 {
		untilRoom = 0 // what is free is another campaign's, which may come to want it no more
		claimants, own, err := s.claimants(tx, deviceID, campaignID, free, at)
		if err != nil {
			return 0, err
		}
		free = campaign.FairShares(free, claimants)[own]
	}
	if free == 0 {
		admission.Obstacle, admission.AskAgain = ObstacleQuota, s.rules.Quota.AskAgain(untilRoom)
	}
	return free, nil
}

// claimants are the device's running campaigns that wait for admission, and the
// place of one of them among them. Waiting is counted up to free, beyond which
// it makes no difference.
func (s *Store) claimants(tx *gorm.DB, deviceID string, campaignID uuid.UUID, free int, at time.Time) ([]campaign.Claimant, int, error) {
	var rows []struct {
		ID            uuid.UUID
		Used, Waiting int
	}
	if err := tx.Raw(`
		SELECT c.id, coalesce(left_already.n, 0) + (SELECT count(*) FROM recipients r WHERE r.campaign_id = c.id AND r.state = 'admitted') AS used,
		       (SELECT count(*) FROM (SELECT FROM recipients r WHERE r.campaign_id = c.id AND r.state = 'pending' LIMIT @free) p) AS waiting
		FROM campaigns c
		LEFT JOIN (SELECT campaign_id, count(*) AS n FROM messages
		           WHERE device_id = @device AND counted_at > @since AND message_type = 'message_1'
		           GROUP BY campaign_id) left_already ON left_already.campaign_id = c.id
		WHERE c.device_id = @device AND c.status = 'running' AND c.deadline_at > @at
		ORDER BY c.started_at, c.id`,
		map[string]any{"device": deviceID, "since": at.Add(-s.rules.Quota.Window), "at": at, "free": free}).Scan(&rows).Error; err != nil {
		return nil, 0, err
	}
	claimants, own := make([]campaign.Claimant, len(rows)), 0
	for i, row := range rows {
		claimants[i] = campaign.Claimant{Used: row.Used, Waiting: row.Waiting}
		if row.ID == campaignID {
			own = i
		}
	}
	return claimants, own, nil
}

// slots gives each of the next n Message 1s its moment under the pacing, as far
// ahead as freed quota is gathered; without pacing all may leave at once. When
// the next slot is farther away, it tells how long to wait before asking again.
func (s *Store) slots(device deviceRow, n int, at time.Time) ([]time.Time, time.Duration) {
	slots := make([]time.Time, 0, n)
	ahead := s.rules.Quota.AskAgain(0)
	next := at
	if device.NextMessage1At != nil && device.NextMessage1At.After(at) && !s.rules.Pace.None() {
		next = *device.NextMessage1At
	}
	if next.Sub(at) > ahead {
		return nil, next.Sub(at) - ahead/2
	}
	for len(slots) < n && next.Sub(at) <= ahead && s.rules.Hours.Open(next) {
		slots = append(slots, next)
		if !s.rules.Pace.None() {
			next = next.Add(s.rules.Pace.Gap(rand.Float64())) //nolint:gosec // not a secret
		}
	}
	if len(slots) == 0 {
		return nil, next.Sub(at)
	}
	return slots, 0
}

// admitNext admits as many of the waiting recipients as there are slots.
func (s *Store) admitNext(tx *gorm.DB, admission *Admission, campaignID uuid.UUID, wave int, slots []time.Time) error {
	if err := tx.Raw(`
		WITH next AS (SELECT contact_id, row_number() OVER (ORDER BY position) AS n FROM
		                  (SELECT contact_id, position FROM recipients WHERE campaign_id = @campaign AND state = 'pending'
		                   ORDER BY position LIMIT @n FOR UPDATE) waiting),
		     admitted AS (UPDATE recipients r SET state = 'admitted', wave = @wave, not_before = (CAST(@slots AS timestamptz[]))[next.n] FROM next
		                  WHERE r.campaign_id = @campaign AND r.contact_id = next.contact_id
		                  RETURNING r.contact_id, r.position)
		SELECT contact_id FROM admitted ORDER BY position`, map[string]any{
		"campaign": campaignID, "wave": wave, "n": len(slots), "slots": timestamps(slots),
	}).Scan(&admission.Contacts).Error; err != nil {
		return err
	}
	admission.Left -= int64(len(admission.Contacts))
	return nil
}

// timestamps is PostgreSQL's text form of a timestamptz[]; gorm would write a
// slice as a list of parameters.
func timestamps(moments []time.Time) string {
	texts := make([]string, len(moments))
	for i, moment := range moments {
		texts[i] = moment.UTC().Format(time.RFC3339Nano)
	}
	return "{" + strings.Join(texts, ",") + "}"
}
