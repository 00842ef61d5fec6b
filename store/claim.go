package store

import (
	"context"
	"maps"
	"slices"
	"strings"
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
	// ObstacleRestored: an older database was restored; see [ErrRestored].
	ObstacleRestored Obstacle = "the restored database to be reconciled"

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

// Claim decides, in one transaction under the locks of the device and the
// recipient, whether a message may leave now (Properties 4, 5 and 10).
// At most one caller is ever granted a message that has not been released.
func (s *Store) Claim(ctx context.Context, key MessageKey) (Claim, error) {
	claims, err := s.ClaimAll(ctx, []MessageKey{key})
	if err != nil {
		return Claim{}, err
	}
	return claims[0], nil
}

// ClaimAll decides about several different messages at once, in their order, as
// [Store.Claim] would about one after the other, for little more than the price of
// one. One message of a recipient that does not exist is [ErrNotFound] for all.
func (s *Store) ClaimAll(ctx context.Context, keys []MessageKey) ([]Claim, error) {
	claims := make([]Claim, len(keys))
	err := s.transaction(ctx, "claiming messages", func(tx *gorm.DB) error {
		c := claiming{Store: s, tx: tx, keys: keys, devices: map[string]*claimedDevice{}}
		if err := c.lockDevices(); err != nil {
			return err
		}
		rows, err := c.lockMessages()
		if err != nil {
			return err
		}
		if c.at, err = now(tx); err != nil {
			return err
		}
		for i, key := range keys {
			if row, ok := rows[key]; ok {
				claims[i], err = c.decide(row)
			} else {
				claims[i], err = nothingOwed(tx, key, c.at)
			}
			if err != nil {
				return err
			}
		}
		return c.record()
	})
	return claims, err
}

// claiming is one transaction that decides about messages.
type claiming struct {
	*Store
	tx      *gorm.DB
	keys    []MessageKey
	at      time.Time
	devices map[string]*claimedDevice
	granted UUIDs
}

// claimedDevice is a locked device with what has been granted so far counted in.
type claimedDevice struct {
	deviceRow
	used    *deviceUsage // nil until somebody asks
	changed bool         // a Message 1 was granted
}

// lockDevices locks the devices in the order of their ids, as everybody does who
// locks several.
func (c *claiming) lockDevices() error {
	var ids []string
	if err := c.tx.Raw(`SELECT DISTINCT r.device_id FROM `+wanted+` JOIN recipients r USING (campaign_id, contact_id) ORDER BY 1`,
		c.values()).Scan(&ids).Error; err != nil {
		return err
	}
	for _, id := range ids {
		row, err := lockDevice(c.tx, id)
		if err != nil {
			return err
		}
		c.devices[id] = &claimedDevice{deviceRow: row}
	}
	return nil
}

// wanted are the messages that are to be decided about, as a table.
const wanted = `unnest(CAST(@campaigns AS uuid[]), CAST(@contacts AS uuid[]), string_to_array(@types, ',')) AS wanted (campaign_id, contact_id, message_type)`

func (c *claiming) values() map[string]any {
	campaigns, contacts, types := make(UUIDs, len(c.keys)), make(UUIDs, len(c.keys)), make([]string, len(c.keys))
	for i, key := range c.keys {
		campaigns[i], contacts[i], types[i] = key.CampaignID, key.ContactID, string(key.Type)
	}
	return map[string]any{"campaigns": campaigns, "contacts": contacts, "types": strings.Join(types, ",")}
}

// lockMessages locks the messages that somebody has decided to send.
func (c *claiming) lockMessages() (map[MessageKey]claimRow, error) {
	var rows []claimRow
	if err := c.tx.Raw(`
		SELECT r.campaign_id, r.contact_id, m.message_type, m.id AS message_id, m.status, m.attempts, m.claimed_at, r.device_id,
		       r.phone, r.variables, r.state, r.window_ends_at, r.not_before,
		       c.status AS campaign_status, c.deadline_at, c.texts_removed_at IS NOT NULL AS texts_removed,
		       CASE m.message_type WHEN 'message_1' THEN c.message_1 ELSE c.message_2 END AS text,
		       CASE m.message_type WHEN 'message_1' THEN c.message_1_media_url ELSE c.message_2_media_url END AS media_url,
		       -- an erased recipient has no number, even if the contact has another one
		       k.id IS NOT NULL AND r.phone <> '' AS contact_exists,
		       -- by number too: a contact that is just being imported does not hear of it
		       k.opted_out_at IS NOT NULL OR EXISTS (SELECT FROM opt_outs o WHERE o.phone = r.phone) AS opted_out,
		       CASE m.message_type WHEN 'message_2' THEN (
		           SELECT min(i.received_at) FROM interactions i
		           WHERE i.campaign_id = r.campaign_id AND i.contact_id = r.contact_id AND i.within_24h) END AS earned_at
		FROM `+wanted+`
		JOIN recipients r USING (campaign_id, contact_id)
		JOIN campaigns c ON c.id = r.campaign_id
		JOIN messages m ON m.campaign_id = r.campaign_id AND m.contact_id = r.contact_id AND m.message_type = wanted.message_type
		LEFT JOIN contacts k ON k.id = r.contact_id
		ORDER BY r.campaign_id, r.contact_id
		FOR SHARE OF c FOR UPDATE OF r, m`, c.values()).Scan(&rows).Error; err != nil {
		return nil, err
	}
	byKey := make(map[MessageKey]claimRow, len(rows))
	for _, row := range rows {
		byKey[MessageKey{CampaignID: row.CampaignID, ContactID: row.ContactID, Type: row.MessageType}] = row
	}
	return byKey, nil
}

// nothingOwed answers a claim for a message that nobody has decided to send.
func nothingOwed(tx *gorm.DB, key MessageKey, at time.Time) (Claim, error) {
	var row claimRow
	err := first(tx, &row, `SELECT state, window_ends_at FROM recipients WHERE campaign_id = ? AND contact_id = ?`,
		key.CampaignID, key.ContactID)
	return Claim{Verdict: Recorded, Progress: Progress{State: row.State, WindowLeft: windowLeft(row.WindowEndsAt, at)}}, err
}

// record writes down what has been granted.
func (c *claiming) record() error {
	if len(c.granted) == 0 {
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(c.devices)) {
		if c.devices[id].changed {
			if err := c.tx.Exec(`UPDATE devices SET last_message_1_at = ? WHERE id = ?`, c.at, id).Error; err != nil {
				return err
			}
		}
	}
	return c.tx.Exec(`
		UPDATE messages SET status = 'sending', attempts = attempts + 1, claimed_at = ?, absent_since = NULL
		WHERE id = ANY (?::uuid[])`, c.at, c.granted).Error
}
