package store

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/relance/relance/campaign"
)

// claimRow is a message with everything that bears on whether it may leave.
type claimRow struct {
	CampaignID     uuid.UUID
	ContactID      uuid.UUID
	MessageType    campaign.MessageType
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
	TextsRemoved   bool
	ContactExists  bool
	OptedOut       bool
	EarnedAt       *time.Time
}

// decide decides about one message. What it grants is written by record.
func (c *claiming) decide(row claimRow) (Claim, error) {
	progress := Progress{State: row.State, WindowLeft: windowLeft(row.WindowEndsAt, c.at)}
	switch {
	case row.Status == campaign.MessageSending:
		return row.unsettled(progress, c.at), nil
	case row.Status != campaign.MessagePending || row.State.Final(),
		row.MessageType == campaign.Message1 && row.State != campaign.Admitted: // retried, and waits to be admitted anew
		return Claim{Verdict: Recorded, Progress: progress}, nil
	}
	if c.devices[row.DeviceID].Restored {
		return Claim{Verdict: Wait, Progress: progress, Obstacle: ObstacleRestored}, nil
	}
	if state, reason := row.endsUnsent(c.at); state != "" {
		progress.State = state
		return Claim{Verdict: Recorded, Progress: progress},
			finishRecipient(c.tx, row.CampaignID, row.ContactID, state, reason, c.at)
	}
	device := c.devices[row.DeviceID]
	obstacle, wait, err := c.obstacle(row, device)
	if err != nil || obstacle != "" {
		return Claim{Verdict: Wait, Progress: progress, Obstacle: obstacle, Wait: wait}, err
	}
	if row.MessageType == campaign.Message1 {
		device.LastMessage1At, device.changed = &c.at, true
	}
	device.used.InFlight++
	c.granted = append(c.granted, row.MessageID)
	row.Attempts, row.ClaimedAt = row.Attempts+1, &c.at
	granted := row.unsettled(progress, c.at)
	granted.Verdict = Granted
	granted.Text = campaign.Render(row.Text, textVariables(row.Variables))
	granted.MediaURL = row.MediaURL
	return granted, nil
}

// obstacle says what keeps a message that may be sent from leaving now, if
// anything, and for how long. A reply's Message 2 knows neither pauses nor hours
// nor pacing.
func (c *claiming) obstacle(row claimRow, device *claimedDevice) (Obstacle, time.Duration, error) {
	if device.Halted {
		return ObstacleHalted, 0, nil
	}
	if row.MessageType == campaign.Message1 {
		if row.CampaignStatus == campaign.Paused {
			return ObstaclePaused, 0, nil
		}
		if wait := c.rules.Hours.UntilOpen(c.at); wait > 0 {
			return ObstacleHours, wait, nil
		}
		if wait := c.paced(row, device.deviceRow, c.at); wait > 0 {
			return ObstaclePace, wait, nil
		}
	}
	if device.used == nil {
		used, err := c.sendable(c.tx, row.DeviceID, c.at)
		if err != nil {
			return "", 0, err
		}
		device.used = &used
	}
	if c.rules.Quota.MayLeave(device.used.Usage) {
		return "", 0, nil
	}
	return ObstacleQuota, c.untilRoom(*device.used, c.at), nil
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
func (row claimRow) endsUnsent(at time.Time) (campaign.RecipientState, campaign.Reason) {
	state := campaign.NotSent
	if row.MessageType == campaign.Message2 {
		state = campaign.Stopped
	}
	switch {
	case row.CampaignStatus == campaign.Cancelled:
		return state, campaign.ReasonCancelled
	case row.OptedOut:
		return state, campaign.ReasonOptedOut
	case !row.ContactExists:
		return state, campaign.ReasonContactDeleted
	case row.TextsRemoved, // a reply that came to light long after the campaign
		row.MessageType == campaign.Message1 && (row.CampaignStatus == campaign.Completed || !at.Before(row.DeadlineAt)):
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
