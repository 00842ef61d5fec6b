package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/relance/relance/campaign"
)

// MessageKey names one message: a contact gets each type at most once in a campaign.
type MessageKey struct {
	CampaignID uuid.UUID
	ContactID  uuid.UUID
	Type       campaign.MessageType
}

// Verdict is what a claim decided.
type Verdict string

// The verdicts of a claim.
const (
	// Granted: the message is marked as sending; the caller must call the
	// provider now and settle, or release, what came of it.
	Granted Verdict = "granted"
	// Unsettled: an earlier attempt may have left; look it up before anything else.
	Unsettled Verdict = "unsettled"
	// Recorded: nothing is to be sent; the recipient's state says why.
	Recorded Verdict = "recorded"
	// Wait: the message may not leave now. It has not used an attempt.
	Wait Verdict = "wait"
)

// Obstacle says why a message has to wait.
type Obstacle string

// The obstacles.
const (
	ObstacleQuota  Obstacle = "quota"
	ObstacleHalted Obstacle = "halted" // the device

	// These hold up Message 1 only.
	ObstaclePaused Obstacle = "paused" // the campaign
	ObstacleHours  Obstacle = "sending hours"
	ObstaclePace   Obstacle = "pacing"
)

// Claim is a decision about one message.
type Claim struct {
	Verdict  Verdict
	Progress Progress

	// Obstacle and Wait belong to the verdict Wait. A Wait of 0 means that no
	// moment is known: an admin has to act.
	Obstacle Obstacle
	Wait     time.Duration

	// What follows belongs to the verdicts Granted and Unsettled.

	MessageID uuid.UUID // the reference at the provider
	DeviceID  string    // the device it is, or was, sent from
	Token     time.Time // fences this claim: a newer claim has another one
	Attempt   int       // 1 for the first request
	Age       time.Duration
	ReplyAge  time.Duration // how long ago the reply that earned Message 2 was taken in; 0 for Message 1
	Phone     string
	Text      string
	MediaURL  string
}

// Progress is how far a recipient has come.
type Progress struct {
	State campaign.RecipientState
	// WindowLeft is how long the reply window stays open; 0 when it is closed or
	// Message 1 has not left.
	WindowLeft time.Duration
}

// claimRow is a message with everything that bears on whether it may leave.
type claimRow struct {
	MessageID      uuid.UUID
	Status         campaign.MessageStatus
	Attempts       int
	ClaimedAt      *time.Time
	DeviceID       string
	Phone          string
	Variables      json.RawMessage
	State          campaign.RecipientState
	WindowEndsAt   *time.Time
	NotBefore      *time.Time
	CampaignStatus campaign.Status
	DeadlineAt     time.Time
	Text           string
	MediaURL       string
	ContactExists  bool
	OptedOut       bool
	EarnedAt       *time.Time
}

// Claim decides, in one transaction under the locks of the device and the
// recipient, whether a message may leave now (Properties 4, 5 and 10).
// At most one caller is ever granted a message that has not been released.
func (s *Store) Claim(ctx context.Context, key MessageKey) (Claim, error) {
	var claim Claim
	err := s.transaction(ctx, "claiming "+string(key.Type), func(tx *gorm.DB) error {
		var deviceID string
		if err := value(tx, &deviceID, `SELECT device_id FROM recipients WHERE campaign_id = ? AND contact_id = ?`,
			key.CampaignID, key.ContactID); err != nil {
			return err
		}
		device, err := lockDevice(tx, deviceID)
		if err != nil {
			return err
		}
		row, err := lockForClaim(tx, key)
		if errors.Is(err, ErrNotFound) {
			claim, err = nothingOwed(tx, key)
			return err
		}
		if err != nil {
			return err
		}
		at, err := now(tx)
		if err != nil {
			return err
		}
		claim, err = s.decideClaim(tx, key, row, device, at)
		return err
	})
	return claim, err
}

