package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/relance/relance/campaign"
)

// Monitoring is how the device stands.
type Monitoring struct {
	At         time.Time // the database's clock
	DeviceID   string
	HaltedAt   *time.Time
	HaltReason string
	Usage      campaign.Usage
	// NextSlotAt is when the next message may leave: At while the quota has room.
	NextSlotAt time.Time
	// Days are the last seven days, today the last of them.
	Days []Day
	// Answered of Messaged contacts, who were sent Message 1 on those days,
	// replied in time.
	Messaged, Answered int64
	Backlog            Backlog
}

// Backlog is what has been taken in and not yet been brought to its end.
type Backlog struct {
	// Webhooks that are stored but not applied, since when the oldest waits. An
	// acknowledgement of a message that is not known (yet) is among them for ten
	// minutes.
	Webhooks        int64
	OldestWebhookAt *time.Time
	// Answers are Message 2s that are owed and have not left, since when the
	// oldest is owed.
	Answers        int64
	OldestAnswerAt *time.Time
}

// ReplyRate is the share of contacts who reply in time; ok is false before
// anybody was messaged.
func (m Monitoring) ReplyRate() (rate float64, ok bool) {
	if m.Messaged == 0 {
		return 0, false
	}
	return float64(m.Answered) / float64(m.Messaged), true
}

// historyDays are the days over which the reply rate is measured.
const historyDays = 7

// Monitor looks at the device's quota and health in one consistent view.
func (s *Store) Monitor(ctx context.Context) (Monitoring, error) {
	var m Monitoring
	err := s.transaction(ctx, "looking at the device", func(tx *gorm.DB) error {
		at, err := now(tx)
		if err != nil {
			return err
		}
		var device struct {
			HaltedAt   *time.Time
			HaltReason string
		}
		// A database that was restored halts the device as the provider's word does.
		if err := first(tx, &device, `
			SELECT CASE WHEN restored THEN relance_now() ELSE halted_at END AS halted_at, CASE WHEN restored THEN ? ELSE halt_reason END AS halt_reason
			FROM (SELECT *, coalesce(lineage <> relance_lineage(), false) AS restored FROM devices WHERE id = ?) d`,
			ErrRestored.Error(), s.deviceID); err != nil {
			return err
		}
		used, err := s.usage(tx, s.deviceID, at)
		if err != nil {
			return err
		}
		m = Monitoring{
			At: at, DeviceID: s.deviceID, HaltedAt: device.HaltedAt, HaltReason: device.HaltReason,
			Usage: used.Usage, NextSlotAt: at,
		}
		if !s.rules.Quota.MayLeave(used.Usage) && used.OldestCounted != nil {
			m.NextSlotAt = used.OldestCounted.Add(s.rules.Quota.Window)
		}
		if m.Days, err = s.lastDays(tx, at, historyDays); err != nil {
			return err
		}
		for _, day := range m.Days {
			m.Messaged, m.Answered = m.Messaged+day.Message1, m.Answered+day.Replied
		}
		return first(tx, &m.Backlog, `
			SELECT w.n AS webhooks, w.oldest AS oldest_webhook_at, a.n AS answers, a.oldest AS oldest_answer_at
			FROM (SELECT count(*) AS n, min(received_at) AS oldest FROM webhook_events
			      WHERE processed_at IS NULL AND received_at < CAST(@at AS timestamptz) - make_interval(secs => @grace)) w,
			     (SELECT count(*) AS n, min(replied_at) AS oldest FROM recipients WHERE device_id = @device AND state = 'replied') a`,
			map[string]any{"at": at, "grace": grace.Seconds(), "device": s.deviceID})
	})
	return m, err
}

// Halt is why a device sends nothing.
type Halt struct {
	HaltedAt   time.Time // zero if the provider has not refused it
	HaltReason string
	Restored   bool // see [ErrRestored]
}

// Halt tells why a device sends nothing; the zero Halt if it sends, or is not known.
func (s *Store) Halt(ctx context.Context, deviceID string) (Halt, error) {
	var halt Halt
	err := first(s.db.WithContext(ctx), &halt, `SELECT halted_at, halt_reason, coalesce(lineage <> relance_lineage(), false) AS restored
		FROM devices WHERE id = ?`, deviceID)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return halt, fmt.Errorf("looking whether the device is halted: %w", err)
	}
	return halt, nil
}

