package store

import (
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/relance/relance/campaign"
)

// applyReply records an inbound message and decides what it earns, under the
// lock of the recipient's row. It is judged by when it was taken in, on the
// database's clock: whatever delays its application, such as a process that
// died, costs nobody a Message 2.
func (s *Store) applyReply(tx *gorm.DB, event campaign.Event, receivedAt time.Time) (Effect, error) {
	recipient, err := repliedTo(tx, event, receivedAt)
	switch {
	case errors.Is(err, ErrNotFound):
		return strangersReply(tx, event)
	case errors.Is(err, errInDoubt):
		return Effect{Outcome: "reply that waits until it is known what it answers", Doubtful: true}, nil
	case err != nil:
		return Effect{}, err
	}
	row, err := lockMessage1(tx, recipient)
	if err != nil {
		return Effect{}, err
	}
	at, err := now(tx)
	if err != nil {
		return Effect{}, err
	}
	if row.SentAt == nil && row.ClaimedAt != nil {
		// Nobody answers a message that was not sent.
		if row, err = s.markSent(tx, row, *row.ClaimedAt, at); err != nil {
			return Effect{}, err
		}
	}
	inTime := row.WindowEndsAt != nil && campaign.InWindow(receivedAt, *row.WindowEndsAt)
	isNew, err := recordInteraction(tx, recipient, event, receivedAt, inTime)
	if err != nil {
		return Effect{}, err
	}
	if !isNew {
		return Effect{Outcome: "repeated reply"}, nil
	}
	return react(tx, event, row, inTime, at)
}

// strangersReply keeps nothing of a reply from somebody never messaged but a
// wish to be left alone, or no longer.
func strangersReply(tx *gorm.DB, event campaign.Event) (Effect, error) {
	effect := Effect{Outcome: "reply from somebody never messaged"}
	at, err := now(tx)
	if err != nil {
		return effect, err
	}
	effect.Wake, effect.ContactsChanged, err = applyWish(tx, event, uuid.Nil, at)
	return effect, err
}

// recordInteraction stores a reply, unless it is stored. One that is now known
// to have been taken in earlier counts as new.
func recordInteraction(tx *gorm.DB, recipient Recipient, event campaign.Event, receivedAt time.Time, inTime bool) (isNew bool, err error) {
	id, err := uuid.NewV7()
	if err != nil {
		return false, err
	}
	recorded := tx.Exec(`
		INSERT INTO interactions AS i (id, campaign_id, contact_id, interaction_type, received_at, within_24h, event_key)
		VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (event_key) DO UPDATE SET received_at = excluded.received_at, within_24h = excluded.within_24h
		WHERE excluded.received_at < i.received_at`,
		id, recipient.CampaignID, recipient.ContactID, event.Interaction, receivedAt, inTime, event.Key)
	return recorded.RowsAffected == 1, recorded.Error
}

// react moves the recipient on: the first reply inside the window earns
// Message 2 (Properties 6 and 10), the first one after it is late. Whoever asks
// to be left alone gets nothing more.
func react(tx *gorm.DB, event campaign.Event, row sentRow, inTime bool, at time.Time) (Effect, error) {
	recipient := Recipient{CampaignID: row.CampaignID, ContactID: row.ContactID}
	stopped, changed, err := applyWish(tx, event, row.ContactID, at)
	if err != nil {
		return Effect{}, err
	}
	effect := Effect{Outcome: "further reply", Wake: stopped, ContactsChanged: changed}
	earns := inTime && (row.State.EarnsMessage2() || row.State.CanSettleAs(row.StateReason, campaign.Replied))
	optedOut := campaign.WishOf(event.Body) == campaign.WishOptOut
	switch {
	case earns && optedOut:
		effect.Outcome = "opted out in time"
		return effect, finishRecipient(tx, row.CampaignID, row.ContactID, campaign.Stopped, campaign.ReasonOptedOut, at)
	case earns:
		effect.Outcome, effect.Wake = "reply in time", []Recipient{recipient}
		effect.Revive = row.State != campaign.Message1Sent
		effect.Owed = !effect.Revive
		return effect, owe(tx, row, at)
	case !inTime && row.WindowEndsAt != nil && row.State.CanBecome(campaign.LateInteraction):
		effect.Outcome, effect.Wake = "late reply", append(stopped, recipient)
		return effect, finishRecipient(tx, row.CampaignID, row.ContactID, campaign.LateInteraction, "", at)
	}
	return effect, nil
}

