package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/relance/relance/campaign"
)

// Acceptance is the provider's word that a message left.
type Acceptance struct {
	MessageID  uuid.UUID
	ProviderID string
	WAID       string
	// CreatedAt is the provider's time of a message found by look-up; zero when
	// the provider has just answered, then the database's clock counts.
	CreatedAt time.Time
}

// SettleSent records that a message left. It is true whoever says it and
// however late: a forgotten attempt's success counts like any other. A message
// that is already settled only gains the provider's ids it lacked.
func (s *Store) SettleSent(ctx context.Context, accepted Acceptance) (Progress, error) {
	progress, err := s.SettleAllSent(ctx, []Acceptance{accepted})
	if err != nil {
		return Progress{}, err
	}
	return progress[0], nil
}

// SettleAllSent records that several different messages left, as [Store.SettleSent]
// would one after the other, for little more than the price of one.
func (s *Store) SettleAllSent(ctx context.Context, accepted []Acceptance) ([]Progress, error) {
	progress := make([]Progress, len(accepted))
	err := s.transaction(ctx, "settling sent messages", func(tx *gorm.DB) error {
		ids := make(UUIDs, len(accepted))
		for i, a := range accepted {
			ids[i] = a.MessageID
		}
		rows, err := lockMessages(tx, ids)
		if err != nil {
			return err
		}
		at, err := now(tx)
		if err != nil {
			return err
		}
		departed := make([]departure, len(accepted))
		for i, a := range accepted {
			row, ok := rows[a.MessageID]
			if !ok {
				return ErrNotFound
			}
			departed[i] = departure{sentRow: row, ProviderID: a.ProviderID, WAID: a.WAID, LeftAt: sentMoment(row, a.CreatedAt, at)}
		}
		if err := s.markAllSent(tx, departed, at); err != nil {
			return err
		}
		for i, d := range departed {
			progress[i] = d.progress(at)
		}
		return nil
	})
	return progress, err
}

// sentMoment is when a message left: now for an answer that has just come; the
// provider's own time for one found later, kept between the claim and now so
// that a skewed clock cannot open or close a window by itself.
func sentMoment(row sentRow, createdAt, at time.Time) time.Time {
	if createdAt.IsZero() || row.ClaimedAt == nil {
		return at
	}
	if createdAt.Before(*row.ClaimedAt) {
		return *row.ClaimedAt
	}
	if createdAt.After(at) {
		return at
	}
	return createdAt
}

// departure is a locked message of which it has become known that it left.
type departure struct {
	sentRow
	ProviderID, WAID string
	LeftAt           time.Time
}

// markSent moves a message to sent, and its recipient along with it, unless
// that has been done.
func (s *Store) markSent(tx *gorm.DB, row sentRow, leftAt, at time.Time) (sentRow, error) {
	departed := []departure{{sentRow: row, LeftAt: leftAt}}
	err := s.markAllSent(tx, departed, at)
	return departed[0].sentRow, err
}

// markAllSent moves messages to sent, and their recipients along with them, unless
// that has been done. counted_at is the latest moment at which each can have
// left, so that the quota never forgets a message too early (Property 5).
func (s *Store) markAllSent(tx *gorm.DB, departed []departure, at time.Time) error {
	if err := recordSent(tx, departed, at); err != nil {
		return err
	}
	var moved []sentRow
	var present map[Recipient]presence
	for i := range departed {
		d := &departed[i]
		if d.SentAt != nil {
			continue
		}
		d.Status, d.SentAt = campaign.MessageSent, &d.LeftAt
		if d.MessageType == campaign.Message1 && present == nil {
			var err error
			if present, err = presences(tx, departed); err != nil {
				return err
			}
		}
		if s.moveOn(&d.sentRow, present[d.recipient()], at) {
			moved = append(moved, d.sentRow)
		}
	}
	return recordMoved(tx, moved)
}

// moveOn takes a recipient whose message left to the state that follows, and
// tells whether that is another one.
func (s *Store) moveOn(row *sentRow, present presence, at time.Time) bool {
	if row.MessageType == campaign.Message2 {
		if !row.State.CanBecome(campaign.Message2Sent) && !row.State.CanSettleAs(row.StateReason, campaign.Message2Sent) {
			return false
		}
		row.finish(campaign.Message2Sent, "", at)
		return true
	}
	if row.State != campaign.Pending && row.State != campaign.Admitted && !row.State.CanSettleAs(row.StateReason, campaign.Message1Sent) {
		return false
	}
	// The window opens. When that is learnt only after the campaign was cancelled,
	// or the contact has opted out, or the window has passed, the state is final.
	ends := campaign.WindowEnd(*row.SentAt, s.rules.ReplyWindow)
	row.Message1SentAt, row.WindowEndsAt = row.SentAt, &ends
	row.State, row.StateReason, row.FinishedAt = campaign.Message1Sent, "", nil
	switch {
	case present.Status == campaign.Cancelled:
		row.finish(campaign.Stopped, campaign.ReasonCancelled, at)
	case present.OptedOut:
		row.finish(campaign.Stopped, campaign.ReasonOptedOut, at)
	case !campaign.InWindow(at, ends): // its workflow gave up and has ended
		row.finish(campaign.NoInteraction, "", at)
	}
	return true
}