// nothingOwed answers a claim for a message that nobody has decided to send.
func nothingOwed(tx *gorm.DB, key MessageKey) (Claim, error) {
	var row claimRow
	if err := first(tx, &row, `SELECT state, window_ends_at FROM recipients WHERE campaign_id = ? AND contact_id = ?`,
		key.CampaignID, key.ContactID); err != nil {
		return Claim{}, err
	}
	at, err := now(tx)
	return Claim{Verdict: Recorded, Progress: Progress{State: row.State, WindowLeft: windowLeft(row.WindowEndsAt, at)}}, err
}

func lockForClaim(tx *gorm.DB, key MessageKey) (claimRow, error) {
	var row claimRow
	err := first(tx, &row, `
		SELECT m.id AS message_id, m.status, m.attempts, m.claimed_at, m.device_id,
		       r.phone, r.variables, r.state, r.window_ends_at, r.not_before,
		       c.status AS campaign_status, c.deadline_at,
		       CASE m.message_type WHEN 'message_1' THEN c.message_1 ELSE c.message_2 END AS text,
		       CASE m.message_type WHEN 'message_1' THEN c.message_1_media_url ELSE c.message_2_media_url END AS media_url,
		       k.id IS NOT NULL AS contact_exists,
		       -- by number too: a contact that is just being imported does not hear of it
		       k.opted_out_at IS NOT NULL OR EXISTS (SELECT FROM opt_outs o WHERE o.phone = r.phone) AS opted_out,
		       CASE m.message_type WHEN 'message_2' THEN (
		           SELECT min(i.received_at) FROM interactions i
		           WHERE i.campaign_id = r.campaign_id AND i.contact_id = r.contact_id AND i.within_24h) END AS earned_at
		FROM campaigns c
		JOIN recipients r ON r.campaign_id = c.id
		JOIN messages m ON m.campaign_id = r.campaign_id AND m.contact_id = r.contact_id
		LEFT JOIN contacts k ON k.id = r.contact_id
		WHERE r.campaign_id = ? AND r.contact_id = ? AND m.message_type = ?
		FOR SHARE OF c FOR UPDATE OF r, m`,
		key.CampaignID, key.ContactID, key.Type)
	return row, err
}

func (s *Store) decideClaim(tx *gorm.DB, key MessageKey, row claimRow, device deviceRow, at time.Time) (Claim, error) {
	progress := Progress{State: row.State, WindowLeft: windowLeft(row.WindowEndsAt, at)}
	switch {
	case row.Status == campaign.MessageSending:
		return row.unsettled(progress, at), nil
	case row.Status != campaign.MessagePending || row.State.Final(),
		key.Type == campaign.Message1 && row.State != campaign.Admitted: // retried, and waits to be admitted anew
		return Claim{Verdict: Recorded, Progress: progress}, nil
	}
	if state, reason := row.endsUnsent(key.Type, at); state != "" {
		progress.State = state
		return Claim{Verdict: Recorded, Progress: progress},
			finishRecipient(tx, key.CampaignID, key.ContactID, state, reason, at)
	}
	obstacle, wait, err := s.obstacle(tx, key.Type, row, device, at)
	if err != nil || obstacle != "" {
		return Claim{Verdict: Wait, Progress: progress, Obstacle: obstacle, Wait: wait}, err
	}
	if key.Type == campaign.Message1 {
		if err := tx.Exec(`UPDATE devices SET last_message_1_at = ? WHERE id = ?`, at, device.ID).Error; err != nil {
			return Claim{}, err
		}
	}
	if err := tx.Exec(`
		UPDATE messages SET status = 'sending', attempts = attempts + 1, claimed_at = ?, absent_since = NULL
		WHERE id = ?`, at, row.MessageID).Error; err != nil {
		return Claim{}, err
	}
	row.Attempts, row.ClaimedAt = row.Attempts+1, &at
	granted := row.unsettled(progress, at)
	granted.Verdict = Granted
	granted.Text = campaign.Render(row.Text, textVariables(row.Variables))
	granted.MediaURL = row.MediaURL
	return granted, nil
}

