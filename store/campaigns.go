package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/relance/relance/campaign"
)

// Campaign is a row of campaigns.
type Campaign struct {
	ID                uuid.UUID `gorm:"primaryKey"`
	Name              string
	Status            campaign.Status
	StatusReason      string
	DeviceID          string
	Message1          string `gorm:"column:message_1"`
	Message2          string `gorm:"column:message_2"`
	Message1MediaURL  string `gorm:"column:message_1_media_url"`
	Message2MediaURL  string `gorm:"column:message_2_media_url"`
	CategoryIDs       UUIDs  `gorm:"column:category_ids;type:uuid[]"`
	ContactIDs        UUIDs  `gorm:"column:contact_ids;type:uuid[]"`
	ExpectedReplyRate *float64
	ScheduledAt       *time.Time
	StartedAt         *time.Time
	DeadlineAt        *time.Time
	CompletedAt       *time.Time
	TotalContacts     int64
	SentCount         int64
	DeliveredCount    int64
	ReadCount         int64
	FailedCount       int64
	InteractionCount  int64
	TextsRemovedAt    *time.Time `gorm:"<-:false"` // since when the texts are gone, and what filled them in
	CreatedBy         *uuid.UUID
	CreatedAt         time.Time `gorm:"<-:false"` // the database's clock sets it
	UpdatedAt         time.Time `gorm:"<-:false;autoUpdateTime:false"`
}

// CreateCampaign stores a new campaign of this store's device. It sets the id
// and the times of creation. With an id of [WithMadeID] that a campaign has, c
// becomes that campaign.
func (s *Store) CreateCampaign(ctx context.Context, c *Campaign) error {
	id, err := madeID(ctx)
	if err != nil {
		return fmt.Errorf("making a campaign id: %w", err)
	}
	c.ID, c.DeviceID = id, s.deviceID
	created := s.db.WithContext(ctx).Clauses(clause.Returning{},
		clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoNothing: true}).Create(c)
	if created.Error != nil {
		return fmt.Errorf("storing the campaign: %w", created.Error)
	}
	if created.RowsAffected == 0 {
		*c, err = s.Campaign(ctx, id)
	}
	return err
}

// Campaign reads one campaign; [ErrNotFound] when there is none.
func (s *Store) Campaign(ctx context.Context, id uuid.UUID) (Campaign, error) {
	var c Campaign
	result := s.db.WithContext(ctx).Where("id = ?", id).Limit(1).Find(&c)
	if result.Error != nil {
		return c, fmt.Errorf("reading a campaign: %w", result.Error)
	}
	if result.RowsAffected == 0 {
		return c, fmt.Errorf("campaign: %w", ErrNotFound)
	}
	return c, nil
}

// ShelveMissedStarts makes drafts of scheduled campaigns whose start was missed
// by more than [campaign.StaleStart] through downtime: nobody wants Monday's
// offer on Wednesday, so they wait for an admin.
func (s *Store) ShelveMissedStarts(ctx context.Context) error {
	err := s.db.WithContext(ctx).Exec(`
		UPDATE campaigns SET status = 'draft', status_reason = ?, updated_at = relance_now()
		WHERE status = 'scheduled' AND scheduled_at < relance_now() - make_interval(secs => ?)
		  AND NOT EXISTS (SELECT FROM devices d WHERE d.id = device_id AND d.lineage <> relance_lineage())`,
		missedStart, campaign.StaleStart.Seconds()).Error
	if err != nil {
		return fmt.Errorf("shelving missed starts: %w", err)
	}
	return nil
}

const missedStart = "The start was missed by more than an hour. Start the campaign again if it is still wanted."