func (row *sentRow) finish(state campaign.RecipientState, reason campaign.Reason, at time.Time) {
	row.State, row.StateReason = state, reason
	if row.FinishedAt == nil {
		row.FinishedAt = &at
	}
}

// presence is what has become of a recipient's campaign and contact.
type presence struct {
	Status   campaign.Status
	OptedOut bool
}

// presences are read after the recipients were locked, so that a cancellation or
// an opt-out that was waited for is seen.
func presences(tx *gorm.DB, departed []departure) (map[Recipient]presence, error) {
	var campaigns, contacts UUIDs
	for _, d := range departed {
		campaigns, contacts = append(campaigns, d.CampaignID), append(contacts, d.ContactID)
	}
	var rows []struct {
		CampaignID, ContactID uuid.UUID
		Status                campaign.Status
		OptedOut              bool
	}
	if err := tx.Raw(`
		SELECT c.id AS campaign_id, w.contact_id, c.status, coalesce(k.opted_out_at IS NOT NULL, false) AS opted_out
		FROM unnest(?::uuid[], ?::uuid[]) AS w (campaign_id, contact_id) JOIN campaigns c ON c.id = w.campaign_id
		LEFT JOIN contacts k ON k.id = w.contact_id`, campaigns, contacts).Scan(&rows).Error; err != nil {
		return nil, err
	}
	present := make(map[Recipient]presence, len(rows))
	for _, row := range rows {
		present[Recipient{CampaignID: row.CampaignID, ContactID: row.ContactID}] = presence{Status: row.Status, OptedOut: row.OptedOut}
	}
	return present, nil
}

// recordSent writes what is known of the messages.
func recordSent(tx *gorm.DB, departed []departure, at time.Time) error {
	type record struct {
		ID         uuid.UUID `json:"id"`
		ProviderID string    `json:"provider_id"`
		WAID       string    `json:"wa_id"`
		LeftAt     time.Time `json:"left_at"`
	}
	records := make([]record, len(departed))
	for i, d := range departed {
		records[i] = record{ID: d.ID, ProviderID: d.ProviderID, WAID: d.WAID, LeftAt: d.LeftAt}
	}
	values, err := json.Marshal(records)
	if err != nil {
		return err
	}
	return tx.Exec(`
		UPDATE messages m SET provider_id = coalesce(m.provider_id, nullif(d.provider_id, '')), wa_id = coalesce(m.wa_id, nullif(d.wa_id, '')),
		       status = CASE WHEN m.sent_at IS NULL THEN 'sent' ELSE m.status END,
		       counted_at = CASE WHEN m.sent_at IS NULL THEN coalesce(m.counted_at, @at) ELSE m.counted_at END,
		       error = CASE WHEN m.sent_at IS NULL THEN '' ELSE m.error END,
		       absent_since = CASE WHEN m.sent_at IS NULL THEN NULL ELSE m.absent_since END,
		       sent_at = coalesce(m.sent_at, d.left_at), claimed_at = coalesce(m.claimed_at, d.left_at)
		FROM jsonb_to_recordset(CAST(@departed AS jsonb)) AS d (id uuid, provider_id text, wa_id text, left_at timestamptz)
		WHERE m.id = d.id`, map[string]any{"departed": string(values), "at": at}).Error
}

// recordMoved writes the recipients' new states.
func recordMoved(tx *gorm.DB, moved []sentRow) error {
	if len(moved) == 0 {
		return nil
	}
	type record struct {
		CampaignID     uuid.UUID               `json:"campaign_id"`
		ContactID      uuid.UUID               `json:"contact_id"`
		State          campaign.RecipientState `json:"state"`
		StateReason    campaign.Reason         `json:"state_reason"`
		Message1SentAt *time.Time              `json:"message_1_sent_at"`
		WindowEndsAt   *time.Time              `json:"window_ends_at"`
		FinishedAt     *time.Time              `json:"finished_at"`
	}
	records := make([]record, len(moved))
	for i, row := range moved {
		records[i] = record{
			CampaignID: row.CampaignID, ContactID: row.ContactID, State: row.State, StateReason: row.StateReason,
			Message1SentAt: row.Message1SentAt, WindowEndsAt: row.WindowEndsAt, FinishedAt: row.FinishedAt,
		}
	}
	values, err := json.Marshal(records)
	if err != nil {
		return err
	}
	return tx.Exec(`
		UPDATE recipients r SET state = m.state, state_reason = m.state_reason, message_1_sent_at = m.message_1_sent_at,
		       window_ends_at = m.window_ends_at, finished_at = m.finished_at, wave = coalesce(r.wave, 0)
		FROM jsonb_to_recordset(CAST(@moved AS jsonb)) AS m (campaign_id uuid, contact_id uuid, state text, state_reason text,
		     message_1_sent_at timestamptz, window_ends_at timestamptz, finished_at timestamptz)
		WHERE r.campaign_id = m.campaign_id AND r.contact_id = m.contact_id`, map[string]any{"moved": string(values)}).Error
}
