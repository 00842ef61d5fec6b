package activities

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/sony/gobreaker/v2"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
	"github.com/relance/relance/telemetry"
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
		var errands []errand
		for _, contactID := range in.Contacts[at:min(at+aheadAtOnce, len(in.Contacts))] {
			key := store.MessageKey{CampaignID: in.CampaignID, ContactID: contactID, Type: campaign.Message1}
			errands = append(errands, errand{key: key, cause: ctx})
		}
		fair, err := a.sendAhead(ctx, errands, func(e errand, rest time.Duration) {
			if rest > 0 {
				result.Rests[e.key.ContactID] = rest
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

// errand is a message that is to leave ahead.
type errand struct {
	key store.MessageKey
	// cause is what it leaves on account of, for traces and logs alone.
	cause context.Context //nolint:containedctx // it waits in a queue
}

// sendAhead sends those of the messages that may leave now, and returns when all
// are settled as far as they can be. Of each it tells ended when nothing more is
// done about it here, and how long it should rest. fair tells whether all went well.
func (a *Activities) sendAhead(ctx context.Context, errands []errand, ended func(errand, time.Duration)) (fair bool, err error) {
	if a.Breaker.circuit.State() != gobreaker.StateClosed {
		endAll(errands, ended)
		return false, nil
	}
	began := time.Now()
	claims, err := a.claimAll(ctx, errands)
	if err != nil {
		endAll(errands, ended)
		return false, err
	}
	var flights []flight
	for i, claim := range claims {
		if claim.Verdict == store.Granted {
			flights = append(flights, flight{errand: errands[i], claim: claim, began: began})
		} else {
			ended(errands[i], 0)
		}
	}
	return a.fly(ctx, flights, ended)
}

func (a *Activities) claimAll(ctx context.Context, errands []errand) (claims []store.Claim, err error) {
	told := startShared("claim", errands)
	defer func() { told(err) }()
	keys := make([]store.MessageKey, len(errands))
	for i, e := range errands {
		keys[i] = e.key
	}
	return a.Store.ClaimAll(ctx, keys)
}

func endAll(errands []errand, ended func(errand, time.Duration)) {
	for _, e := range errands {
		ended(e, 0)
	}
}

// flight is a message that is claimed and leaves.
type flight struct {
	errand
	claim    store.Claim
	began    time.Time
	accepted wassenger.Accepted
	err      error
}

// fly makes the requests side by side and settles what was accepted together with
// whatever else has been by then.
func (a *Activities) fly(ctx context.Context, flights []flight, ended func(errand, time.Duration)) (fair bool, err error) {
	landed := make(chan flight, len(flights))
	for _, f := range flights {
		go func() {
			f.accepted, f.err = a.request(telemetry.Because(ctx, f.cause), f.key, f.claim, f.began)
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
func (a *Activities) land(ctx context.Context, arrived []flight, ended func(errand, time.Duration)) (fair bool, err error) {
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
		progress, settleErr := a.settleFailure(telemetry.Because(ctx, f.cause), f.claim, f.err)
		var rest time.Duration
		switch {
		case settleErr != nil:
			err = errors.Join(err, settleErr)
		case progress.State.Final():
			a.Metrics.ended(f.key.Type, progress.State)
		case wassenger.ClassOf(f.err) != wassenger.Halted:
			rest = a.delay(f.err, f.claim.Attempt)
		}
		ended(f.errand, rest)
	}
	if len(accepted) == 0 {
		return fair, err
	}
	// They have left: that must be recorded even if the caller has given up.
	settling, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.SendTimeout)
	defer cancel()
	settled := make([]errand, len(sent))
	for i, f := range sent {
		settled[i] = f.errand
	}
	told := startShared("settle", settled)
	_, settleErr := a.Store.SettleAllSent(settling, accepted)
	told(settleErr)
	for _, f := range sent {
		if settleErr == nil {
			a.Metrics.sent(f.key.Type, f.claim.ReplyAge, f.began)
		}
		ended(f.errand, 0)
	}
	return fair, errors.Join(err, settleErr)
}