// obstacle says what keeps a message that may be sent from leaving now, if
// anything, and for how long. A reply's Message 2 knows neither pauses nor hours
// nor pacing.
func (s *Store) obstacle(tx *gorm.DB, messageType campaign.MessageType, row claimRow, device deviceRow, at time.Time) (Obstacle, time.Duration, error) {
	if device.Halted {
		return ObstacleHalted, 0, nil
	}
	if messageType == campaign.Message1 {
		if row.CampaignStatus == campaign.Paused {
			return ObstaclePaused, 0, nil
		}
		if wait := s.rules.Hours.UntilOpen(at); wait > 0 {
			return ObstacleHours, wait, nil
		}
		if wait := s.paced(row, device, at); wait > 0 {
			return ObstaclePace, wait, nil
		}
	}
	used, err := s.sendable(tx, row.DeviceID, at)
	if err != nil || s.rules.Quota.MayLeave(used.Usage) {
		return "", 0, err
	}
	return ObstacleQuota, s.untilRoom(used, at), nil
}

// paced is how long a Message 1 has to wait for its slot, and for the shortest
// gap after the one before: after an outage many slots have passed at once.
func (s *Store) paced(row claimRow, device deviceRow, at time.Time) time.Duration {
	if s.rules.Pace.None() {
		return 0
	}
	var wait time.Duration
	if row.NotBefore != nil {
		wait = row.NotBefore.Sub(at)
	}
	if device.LastMessage1At != nil {
		wait = max(wait, device.LastMessage1At.Add(s.rules.Pace.Min).Sub(at))
	}
	return max(wait, 0)
}

// endsUnsent tells the final state of a recipient whose message must not leave
// any more, or "".
func (row claimRow) endsUnsent(messageType campaign.MessageType, at time.Time) (campaign.RecipientState, campaign.Reason) {
	state := campaign.NotSent
	if messageType == campaign.Message2 {
		state = campaign.Stopped
	}
	switch {
	case row.CampaignStatus == campaign.Cancelled:
		return state, campaign.ReasonCancelled
	case row.OptedOut:
		return state, campaign.ReasonOptedOut
	case !row.ContactExists:
		return state, campaign.ReasonContactDeleted
	case messageType == campaign.Message1 && (row.CampaignStatus == campaign.Completed || !at.Before(row.DeadlineAt)):
		return state, campaign.ReasonDeadline
	}
	return "", ""
}

func (row claimRow) unsettled(progress Progress, at time.Time) Claim {
	claim := Claim{
		Verdict: Unsettled, Progress: progress,
		MessageID: row.MessageID, DeviceID: row.DeviceID, Token: *row.ClaimedAt, Attempt: row.Attempts,
		Age: at.Sub(*row.ClaimedAt), Phone: row.Phone,
	}
	if row.EarnedAt != nil {
		claim.ReplyAge = max(at.Sub(*row.EarnedAt), 0)
	}
	return claim
}

// finishRecipient puts a recipient whose row is locked into a final state.
func finishRecipient(tx *gorm.DB, campaignID, contactID uuid.UUID, state campaign.RecipientState, reason campaign.Reason, at time.Time) error {
	return tx.Exec(`
		UPDATE recipients SET state = ?, state_reason = ?, finished_at = coalesce(finished_at, ?)
		WHERE campaign_id = ? AND contact_id = ?`, state, reason, at, campaignID, contactID).Error
}

func windowLeft(endsAt *time.Time, at time.Time) time.Duration {
	if endsAt == nil {
		return 0
	}
	return max(endsAt.Sub(at), 0)
}

// textVariables turns a contact's attributes, which may be any JSON value, into
// what a text can show.
func textVariables(raw json.RawMessage) map[string]string {
	var values map[string]any
	if err := json.Unmarshal(raw, &values); err != nil {
		return nil
	}
	texts := make(map[string]string, len(values))
	for name, value := range values {
		switch v := value.(type) {
		case string:
			texts[name] = v
		case nil:
		default:
			if encoded, err := json.Marshal(v); err == nil {
				texts[name] = string(encoded)
			}
		}
	}
	return texts
}
