package activities

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/sony/gobreaker/v2"
	"go.opentelemetry.io/otel/attribute"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
	"github.com/relance/relance/telemetry"
	"github.com/relance/relance/wassenger"
)

// Breaker keeps messages from trying while the provider as a whole is away: they
// wait without using attempts.
type Breaker struct {
	circuit *gobreaker.TwoStepCircuitBreaker[wassenger.Accepted]
	pause   time.Duration
}

const (
	// tripAfter calls in a row without a readable answer, the breaker opens,
	tripAfter = 5
	// and then lets this many at once find out whether the provider is back.
	probesAtOnce = 3
)

// NewBreaker makes the breaker of one device. Open, it lets calls try again
// after two back-offs.
func NewBreaker(rules campaign.Rules) *Breaker {
	pause := 2 * rules.SendBackoff
	return &Breaker{pause: pause, circuit: gobreaker.NewTwoStepCircuitBreaker[wassenger.Accepted](gobreaker.Settings{
		Name:         "provider",
		MaxRequests:  probesAtOnce,
		Timeout:      pause,
		ReadyToTrip:  func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= tripAfter },
		IsSuccessful: answers,
	})}
}

// answers holds for everything that shows the provider at work, refusals too.
func answers(err error) bool {
	switch wassenger.ClassOf(err) {
	case wassenger.Down, wassenger.Unknown:
		return false
	}
	return true
}

// send and find are the provider's calls behind the breaker. While it is open
// they fail at once as [wassenger.Down]: nothing has left.

func (a *Activities) send(ctx context.Context, key store.MessageKey, message wassenger.Outgoing) (wassenger.Accepted, error) {
	done, err := a.Breaker.circuit.Allow()
	if err != nil {
		return wassenger.Accepted{}, &wassenger.Error{Op: "send", Class: wassenger.Down}
	}
	ctx, span := telemetry.StartCall(ctx, "POST provider/messages", append(about(key), attribute.String("relance.message_id", message.Reference))...)
	accepted, err := a.Provider.Send(ctx, message)
	endCall(span, err)
	done(err)
	return accepted, err
}

func (a *Activities) find(ctx context.Context, id uuid.UUID) (wassenger.Accepted, bool, error) {
	done, err := a.Breaker.circuit.Allow()
	if err != nil {
		return wassenger.Accepted{}, false, &wassenger.Error{Op: "look-up", Class: wassenger.Down}
	}
	ctx, span := telemetry.StartCall(ctx, "GET provider/messages", telemetry.MessageID(id))
	found, ok, err := a.Provider.FindByReference(ctx, id.String())
	endCall(span, err)
	done(err)
	return found, ok, err
}