// CampaignsToStart lists campaigns whose workflow should be running and may not
// be: those that are due, and those that have outlived their deadline, which no
// campaign with a workflow does. Oldest first.
func (s *Store) CampaignsToStart(ctx context.Context, limit int) ([]uuid.UUID, error) {
	var ids []uuid.UUID
	err := s.db.WithContext(ctx).Raw(`
		SELECT id FROM campaigns
		WHERE status = 'scheduled' AND scheduled_at <= relance_now()
		   OR status IN ('running', 'paused') AND deadline_at < relance_now() - interval '1 minute'
		ORDER BY scheduled_at LIMIT ?`, limit).Scan(&ids).Error
	if err != nil {
		return nil, fmt.Errorf("looking for campaigns to start: %w", err)
	}
	return ids, nil
}

// Frozen is a campaign whose audience is fixed.
type Frozen struct {
	Status     campaign.Status
	Recipients int64
	// Waves is how many have been admitted by runs of its workflow before this one.
	Waves        int
	DeadlineLeft time.Duration
}

// FreezeAudience fixes who gets a campaign, starts its clock and marks it as
// running. Opted-out contacts are left out. Called again, it tells what the
// first call fixed. A start that comes too late makes a draft of the campaign,
// as in [Store.ShelveMissedStarts].
func (s *Store) FreezeAudience(ctx context.Context, id uuid.UUID) (Frozen, error) {
	var frozen Frozen
	err := s.transaction(ctx, "freezing the audience", func(tx *gorm.DB) error {
		var row struct {
			Status        campaign.Status
			TotalContacts int64
			ScheduledAt   *time.Time
			DeadlineAt    *time.Time
		}
		if err := first(tx, &row, `SELECT status, total_contacts, scheduled_at, deadline_at FROM campaigns WHERE id = ? FOR NO KEY UPDATE`, id); err != nil {
			return err
		}
		at, err := now(tx)
		if err != nil {
			return err
		}
		if row.Status == campaign.Scheduled {
			if err := s.knowsAll(tx); err != nil {
				return err
			}
		}
		switch {
		case row.Status == campaign.Scheduled && at.Sub(*row.ScheduledAt) > campaign.StaleStart:
			row.Status = campaign.Draft
			if err := s.become(tx, id, campaign.Scheduled, campaign.Draft, missedStart); err != nil {
				return err
			}
		case row.Status == campaign.Scheduled:
			deadline := at.Add(s.rules.Deadline)
			row.Status, row.DeadlineAt = campaign.Running, &deadline
			if row.TotalContacts, err = insertRecipients(tx, id); err != nil {
				return err
			}
			if err := eraseFrozen(tx, id, at); err != nil {
				return err
			}
			if err := tx.Exec(`UPDATE campaigns SET status = 'running', started_at = ?, deadline_at = ?, total_contacts = ?, updated_at = ?
				WHERE id = ?`, at, deadline, row.TotalContacts, at, id).Error; err != nil {
				return err
			}
		}
		frozen = Frozen{Status: row.Status, Recipients: row.TotalContacts}
		if err := value(tx, &frozen.Waves, `SELECT coalesce(max(wave), 0) FROM recipients WHERE campaign_id = ?`, id); err != nil {
			return err
		}
		if row.DeadlineAt != nil {
			frozen.DeadlineLeft = max(row.DeadlineAt.Sub(at), 0)
		}
		return nil
	})
	return frozen, err
}

// insertRecipients copies the audience, and writes one pending Message 1 for
// each recipient, in two statements whatever the size (Property 4).
func insertRecipients(tx *gorm.DB, id uuid.UUID) (int64, error) {
	inserted := tx.Exec(`
		INSERT INTO recipients (campaign_id, contact_id, device_id, position, phone, variables)
		SELECT c.id, k.id, c.device_id, row_number() OVER (ORDER BY k.created_at, k.id), k.phone,
		       k.attributes || jsonb_build_object('name', k.name)
		FROM campaigns c
		JOIN contacts k ON k.id IN (
		    -- UNION, not OR: the work is that of the audience, not of all contacts
		    SELECT kc.contact_id FROM campaigns a JOIN contact_categories kc ON kc.category_id = ANY (a.category_ids) WHERE a.id = @id
		    UNION SELECT unnest(a.contact_ids) FROM campaigns a WHERE a.id = @id)
		WHERE c.id = @id AND k.opted_out_at IS NULL`, map[string]any{"id": id})
	if inserted.Error != nil {
		return 0, inserted.Error
	}
	return inserted.RowsAffected, tx.Exec(`
		INSERT INTO messages (id, campaign_id, contact_id, device_id, message_type)
		SELECT relance_message_id(campaign_id, contact_id, 'message_1'), campaign_id, contact_id, device_id, 'message_1'
		FROM recipients WHERE campaign_id = ?`, id).Error
}

