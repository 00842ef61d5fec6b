package worker_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	tlog "go.temporal.io/sdk/log"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/relance/relance/activities"
	"github.com/relance/relance/campaign"
	"github.com/relance/relance/devstack"
	"github.com/relance/relance/devstack/testenv"
	"github.com/relance/relance/intake"
	"github.com/relance/relance/migrations"
	"github.com/relance/relance/store"
	"github.com/relance/relance/wassenger"
	"github.com/relance/relance/wassenger/simulator"
	"github.com/relance/relance/worker"
)

func TestMain(m *testing.M) {
	if os.Getenv(workerEnv) != "" {
		if err := workerProcess(); err != nil {
			panic(err)
		}
		return
	}
	// Most tests here wait for the clock of their campaign: on two processors a third
	// has room. The flag, if given, is parsed later and wins.
	if err := flag.Set("test.parallel", strconv.Itoa(max(3, runtime.GOMAXPROCS(0)))); err != nil {
		panic(err)
	}
	testenv.Main(m)
}

const (
	device = "64a1b2c3d4e5f60718293a4b"
	token  = "provider-token"
)

// relance is the whole of Relance but its API, against real PostgreSQL, a real
// Temporal server and the simulated provider over HTTP.
type relance struct {
	t         testing.TB
	store     *store.Store
	simulator *simulator.Simulator
	engine    *worker.Engine
	intake    *intake.Intake
	provider  *wassenger.Client
	namespace string
	logger    *slog.Logger
	timeout   time.Duration
	ahead     bool // messages leave before their contacts' workflows ask
	contacts  int  // made so far

	temporal, databaseURL string
	hooks                 string // where webhooks go
	refused               atomic.Int64
}

// patience is how long a test waits for what must happen: Temporal repeats a task
// that a busy machine has lost, which for a send takes 45 seconds.
const patience = 3 * time.Minute

// shrunk are rules in which a day lasts a few seconds, and in which no campaign
// has to be in a hurry.
func shrunk() campaign.Rules {
	r := campaign.DefaultRules()
	r.ReplyWindow, r.Quota.Window, r.Deadline = 4*time.Second, 4*time.Second, patience
	r.SendSettle, r.SendBackoff = 500*time.Millisecond, 50*time.Millisecond
	return r
}

func start(t testing.TB, rules campaign.Rules, configure func(*simulator.Config)) *relance {
	t.Helper()
	return startOn(t, testenv.Temporal(t), testenv.Database(t, migrations.UpAt), rules, configure)
}

// startOn is start on servers that the test can do with as it likes.
func startOn(t testing.TB, temporal *devstack.Temporal, databaseURL string, rules campaign.Rules, configure func(*simulator.Config)) *relance {
	t.Helper()
	r := &relance{
		t: t, timeout: time.Second, logger: slog.New(slog.DiscardHandler),
		temporal: temporal.Address(), databaseURL: databaseURL,
	}
	r.namespace = ownNamespace(t, r.temporal)
	r.connect()
	var err error
	r.store, err = store.Open(t.Context(), r.databaseURL, store.Options{DeviceID: device, Rules: rules})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.store.Close()) })
	key, err := r.store.SealingKey(t.Context())
	require.NoError(t, err)
	seal, err := intake.NewSeal(key)
	require.NoError(t, err)
	r.intake = &intake.Intake{Store: r.store, Workflows: r.engine, Seal: seal, Logger: r.logger}
	r.ahead = os.Getenv("RELANCE_SEND_AHEAD") != "false"

	hooks := httptest.NewServer(http.HandlerFunc(r.webhook))
	t.Cleanup(hooks.Close)
	r.hooks = hooks.URL
	config := simulator.Config{Token: token, DeviceID: device, DevicePhone: "+33639989999", WebhookURL: hooks.URL}
	configure(&config)
	r.simulator, err = simulator.New(config)
	require.NoError(t, err)
	r.background("the provider", func(ctx context.Context) error { return r.simulator.Serve(ctx, "127.0.0.1:0") })
	t.Cleanup(func() { require.NoError(t, r.simulator.Close()) }) // lets hanging requests go
	require.Eventually(t, func() bool { return r.simulator.Addr() != "" }, 10*time.Second, time.Millisecond)
	r.provider, err = wassenger.New(wassenger.Options{BaseURL: "http://" + r.simulator.Addr() + "/v1", Token: token, DeviceID: device, Timeout: r.timeout})
	require.NoError(t, err)
	r.background("the contacts", r.simulator.Run)
	if r.ahead {
		r.answerAhead()
	}
	return r
}

// connect connects to Temporal.
func (r *relance) connect() {
	r.t.Helper()
	c, err := client.Dial(client.Options{HostPort: r.temporal, Namespace: r.namespace, Logger: tlog.NewStructuredLogger(r.logger)})
	require.NoError(r.t, err)
	r.t.Cleanup(c.Close)
	require.NoError(r.t, worker.EnsureSearchAttributes(r.t.Context(), c, r.namespace))
	r.engine = &worker.Engine{Client: c}
}

// answerAhead answers replies at once, as the API's process does.
func (r *relance) answerAhead() {
	answers := activities.NewAnswers(r.activities(), r.logger)
	r.intake.Answers = answers
	r.background("answers", func(ctx context.Context) error {
		answers.Run(ctx)
		return nil
	})
}

// leaveAllToWorkflows is for tests of what happens when nothing is sent ahead, as
// after the death of whoever would have. It comes before the worker's start.
func (r *relance) leaveAllToWorkflows() {
	r.ahead, r.intake.Answers = false, nil
}

