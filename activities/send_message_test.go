package activities_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/relance/relance/activities"
	"github.com/relance/relance/campaign"
	"github.com/relance/relance/devstack/testenv"
	"github.com/relance/relance/migrations"
	"github.com/relance/relance/store"
	"github.com/relance/relance/wassenger"
	"github.com/relance/relance/wassenger/simulator"
)

func TestMain(m *testing.M) { testenv.Main(m) }

const (
	device  = "64a1b2c3d4e5f60718293a4b"
	token   = "provider-token"
	timeout = 300 * time.Millisecond
)

// sender is the activity SendMessage on a real database and the simulated
// provider, for one admitted contact.
type sender struct {
	t         *testing.T
	store     *store.Store
	simulator *simulator.Simulator
	in        activities.SendMessageInput
}

func newSender(t *testing.T) sender {
	t.Helper()
	rules := campaign.DefaultRules()
	rules.SendSettle, rules.SendBackoff = 200*time.Millisecond, 10*time.Millisecond
	s, err := store.Open(t.Context(), testenv.Database(t, migrations.UpAt), store.Options{DeviceID: device, Rules: rules})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	sim, err := simulator.New(simulator.Config{Token: token, DeviceID: device, DevicePhone: "+33639989999", Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- sim.Serve(ctx, "127.0.0.1:0") }()
	t.Cleanup(func() {
		require.NoError(t, sim.Close())
		cancel()
		require.NoError(t, <-ended)
	})
	require.Eventually(t, func() bool { return sim.Addr() != "" }, 10*time.Second, time.Millisecond)

	contact := uuid.New()
	_, err = s.Pool().Exec(`INSERT INTO contacts (id, phone, name) VALUES ($1, '+33639980000', 'Ana')`, contact)
	require.NoError(t, err)
	now := time.Now()
	c := store.Campaign{Name: "Test", Status: campaign.Scheduled, ScheduledAt: &now, Message1: "Hello {{name}}", Message2: "Thanks", ContactIDs: store.UUIDs{contact}}
	require.NoError(t, s.CreateCampaign(t.Context(), &c))
	_, err = s.FreezeAudience(t.Context(), c.ID)
	require.NoError(t, err)
	_, err = s.Admit(t.Context(), c.ID, 1, 1, 10)
	require.NoError(t, err)
	return sender{t: t, store: s, simulator: sim, in: activities.SendMessageInput{CampaignID: c.ID, ContactID: contact, Type: campaign.Message1}}
}

// worker is one worker's activities; nil transport is the client's own.
func (s sender) worker(transport http.RoundTripper) *activities.Activities {
	s.t.Helper()
	options := wassenger.Options{BaseURL: "http://" + s.simulator.Addr() + "/v1", Token: token, DeviceID: device, Timeout: timeout}
	if transport != nil {
		options.HTTPClient = &http.Client{Transport: transport}
	}
	provider, err := wassenger.New(options)
	require.NoError(s.t, err)
	return &activities.Activities{Store: s.store, Provider: provider, Breaker: activities.NewBreaker(s.store.Rules()), SendTimeout: timeout}
}

// untilDone runs the activity as Temporal does: again after each error, after
// the delay that the error asks for. One that asks for none, as of a database that
// took too long, waits as the policy says.
func (s sender) untilDone(a *activities.Activities) activities.SendMessageResult {
	s.t.Helper()
	for {
		result, err := a.SendMessage(s.t.Context(), s.in)
		if err == nil {
			return result
		}
		rest := 100 * time.Millisecond
		var again *temporal.ApplicationError
		if errors.As(err, &again) {
			require.False(s.t, again.NonRetryable(), "%v", err)
			rest = again.NextRetryDelay()
		}
		select {
		case <-time.After(rest):
		case <-s.t.Context().Done():
			s.t.Fatal("the message was never decided")
		}
	}
}

// reply lets the contact answer in time.
func (s sender) reply() {
	s.t.Helper()
	_, err := s.store.Apply(s.t.Context(), campaign.Event{
		Kind: campaign.EventReply, Name: "message:in:new", Key: uuid.NewString(), Phone: "+33639980000", Interaction: campaign.Text, Body: "Oui",
	}, time.Now())
	require.NoError(s.t, err)
}

// frozen stands for a worker that is stopped between its claim and its call, and
// thaws so late that it does not even notice that its context has ended.
type frozen struct {
	asleep chan struct{}
	thaw   chan struct{}
}

func (f frozen) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost {
		close(f.asleep)
		<-f.thaw
		r = r.WithContext(context.WithoutCancel(r.Context()))
	}
	return http.DefaultTransport.RoundTrip(r)
}

func TestWorkerThatThawsAfterTheNextAttemptHasRunSendsNothing(t *testing.T) {
	s := newSender(t)
	cold := frozen{asleep: make(chan struct{}), thaw: make(chan struct{})}
	first := make(chan error, 1)
	go func() {
		_, err := s.worker(cold).SendMessage(t.Context(), s.in)
		first <- err
	}()
	<-cold.asleep

	require.Equal(t, campaign.Message1Sent, s.untilDone(s.worker(nil)).State)
	close(cold.thaw)
	require.Error(t, <-first)

	require.Len(t, s.simulator.Ledger().Messages, 1)
	require.Equal(t, campaign.Message1Sent, s.untilDone(s.worker(nil)).State)
}

func TestAcceptedMessageWhoseAnswerWasLostIsAdoptedAndNotSentAgain(t *testing.T) {
	for _, fault := range []simulator.Fault{simulator.TimeoutAfterAccept, simulator.ErrorAfterAccept, simulator.ResetAfterAccept} {
		t.Run(string(fault), func(t *testing.T) {
			s := newSender(t)
			require.NoError(t, s.simulator.FailNext(fault, 1))
			require.Equal(t, campaign.Message1Sent, s.untilDone(s.worker(nil)).State)
			require.Len(t, s.simulator.Ledger().Messages, 1)
		})
	}
}

func TestMessageThatNeverArrivedIsSentAgain(t *testing.T) {
	for _, fault := range []simulator.Fault{simulator.TimeoutBeforeAccept, simulator.ErrorBeforeAccept, simulator.ResetBeforeAccept, simulator.RateLimited} {
		t.Run(string(fault), func(t *testing.T) {
			s := newSender(t)
			require.NoError(t, s.simulator.SetFaults(simulator.Faults{RetryAfterSeconds: 1}))
			require.NoError(t, s.simulator.FailNext(fault, 1))
			require.Equal(t, campaign.Message1Sent, s.untilDone(s.worker(nil)).State)
			require.Len(t, s.simulator.Ledger().Messages, 1)
		})
	}
}

func TestMessageFailsWhenEveryAttemptIsTurnedAway(t *testing.T) {
	s := newSender(t)
	require.NoError(t, s.simulator.SetFaults(simulator.Faults{RateLimited: 1, RetryAfterSeconds: 1}))
	require.Equal(t, campaign.Failed, s.untilDone(s.worker(nil)).State)
	require.Empty(t, s.simulator.Ledger().Messages)
}

func TestNumberUnknownToWhatsAppIsNotTriedAgain(t *testing.T) {
	s := newSender(t)
	require.NoError(t, s.simulator.SetFaults(simulator.Faults{UnknownPhones: []string{"+33639980000"}}))
	require.Equal(t, campaign.NotSent, s.untilDone(s.worker(nil)).State)
}