// owe makes a recipient one who is owed Message 2.
func owe(tx *gorm.DB, row sentRow, at time.Time) error {
	if err := tx.Exec(`
		UPDATE recipients SET state = 'replied', state_reason = '', replied_at = ?, finished_at = NULL
		WHERE campaign_id = ? AND contact_id = ?`, at, row.CampaignID, row.ContactID).Error; err != nil {
		return err
	}
	if row.State != campaign.Message1Sent { // it was closed too early
		if err := tx.Exec(`
			UPDATE messages SET status = CASE WHEN read_at IS NOT NULL THEN 'read' WHEN delivered_at IS NOT NULL THEN 'delivered' ELSE 'sent' END
			WHERE id = ? AND status = 'no_interaction'`, row.ID).Error; err != nil {
			return err
		}
	}
	return tx.Exec(`
		INSERT INTO messages (id, campaign_id, contact_id, device_id, message_type)
		SELECT relance_message_id(campaign_id, contact_id, 'message_2'), campaign_id, contact_id, device_id, 'message_2' FROM recipients
		WHERE campaign_id = ? AND contact_id = ?
		ON CONFLICT (campaign_id, contact_id, message_type) DO NOTHING`, row.CampaignID, row.ContactID).Error
}

// errInDoubt says that a reply may answer a message of which it is not known yet
// whether it left, or one of another campaign.
var errInDoubt = errors.New("it is not known yet what the reply answers")

// repliedTo finds whom a reply belongs to: the recipient that it is recorded
// for; else the campaign whose message it quotes; else the newest one with an
// open, unanswered window; else one whose message may just be leaving; else the
// newest one that messaged the contact.
func repliedTo(tx *gorm.DB, event campaign.Event, receivedAt time.Time) (Recipient, error) {
	var recipient Recipient
	err := first(tx, &recipient, `SELECT campaign_id, contact_id FROM interactions WHERE event_key = ?`, event.Key)
	if !errors.Is(err, ErrNotFound) {
		return recipient, err
	}
	if event.QuotedWAID != "" || event.QuotedReference != "" {
		err = first(tx, &recipient, `SELECT campaign_id, contact_id FROM messages WHERE (wa_id = nullif(?, '') OR id = ?) AND NOT erased LIMIT 1`,
			event.QuotedWAID, reference(event.QuotedReference))
		if !errors.Is(err, ErrNotFound) {
			return recipient, err
		}
	}
	if event.Phone == "" {
		return recipient, ErrNotFound
	}
	values := map[string]any{"phones": strings.Join(campaign.PhoneSpellings(event.Phone), ","), "at": receivedAt}
	// Locked as it is found: two replies at once serve two campaigns. A message
	// claimed after the reply was taken in cannot be what it answers.
	err = first(tx, &recipient, theirs+`
		  AND m.claimed_at <= @at AND r.state IN ('message_1_sent', 'no_interaction', 'late_interaction') AND r.window_ends_at > @at
		ORDER BY r.message_1_sent_at DESC
		LIMIT 1 FOR UPDATE OF r, m`, values)
	if !errors.Is(err, ErrNotFound) {
		return recipient, err
	}
	return inDoubtOrNewest(tx, event, values)
}

// theirs are all recipients with the numbers, and their Message 1s. Message 1 is
// told apart by what it is not: of a table that PostgreSQL does not know yet it
// would expect to find next to none, and begin there instead of at the number.
const theirs = `
	SELECT r.campaign_id, r.contact_id
	FROM recipients r JOIN messages m ON m.campaign_id = r.campaign_id AND m.contact_id = r.contact_id AND m.message_type <> 'message_2'
	WHERE r.phone = ANY (string_to_array(@phones, ','))`

// inDoubtOrNewest finds whom a reply belongs to that no open window waits for. A
// message that may just be leaving is proved by it only where there is nothing else
// that it may answer: else it waits until the message's outcome is known. A wish waits
// for nothing, and earns nothing.
func inDoubtOrNewest(tx *gorm.DB, event campaign.Event, values map[string]any) (Recipient, error) {
	var leaving, newest Recipient
	doubt := first(tx, &leaving, theirs+`
		  AND m.claimed_at <= @at AND m.status = 'sending'
		ORDER BY m.claimed_at DESC
		LIMIT 1 FOR UPDATE OF r, m`, values)
	if doubt != nil && !errors.Is(doubt, ErrNotFound) {
		return leaving, doubt
	}
	err := first(tx, &newest, theirs+`
		  AND m.claimed_at IS NOT NULL AND (m.sent_at IS NOT NULL OR m.status = 'unknown')
		ORDER BY m.claimed_at <= @at DESC, m.sent_at IS NOT NULL DESC, coalesce(r.message_1_sent_at, m.claimed_at) DESC
		LIMIT 1`, values)
	switch {
	case doubt != nil:
		return newest, err
	case errors.Is(err, ErrNotFound):
		return leaving, nil
	case err == nil && campaign.WishOf(event.Body) == campaign.NoWish:
		return leaving, errInDoubt
	}
	return newest, err
}

// lockMessage1 locks a recipient and its Message 1.
func lockMessage1(tx *gorm.DB, recipient Recipient) (sentRow, error) {
	return lock(tx, `m.campaign_id = ? AND m.contact_id = ? AND m.message_type = 'message_1'`, recipient.CampaignID, recipient.ContactID)
}