// ForecastPlan gathers what a campaign launched now would share the quota with.
// The caller fills in who is to be reached and when. A campaign that runs already
// is no rival of its own: it is named as except.
func (s *Store) ForecastPlan(ctx context.Context, except uuid.UUID) (campaign.Plan, error) {
	plan := campaign.Plan{Rules: s.rules}
	err := s.transaction(ctx, "gathering what a forecast needs", func(tx *gorm.DB) error {
		at, err := now(tx)
		if err != nil {
			return err
		}
		used, err := s.usage(tx, s.deviceID, at)
		if err != nil {
			return err
		}
		plan.Start, plan.Now = at, at
		plan.Load = campaign.Load{Owed: used.Owed, Admitted: used.Admitted}
		since := at.Add(-s.rules.Quota.Window)
		if err := tx.Raw(`SELECT counted_at + make_interval(secs => @window) FROM `+counted+` c ORDER BY 1`, map[string]any{
			"device": s.deviceID, "since": since, "window": s.rules.Quota.Window.Seconds(),
		}).Scan(&plan.Load.SentExpire).Error; err != nil {
			return err
		}
		if err := tx.Raw(`SELECT window_ends_at FROM recipients
			WHERE device_id = ? AND state = 'message_1_sent' AND window_ends_at > ? ORDER BY 1`, s.deviceID, at).
			Scan(&plan.Load.OpenUntil).Error; err != nil {
			return err
		}
		plan.Others, err = s.rivals(tx, at, since, except)
		return err
	})
	return plan, err
}

// rivals are the other running campaigns that have recipients waiting for admission.
func (s *Store) rivals(tx *gorm.DB, at, since time.Time, except uuid.UUID) ([]campaign.Rival, error) {
	var rows []struct {
		ID         uuid.UUID
		Admitted   int
		Waiting    int
		DeadlineAt time.Time
	}
	if err := tx.Raw(`
		SELECT c.id, c.deadline_at,
		       (SELECT count(*) FROM recipients r WHERE r.campaign_id = c.id AND r.state = 'admitted') AS admitted,
		       -- counted already: there may be a million
		       (SELECT coalesce(sum(n), 0) FROM (SELECT n FROM campaign_stats s WHERE s.campaign_id = c.id AND what = 'state.pending'
		                                         UNION ALL SELECT n FROM stat_changes s WHERE s.campaign_id = c.id AND what = 'state.pending') p) AS waiting
		FROM campaigns c WHERE c.device_id = ? AND c.status = 'running' AND c.deadline_at > ? AND c.id <> ?
		ORDER BY c.started_at, c.id`, s.deviceID, at, except).Scan(&rows).Error; err != nil {
		return nil, err
	}
	var rivals []campaign.Rival
	for _, row := range rows {
		if row.Waiting == 0 {
			continue
		}
		rival := campaign.Rival{Deadline: row.DeadlineAt}
		if err := tx.Raw(`SELECT counted_at + make_interval(secs => ?) FROM messages
			WHERE campaign_id = ? AND device_id = ? AND counted_at > ? AND message_type = 'message_1' ORDER BY 1`,
			s.rules.Quota.Window.Seconds(), row.ID, s.deviceID, since).Scan(&rival.Expire).Error; err != nil {
			return nil, err
		}
		rival.Claimant = campaign.Claimant{Used: row.Admitted + len(rival.Expire), Waiting: row.Waiting}
		rivals = append(rivals, rival)
	}
	return rivals, nil
}

// CampaignCounts counts the campaigns by status. Statuses that none has are absent.
func (s *Store) CampaignCounts(ctx context.Context) (map[campaign.Status]int64, error) {
	var rows []struct {
		Status campaign.Status
		N      int64
	}
	if err := s.db.WithContext(ctx).Raw(`SELECT status, count(*) AS n FROM campaigns GROUP BY status`).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("counting campaigns: %w", err)
	}
	counts := make(map[campaign.Status]int64, len(rows))
	for _, row := range rows {
		counts[row.Status] = row.N
	}
	return counts, nil
}