func (r *relance) activities() *activities.Activities {
	return &activities.Activities{
		Store: r.store, Provider: r.provider, Breaker: activities.NewBreaker(r.store.Rules()), SendTimeout: r.timeout,
		Workflows: r.engine, Webhooks: r.intake, Ahead: r.ahead,
	}
}

// ownNamespace keeps the workflows of tests that share a server apart, so that
// they can run at once.
func ownNamespace(t testing.TB, address string) string {
	t.Helper()
	name := "test-" + uuid.NewString()
	registerNamespace(t, address, name)
	return name
}

func registerNamespace(t testing.TB, address, name string) {
	t.Helper()
	namespaces, err := client.NewNamespaceClient(client.Options{HostPort: address, Logger: tlog.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	require.NoError(t, err)
	defer namespaces.Close()
	require.NoError(t, namespaces.Register(t.Context(), &workflowservice.RegisterNamespaceRequest{
		Namespace: name, WorkflowExecutionRetentionPeriod: durationpb.New(72 * time.Hour),
	}))
}

// background runs a part until the test ends, and sees to it that it ends.
func (r *relance) background(name string, run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		require.NoError(r.t, <-ended, name)
	}
	r.t.Cleanup(stop)
	return stop
}

func (r *relance) startWorker() (stop func()) { return r.background("the worker", r.worker().Run) }

func (r *relance) worker() *worker.Worker {
	acts := r.activities()
	return &worker.Worker{
		Client: r.engine.Client, Namespace: r.namespace, Logger: r.logger, Activities: acts,
		Dispatcher: &worker.Dispatcher{Store: r.store, Engine: r.engine, Intake: r.intake, SettleUnknown: acts.SettleUnknown, Logger: r.logger},
	}
}

func (r *relance) webhook(w http.ResponseWriter, request *http.Request) {
	status := ""
	raw, err := io.ReadAll(request.Body)
	if err == nil {
		status, err = r.intake.Receive(request.Context(), raw)
	}
	if err != nil {
		r.refused.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, status)
}

// launch starts a campaign to so many new contacts.
func (r *relance) launch(contacts int) uuid.UUID {
	r.t.Helper()
	id := r.stored(contacts, time.Now())
	require.NoError(r.t, r.engine.StartCampaign(r.t.Context(), id))
	return id
}

// stored schedules a campaign to so many new contacts.
func (r *relance) stored(contacts int, due time.Time) uuid.UUID {
	r.t.Helper()
	ids := make([]uuid.UUID, contacts)
	for i := range ids {
		ids[i] = uuid.New()
		_, err := r.store.Pool().Exec(`INSERT INTO contacts (id, phone, name) VALUES ($1, $2, $3)`,
			ids[i], fmt.Sprintf("+33639%06d", 980000+r.contacts), fmt.Sprintf("Contact %d", r.contacts))
		require.NoError(r.t, err)
		r.contacts++
	}
	c := store.Campaign{
		Name: "Test", Status: campaign.Scheduled, ScheduledAt: &due,
		Message1: "Hello {{name}}", Message2: "Thank you {{name}}", ContactIDs: ids,
	}
	require.NoError(r.t, r.store.CreateCampaign(r.t.Context(), &c))
	return c.ID
}

// awaitEnd waits until the campaign is over and all its contacts are final.
func (r *relance) awaitEnd(id uuid.UUID) store.Stats {
	r.t.Helper()
	var stats store.Stats
	require.EventuallyWithT(r.t, func(t *assert.CollectT) {
		c, err := r.store.Campaign(r.t.Context(), id)
		require.NoError(t, err)
		require.True(t, c.Status.Final(), "campaign is %s", c.Status)
		stats, err = r.store.CampaignStats(r.t.Context(), id)
		require.NoError(t, err)
		for state, n := range stats.States {
			require.True(t, state.Final(), "%d are %s", n, state)
		}
	}, 5*time.Minute, 100*time.Millisecond)
	return stats
}

// requireLedger holds the database against what the provider really accepted:
// no message twice, and every recipient in the state that the ledger proves. A
// message may stay unknown only if it never left: one that did is found by the
// look-ups that go on after its window.
func (r *relance) requireLedger(id uuid.UUID) {
	r.t.Helper()
	accepted := map[string]int{}
	for _, message := range r.simulator.Ledger().Messages {
		accepted[message.Reference]++
	}
	require.EventuallyWithT(r.t, func(t *assert.CollectT) {
		for _, message := range r.unknown(id) {
			require.Zero(t, accepted[message], "a message that left is still unknown")
		}
	}, patience, 100*time.Millisecond)
	recipients, err := r.store.Correspondences(r.t.Context(), id)
	require.NoError(r.t, err)
	count := func(message *uuid.UUID) int {
		if message == nil {
			return 0
		}
		return accepted[message.String()]
	}
	for _, c := range recipients {
		wantFirst, wantSecond := 0, 0
		if c.State.Message1Left() || c.Message2ID != nil {
			wantFirst = 1
		}
		if c.State == campaign.Message2Sent {
			wantSecond = 1
		}
		require.Equal(r.t, wantFirst, count(c.Message1ID), "Message 1 of a contact that is %s", c.State)
		require.Equal(r.t, wantSecond, count(c.Message2ID), "Message 2 of a contact that is %s", c.State)
	}
}

// unknown are the messages of which the database says that it does not know.
func (r *relance) unknown(id uuid.UUID) (messages []string) {
	r.t.Helper()
	rows, err := r.store.Pool().Query(`SELECT id FROM messages WHERE campaign_id = $1 AND status = 'unknown'`, id)
	require.NoError(r.t, err)
	defer func() { require.NoError(r.t, rows.Close()) }()
	for rows.Next() {
		var message string
		require.NoError(r.t, rows.Scan(&message))
		messages = append(messages, message)
	}
	require.NoError(r.t, rows.Err())
	return messages
}
