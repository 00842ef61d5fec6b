package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/relance/relance/campaign"
)

// Course is how a campaign has run so far, and what is left of it.
type Course struct {
	At         time.Time // the database's moment that all of it is true at
	Status     campaign.Status
	StartedAt  *time.Time
	DeadlineAt *time.Time
	EndedAt    *time.Time
	// Waiting contacts have not been admitted to be sent Message 1.
	Waiting int
	// OpenUntil is when the last of the admitted will be final, should nobody else
	// reply; nil when none is waited for.
	OpenUntil *time.Time
	// RecentMessage1 is how many left within the recent span that was asked for.
	RecentMessage1 int
	Step           time.Duration
	Steps          []CourseStep `gorm:"-"` // those in which anything happened, in order
}

// CourseStep is what happened from At on for a Step.
type CourseStep struct {
	At       time.Time
	Message1 int64 `gorm:"column:message_1"`
	Message2 int64 `gorm:"column:message_2"`
	Replies  int64
}

// CampaignCourse tells how a campaign has run in at most the given number of
// steps; [ErrNotFound] when there is none. recent is the span that speed is
// measured over. It counts the campaign's messages: for a hundred thousand
// recipients that takes some hundred milliseconds.
func (s *Store) CampaignCourse(ctx context.Context, id uuid.UUID, steps int, recent time.Duration) (Course, error) {
	var c Course
	err := s.transaction(ctx, "reading how a campaign has run", func(tx *gorm.DB) error {
		if err := first(tx, &c, `
			SELECT relance_now() AS at, status, started_at, deadline_at, completed_at AS ended_at,
			       (SELECT count(*) FROM recipients WHERE campaign_id = c.id AND state = 'pending') AS waiting,
			       (SELECT max(coalesce(window_ends_at, relance_now() + make_interval(secs => ?))) FROM recipients
			        WHERE campaign_id = c.id AND state IN ('admitted', 'message_1_sent')) AS open_until
			FROM campaigns c WHERE id = ?`, s.rules.ReplyWindow.Seconds(), id); err != nil {
			return err
		}
		if c.StartedAt == nil {
			return nil
		}
		c.Step = campaign.StepFor(c.lasted(), steps)
		values := map[string]any{
			"campaign": id, "step": c.Step.Seconds(), "start": *c.StartedAt, "recently": c.At.Add(-recent),
		}
		if err := tx.Raw(`SELECT count(*) FROM messages
			WHERE campaign_id = @campaign AND message_type = 'message_1' AND sent_at > @recently`, values).Scan(&c.RecentMessage1).Error; err != nil {
			return err
		}
		return tx.Raw(`
			SELECT date_bin(make_interval(secs => @step), h.at, CAST(@start AS timestamptz)) AS at,
			       sum(h.message_1) AS message_1, sum(h.message_2) AS message_2, sum(h.reply) AS replies
			FROM (SELECT sent_at AS at, CAST(message_type = 'message_1' AS int) AS message_1, CAST(message_type = 'message_2' AS int) AS message_2, 0 AS reply
			      FROM messages WHERE campaign_id = @campaign AND sent_at IS NOT NULL
			      UNION ALL
			      SELECT received_at, 0, 0, 1 FROM interactions WHERE campaign_id = @campaign) h
			GROUP BY 1 ORDER BY 1`, values).Scan(&c.Steps).Error
	})
	if err != nil {
		return Course{}, fmt.Errorf("campaign %s: %w", id, err)
	}
	return c, nil
}

// lasted is how long the campaign has run, at least until its end: what comes
// later, to contacts whose window reaches beyond it, is few.
func (c Course) lasted() time.Duration {
	if c.EndedAt != nil {
		return c.EndedAt.Sub(*c.StartedAt)
	}
	return c.At.Sub(*c.StartedAt)
}
