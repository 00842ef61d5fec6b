package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/relance/relance/campaign"
)

// Found is a message of ours as the provider has it.
type Found struct {
	Reference        uuid.UUID
	ProviderID, WAID string
	CreatedAt        time.Time              // by the provider's clock
	Status           campaign.MessageStatus // sent, delivered, read or failed
	Failure          string
}

// Inbound is a message of a person's as the provider has it, written as the
// webhook that told of it when it came.
type Inbound struct {
	Key   string // of the webhook
	Raw   []byte
	Event campaign.Event
}

// Evidence is what the provider knows to have happened, in any order.
type Evidence struct {
	Messages []Found
	Inbound  []Inbound
}

// Settled counts what a database did not know of the evidence.
type Settled struct {
	Message1     int         `json:"message_1_left"`
	Message2     int         `json:"message_2_left"`
	Acknowledged int         `json:"acknowledged"` // delivered, read or failed since
	Replies      int         `json:"replies"`
	Owed         int         `json:"answers_owed"` // by those replies, and not left yet
	Launched     []uuid.UUID `json:"campaigns_launched,omitempty"`
	// Strangers left within the quota's window and belong to no campaign here.
	Strangers int `json:"strangers"`
}

// Nothing reports whether the database knew everything that decides. Where
// campaigns run, some acknowledgement is always on its way.
func (s Settled) Nothing() bool {
	return s.Message1+s.Message2+s.Replies+s.Strangers+len(s.Launched) == 0
}

// clockAllowance is how far the provider's clock may be from the database's: a
// message found at the provider counts against the quota by so much longer.
const clockAllowance = time.Minute

// Settle makes up for what a restored database lacks, in one transaction that can
// be repeated: messages that left are recorded as of when they left, replies as
// of when they were sent, and what belongs to no campaign here counts against the
// quota. Nothing is sent. Without keep it only tells what would be done.
func (s *Store) Settle(ctx context.Context, evidence Evidence, keep bool) (Settled, error) {
	var settled Settled
	undone := errors.New("nothing is kept")
	err := s.transaction(ctx, "settling what the provider knows", func(tx *gorm.DB) error {
		settled = Settled{}
		if _, err := lockDevice(tx, s.deviceID); err != nil {
			return err
		}
		at, err := now(tx)
		if err != nil {
			return err
		}
		r := reconciling{Store: s, tx: tx, at: at, settled: &settled}
		if err := r.settle(evidence); err != nil {
			return err
		}
		if !keep {
			return undone
		}
		return nil
	})
	if errors.Is(err, undone) {
		err = nil
	}
	return settled, err
}

// reconciling is one transaction that holds the database against the evidence.
type reconciling struct {
	*Store
	tx      *gorm.DB
	at      time.Time
	settled *Settled
}

func (r reconciling) settle(evidence Evidence) error {
	found := slices.SortedFunc(slices.Values(evidence.Messages), func(a, b Found) int { return a.CreatedAt.Compare(b.CreatedAt) })
	inbound := slices.SortedFunc(slices.Values(evidence.Inbound), func(a, b Inbound) int { return a.Event.At.Compare(b.Event.At) })
	if err := r.launch(found); err != nil {
		return err
	}
	strange, err := r.adopt(found)
	if err != nil {
		return err
	}
	// Replies before the answers to them, as it was.
	if err := r.takeInAll(inbound); err != nil {
		return err
	}
	if err := r.makeAnswers(strange); err != nil {
		return err
	}
	if strange, err = r.adopt(strange); err != nil {
		return err
	}
	if err := r.acknowledge(found); err != nil {
		return err
	}
	if err := r.countStrangers(strange); err != nil {
		return err
	}
	return r.countOwed()
}

// launch freezes the audience of campaigns that the database has as not begun
// although messages of theirs have left. It is frozen as it is now: who has come
// since has not been written to, who is gone is a stranger.
func (r reconciling) launch(found []Found) error {
	var begun []struct {
		ID        uuid.UUID
		StartedAt time.Time
	}
	if err := r.tx.Raw(`
		WITH found AS (SELECT * FROM unnest(?::uuid[], ?::timestamptz[]) AS f (id, left_at)
		               WHERE NOT EXISTS (SELECT FROM messages m WHERE m.id = f.id))
		SELECT c.id, min(found.left_at) AS started_at FROM campaigns c
		CROSS JOIN LATERAL (SELECT kc.contact_id FROM contact_categories kc WHERE kc.category_id = ANY (c.category_ids)
		                    UNION SELECT unnest(c.contact_ids)) a
		JOIN found ON found.id = relance_message_id(c.id, a.contact_id, 'message_1')
		WHERE c.device_id = ? AND c.status IN ('draft', 'scheduled') AND EXISTS (SELECT FROM found)
		GROUP BY c.id`, references(found), timestamps(moments(found)), r.deviceID).Scan(&begun).Error; err != nil {
		return err
	}
	for _, c := range begun {
		total, err := insertRecipients(r.tx, c.ID)
		if err != nil {
			return err
		}
		if err := r.tx.Exec(`UPDATE campaigns SET status = 'running', status_reason = '', started_at = @started, deadline_at = @deadline,
			scheduled_at = least(coalesce(scheduled_at, @started), @started), total_contacts = @total, updated_at = @at WHERE id = @id`, map[string]any{
			"started": c.StartedAt, "deadline": c.StartedAt.Add(r.rules.Deadline), "total": total, "at": r.at, "id": c.ID,
		}).Error; err != nil {
			return err
		}
		r.settled.Launched = append(r.settled.Launched, c.ID)
	}
	return nil
}