// eraseFrozen takes those out of a new audience who were erased while it was being
// copied, which for a large one takes a while: the copy knows nothing of it.
func eraseFrozen(tx *gorm.DB, id uuid.UUID, since time.Time) error {
	return tx.Exec(`UPDATE recipients SET phone = '', variables = '{}'
		WHERE campaign_id = ? AND contact_id IN (SELECT contact_id FROM erasures WHERE erased_at >= ?)`, id, since).Error
}

// Closing tells whether a campaign is over.
type Closing struct {
	Status       campaign.Status
	Closed       bool
	Unfinished   int64
	DeadlineLeft time.Duration
}

// CloseCampaign completes a campaign when every recipient is final (Property
// 11), or at its deadline whatever the states (Property 13): who was not sent
// Message 1 by then ends as not_sent. The final totals are stored (Property 12).
func (s *Store) CloseCampaign(ctx context.Context, id uuid.UUID) (Closing, error) {
	var closing Closing
	err := s.transaction(ctx, "closing the campaign", func(tx *gorm.DB) error {
		var row struct {
			Status     campaign.Status
			DeadlineAt time.Time
		}
		if err := first(tx, &row, `SELECT status, deadline_at FROM campaigns WHERE id = ? FOR NO KEY UPDATE`, id); err != nil {
			return err
		}
		closing = Closing{Status: row.Status, Closed: row.Status.Final()}
		if closing.Closed {
			return nil
		}
		if err := s.knowsAll(tx); err != nil {
			return err
		}
		at, err := now(tx)
		if err != nil {
			return err
		}
		closing.DeadlineLeft = max(row.DeadlineAt.Sub(at), 0)
		if err := tx.Raw(`SELECT count(*) FROM recipients WHERE campaign_id = ? AND finished_at IS NULL`, id).
			Scan(&closing.Unfinished).Error; err != nil {
			return err
		}
		if closing.Unfinished > 0 && closing.DeadlineLeft > 0 {
			return nil
		}
		closing.Closed, closing.Status = true, campaign.Completed
		if err := leaveUnsent(tx, id, campaign.ReasonDeadline, at); err != nil {
			return err
		}
		return tx.Exec(`UPDATE campaigns SET status = 'completed', completed_at = ?, updated_at = ? WHERE id = ?`, at, at, id).Error
	})
	if err != nil || !closing.Closed {
		return closing, err
	}
	return closing, s.storeTotals(ctx, id)
}

// leaveUnsent ends every recipient whose Message 1 has surely not left. One
// that may just be leaving is settled by its own workflow.
func leaveUnsent(tx *gorm.DB, id uuid.UUID, reason campaign.Reason, at time.Time) error {
	return tx.Exec(`
		UPDATE recipients r SET state = 'not_sent', state_reason = ?, finished_at = ?
		FROM (SELECT r.campaign_id, r.contact_id FROM recipients r
		      JOIN messages m ON m.campaign_id = r.campaign_id AND m.contact_id = r.contact_id AND m.message_type = 'message_1'
		      WHERE r.campaign_id = ? AND r.state IN ('pending', 'admitted') AND m.status = 'pending'
		      ORDER BY r.position FOR UPDATE) unsent
		WHERE r.campaign_id = unsent.campaign_id AND r.contact_id = unsent.contact_id`, reason, at, id).Error
}
