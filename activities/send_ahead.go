package activities

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/sony/gobreaker/v2"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
	"github.com/relance/relance/wassenger"
)

// Sending ahead is a short cut for fair weather: several messages are claimed
// together and leave before any contact's workflow has asked for them. The claim
// alone decides who sends, so nothing can leave twice. Whatever is not done here,
// because a message has to wait, the provider is in trouble or the process dies,
// each contact's own [Activities.SendMessage] does.

const (
	// aheadAtOnce is how many messages are claimed together and leave side by side.
	aheadAtOnce = 50
	// aheadBudget is for how long messages are claimed ahead; a provider that makes
	// it last longer is left to the contacts.
	aheadBudget = 10 * time.Second
	// AheadTimeout bounds it all, and leaves room for the last requests and for settling.
	AheadTimeout = 35 * time.Second
)

// SendWaveInput names the contacts that were admitted together.
type SendWaveInput struct {
	CampaignID uuid.UUID   `json:"campaign_id"`
	Contacts   []uuid.UUID `json:"contacts"`
}

// SendWaveResult tells whose attempt failed, and how long each of them should rest
// before the next one, or before it is looked up what became of it.
type SendWaveResult struct {
	Rests map[uuid.UUID]time.Duration `json:"rests,omitempty"`
}

// SendWave sends Message 1 to contacts ahead of their workflows, as far as that
// goes at once.
func (a *Activities) SendWave(ctx context.Context, in SendWaveInput) (SendWaveResult, error) {
	result := SendWaveResult{Rests: map[uuid.UUID]time.Duration{}}
	if !a.Ahead {
		return result, nil
	}
	began := time.Now()
	for at := 0; at < len(in.Contacts) && time.Since(began) < aheadBudget; at += aheadAtOnce {
		var keys []store.MessageKey
		for _, contactID := range in.Contacts[at:min(at+aheadAtOnce, len(in.Contacts))] {
			keys = append(keys, store.MessageKey{CampaignID: in.CampaignID, ContactID: contactID, Type: campaign.Message1})
		}
		fair, err := a.sendAhead(ctx, keys, func(key store.MessageKey, rest time.Duration) {
			if rest > 0 {
				result.Rests[key.ContactID] = rest
			}
		})
		if err != nil {
			return result, storeError(err)
		}
		if !fair {
			break
		}
	}
	return result, nil
}

// sendAhead sends those of the messages that may leave now, and returns when all
// are settled as far as they can be. Of each it tells ended when nothing more is
// done about it here, and how long it should rest. fair tells whether all went well.
func (a *Activities) sendAhead(ctx context.Context, keys []store.MessageKey, ended func(store.MessageKey, time.Duration)) (fair bool, err error) {
	if a.Breaker.circuit.State() != gobreaker.StateClosed {
		endAll(keys, ended)
		return false, nil
	}
	began := time.Now()
	claims, err := a.Store.ClaimAll(ctx, keys)
	if err != nil {
		endAll(keys, ended)
		return false, err
	}
	var flights []flight
	for i, claim := range claims {
		if claim.Verdict == store.Granted {
			flights = append(flights, flight{key: keys[i], claim: claim, began: began})
		} else {
			ended(keys[i], 0)
		}
	}
	return a.fly(ctx, flights, ended)
}

func endAll(keys []store.MessageKey, ended func(store.MessageKey, time.Duration)) {
	for _, key := range keys {
		ended(key, 0)
	}
}

// flight is a message that is claimed and leaves.
type flight struct {
	key      store.MessageKey
	claim    store.Claim
	began    time.Time
	accepted wassenger.Accepted
	err      error
}

// fly makes the requests side by side and settles what was accepted together with
// whatever else has been by then.
func (a *Activities) fly(ctx context.Context, flights []flight, ended func(store.MessageKey, time.Duration)) (fair bool, err error) {
	landed := make(chan flight, len(flights))
	for _, f := range flights {
		go func() {
			f.accepted, f.err = a.request(ctx, f.key.Type, f.claim, f.began)
			landed <- f
		}()
	}
	fair = true
	var errs []error
	for left := len(flights); left > 0; {
		arrived := []flight{<-landed}
		for more := true; more && len(arrived) < left; {
			select {
			case f := <-landed:
				arrived = append(arrived, f)
			default:
				more = false
			}
		}
		left -= len(arrived)
		fine, err := a.land(ctx, arrived, ended)
		fair = fair && fine
		errs = append(errs, err)
	}
	return fair, errors.Join(errs...)
}

// land settles flights.
func (a *Activities) land(ctx context.Context, arrived []flight, ended func(store.MessageKey, time.Duration)) (fair bool, err error) {
	fair = true
	var accepted []store.Acceptance
	var sent []flight
	for _, f := range arrived {
		if f.err == nil {
			sent = append(sent, f)
			accepted = append(accepted, store.Acceptance{MessageID: f.claim.MessageID, ProviderID: f.accepted.ProviderID, WAID: f.accepted.WAID})
			continue
		}
		fair = fair && wassenger.ClassOf(f.err) == wassenger.Rejected
		progress, settleErr := a.settleFailure(ctx, f.claim, f.err)
		var rest time.Duration
		switch {
		case settleErr != nil:
			err = errors.Join(err, settleErr)
		case progress.State.Final():
			a.Metrics.ended(f.key.Type, progress.State)
		case wassenger.ClassOf(f.err) != wassenger.Halted:
			rest = a.delay(f.err, f.claim.Attempt)
		}
		ended(f.key, rest)
	}
	if len(accepted) == 0 {
		return fair, err
	}
	// They have left: that must be recorded even if the caller has given up.
	settling, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.SendTimeout)
	defer cancel()
	_, settleErr := a.Store.SettleAllSent(settling, accepted)
	for _, f := range sent {
		if settleErr == nil {
			a.Metrics.sent(f.key.Type, f.claim.ReplyAge, f.began)
		}
		ended(f.key, 0)
	}
	return fair, errors.Join(err, settleErr)
}