// adopt records that messages left which are not known to have. It returns those
// that it knows no row for.
func (r reconciling) adopt(found []Found) (strange []Found, err error) {
	rows, err := lockMessages(r.tx, references(found))
	if err != nil {
		return nil, err
	}
	var departed []departure
	for _, message := range found {
		row, ok := rows[message.Reference]
		if !ok {
			strange = append(strange, message)
			continue
		}
		delete(rows, message.Reference) // listed twice, it left once
		if row.SentAt != nil {
			continue
		}
		if row.MessageType == campaign.Message2 && row.Message1SentAt == nil {
			strange = append(strange, message) // nobody can say what it answers
			continue
		}
		leftAt := momentOf(message.CreatedAt, r.at)
		if row, err = r.prepare(row, leftAt); err != nil {
			return nil, err
		}
		departed = append(departed, departure{sentRow: row, ProviderID: message.ProviderID, WAID: message.WAID, LeftAt: leftAt})
		if row.MessageType == campaign.Message1 {
			r.settled.Message1++
		} else {
			r.settled.Message2++
		}
	}
	if len(departed) == 0 {
		return strange, nil
	}
	return strange, r.markAllSent(r.tx, departed, r.at)
}

// momentOf is when the provider says that something happened, which cannot be later
// than now.
func momentOf(told, now time.Time) time.Time {
	if told.IsZero() {
		return now
	}
	return earlier(told, now)
}

// prepare makes a message one that was claimed when it left, whatever has been
// concluded of it since, and its recipient one that waits for it.
func (r reconciling) prepare(row sentRow, leftAt time.Time) (sentRow, error) {
	if row.Status != campaign.MessageSending {
		row.ClaimedAt = &leftAt
	}
	if err := r.tx.Exec(`UPDATE messages SET claimed_at = ?, attempts = greatest(attempts, 1), counted_at = coalesce(counted_at, ?)
		WHERE id = ? AND sent_at IS NULL`,
		row.ClaimedAt, earlier(leftAt.Add(clockAllowance), r.at), row.ID).Error; err != nil {
		return row, err
	}
	if row.MessageType == campaign.Message1 {
		if row.State == campaign.NotSent || row.State == campaign.Failed {
			row.State, row.StateReason, row.FinishedAt = campaign.Admitted, "", nil
		}
		return row, nil
	}
	// The answer proves that a reply came in time, even if that is not to be found.
	switch row.State {
	case campaign.Message1Sent, campaign.NoInteraction, campaign.LateInteraction, campaign.Failed:
		row.State, row.StateReason, row.FinishedAt = campaign.Replied, "", nil
		return row, r.tx.Exec(`UPDATE recipients SET state = 'replied', state_reason = '', finished_at = NULL, replied_at = coalesce(replied_at, ?)
			WHERE campaign_id = ? AND contact_id = ?`, leftAt, row.CampaignID, row.ContactID).Error
	}
	return row, nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// acknowledge moves messages on to what the provider says has become of them. Most
// have not changed, and are asked for together: the device waits meanwhile.
func (r reconciling) acknowledge(found []Found) error {
	var left []struct {
		ID     uuid.UUID
		Status campaign.MessageStatus
	}
	if err := r.tx.Raw(`SELECT id, status FROM messages WHERE id = ANY (?) AND sent_at IS NOT NULL`, references(found)).Scan(&left).Error; err != nil {
		return err
	}
	known := make(map[uuid.UUID]campaign.MessageStatus, len(left))
	for _, message := range left {
		known[message.ID] = message.Status
	}
	for _, message := range found {
		status, ok := known[message.Reference]
		if !ok || status.After(message.Status) == status {
			continue
		}
		known[message.Reference] = status.After(message.Status)
		r.settled.Acknowledged++
		if _, err := r.applyAck(r.tx, campaign.Event{
			Kind: campaign.EventAck, Reference: message.Reference.String(), WAID: message.WAID, ProviderID: message.ProviderID,
			Status: message.Status, Failure: message.Failure,
		}); err != nil {
			return err
		}
	}
	return nil
}

// countStrangers counts against the quota what left and belongs to nobody here: test
// messages, and those of campaigns that were made after the database's moment.
func (r reconciling) countStrangers(found []Found) error {
	for _, message := range found {
		left := momentOf(message.CreatedAt, r.at)
		if left.Before(r.at.Add(-r.rules.Quota.Window - clockAllowance)) {
			continue
		}
		counted := r.tx.Exec(`INSERT INTO test_sends (id, device_id, counted_at, error) VALUES (?, ?, ?, 'found at the provider')
			ON CONFLICT (id) DO NOTHING`, message.Reference, r.deviceID, earlier(left.Add(clockAllowance), r.at))
		if counted.Error != nil {
			return counted.Error
		}
		r.settled.Strangers += int(counted.RowsAffected)
	}
	return nil
}

// countOwed tells how many answers wait to leave.
func (r reconciling) countOwed() error {
	return value(r.tx, &r.settled.Owed, `SELECT count(*) FROM recipients r JOIN messages m ON m.campaign_id = r.campaign_id
		AND m.contact_id = r.contact_id AND m.message_type = 'message_2'
		WHERE r.device_id = ? AND r.state = 'replied' AND m.status = 'pending'`, r.deviceID)
}

func references(found []Found) UUIDs {
	ids := make(UUIDs, len(found))
	for i, message := range found {
		ids[i] = message.Reference
	}
	return ids
}

func moments(found []Found) []time.Time {
	at := make([]time.Time, len(found))
	for i, message := range found {
		at[i] = message.CreatedAt
	}
	return at
}
