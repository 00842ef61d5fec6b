package activities

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
	"github.com/relance/relance/telemetry"
	"github.com/relance/relance/wassenger"
)

// SendMessageInput names the message to send.
type SendMessageInput struct {
	CampaignID uuid.UUID            `json:"campaign_id"`
	ContactID  uuid.UUID            `json:"contact_id"`
	Type       campaign.MessageType `json:"type"`
}

// SendMessageResult tells what came of it.
type SendMessageResult struct {
	// State is the recipient's, after whatever was decided.
	State campaign.RecipientState `json:"state"`
	// WindowLeft is how long the reply window stays open.
	WindowLeft time.Duration `json:"window_left,omitempty"`
	// Obstacle says why the message may not leave yet; empty when it is decided.
	Obstacle store.Obstacle `json:"obstacle,omitempty"`
	// Wait is when to ask again about the obstacle; 0 when only an admin can remove it.
	Wait time.Duration `json:"wait,omitempty"`
}

// SendMessage brings one message to an end: claim, call, settle. It returns an
// error only where trying again shortly is right, and the error then carries
// the delay. A message whose earlier outcome is unknown is looked up before
// anything is sent again, so a message leaves at most once.
func (a *Activities) SendMessage(ctx context.Context, in SendMessageInput) (SendMessageResult, error) {
	defer alive(ctx)()
	if in.Type == campaign.Message2 {
		defer a.guardAnswer(ctx, in.CampaignID, in.ContactID)()
	}
	began := time.Now()
	key := store.MessageKey{CampaignID: in.CampaignID, ContactID: in.ContactID, Type: in.Type}
	claim, err := a.claim(ctx, key)
	if err != nil {
		return SendMessageResult{}, storeError(err)
	}
	switch claim.Verdict {
	case store.Wait:
		result := resultOf(claim.Progress)
		result.Obstacle, result.Wait = claim.Obstacle, claim.Wait
		return result, nil
	case store.Recorded:
		return resultOf(claim.Progress), nil
	case store.Unsettled:
		return a.lookUp(ctx, key, claim, began)
	default:
		return a.call(ctx, key, claim, began)
	}
}

func (a *Activities) claim(ctx context.Context, key store.MessageKey) (claim store.Claim, err error) {
	ctx, span := telemetry.Start(ctx, "claim", about(key)...)
	defer func() { telemetry.End(span, err) }()
	return a.Store.Claim(ctx, key)
}

func resultOf(progress store.Progress) SendMessageResult {
	return SendMessageResult{State: progress.State, WindowLeft: progress.WindowLeft}
}

// call makes the one request that a granted claim allows, and settles.
func (a *Activities) call(ctx context.Context, key store.MessageKey, claim store.Claim, began time.Time) (SendMessageResult, error) {
	accepted, err := a.request(ctx, key, claim, began)
	if err == nil {
		return a.adopt(ctx, key, claim, began, store.Acceptance{MessageID: claim.MessageID, ProviderID: accepted.ProviderID, WAID: accepted.WAID})
	}
	progress, decideErr := a.settleFailure(ctx, claim, err)
	if decideErr != nil {
		return SendMessageResult{}, storeError(decideErr)
	}
	if progress.State.Final() {
		a.Metrics.ended(key.Type, progress.State)
		return resultOf(progress), nil
	}
	if wassenger.ClassOf(err) == wassenger.Halted {
		result := resultOf(progress)
		result.Obstacle = store.ObstacleHalted
		return result, nil
	}
	return SendMessageResult{}, retryAfter(err, a.delay(err, claim.Attempt))
}

// request asks the provider to send a message whose claim was granted.
func (a *Activities) request(ctx context.Context, key store.MessageKey, claim store.Claim, began time.Time) (wassenger.Accepted, error) {
	// Counted from before the claim: once the claim is SendTimeout old on the
	// database's clock, this attempt can no longer send anything, however long it
	// was frozen, and look-ups may conclude that it never will.
	notAfter := began.Add(a.SendTimeout)
	return a.send(ctx, key, wassenger.Outgoing{
		DeviceID: claim.DeviceID, Phone: claim.Phone, Text: claim.Text, MediaURL: claim.MediaURL,
		Reference: claim.MessageID.String(), Urgent: key.Type == campaign.Message2, NotAfter: notAfter,
	})
}

// settleFailure records what a failed call means for the message.
func (a *Activities) settleFailure(ctx context.Context, claim store.Claim, err error) (progress store.Progress, settleErr error) {
	ctx, span := telemetry.Start(ctx, "settle", telemetry.MessageID(claim.MessageID))
	defer func() { telemetry.End(span, settleErr) }()
	switch wassenger.ClassOf(err) {
	case wassenger.Rejected:
		return a.Store.SettleRefused(ctx, claim.MessageID, claim.Token, refusal(err))
	case wassenger.Halted:
		return a.Store.HaltDevice(ctx, claim.MessageID, claim.Token, err.Error())
	case wassenger.Retry:
		return a.Store.Release(ctx, claim.MessageID, claim.Token, true, err.Error())
	case wassenger.Down:
		return a.Store.Release(ctx, claim.MessageID, claim.Token, false, err.Error())
	default: // Unknown: the message stays claimed until a look-up tells
		return claim.Progress, nil
	}
}

// lookUp settles a message whose outcome is unknown by asking the provider for
// its reference.
func (a *Activities) lookUp(ctx context.Context, key store.MessageKey, claim store.Claim, began time.Time) (SendMessageResult, error) {
	lookedUpAt := time.Now()
	found, ok, err := a.find(ctx, claim.MessageID)
	if err != nil {
		progress, gaveUp, storeErr := a.Store.GiveUp(ctx, claim.MessageID, claim.Token)
		if gaveUp {
			a.Metrics.count(key.Type, outcomeUnknown)
		}
		if storeErr != nil || gaveUp {
			return resultOf(progress), storeError(storeErr)
		}
		return SendMessageResult{}, retryAfter(err, a.Store.Rules().SendSettle/4)
	}
	if ok {
		return a.adopt(ctx, key, claim, began, store.Acceptance{MessageID: claim.MessageID, ProviderID: found.ProviderID, WAID: found.WAID, CreatedAt: found.CreatedAt})
	}
	if claim.Age < a.SendTimeout {
		// The request itself may still be on its way: its absence proves nothing yet.
		return SendMessageResult{}, retryAfter(errOutcomeUnknown, a.SendTimeout-claim.Age)
	}
	progress, wait, err := a.Store.LookedUpAbsent(ctx, claim.MessageID, claim.Token, time.Since(lookedUpAt))
	if err != nil {
		return SendMessageResult{}, storeError(err)
	}
	if progress.State.Final() {
		a.Metrics.ended(key.Type, progress.State)
		return resultOf(progress), nil
	}
	return SendMessageResult{}, retryAfter(errOutcomeUnknown, wait)
}

func (a *Activities) adopt(ctx context.Context, key store.MessageKey, claim store.Claim, began time.Time, accepted store.Acceptance) (result SendMessageResult, err error) {
	ctx, span := telemetry.Start(ctx, "settle", telemetry.MessageID(claim.MessageID))
	defer func() { telemetry.End(span, err) }()
	// The message has left: that must be recorded even if the caller has given up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.SendTimeout)
	defer cancel()
	progress, err := a.Store.SettleSent(ctx, accepted)
	if err == nil {
		a.Metrics.sent(key.Type, claim.ReplyAge, began)
	}
	return resultOf(progress), storeError(err)
}
