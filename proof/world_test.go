package proof

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	tlog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	sdkworker "go.temporal.io/sdk/worker"
	"pgregory.net/rapid"

	"github.com/relance/relance/activities"
	"github.com/relance/relance/campaign"
	"github.com/relance/relance/devstack/testenv"
	"github.com/relance/relance/intake"
	"github.com/relance/relance/migrations"
	"github.com/relance/relance/store"
	"github.com/relance/relance/wassenger"
	"github.com/relance/relance/workflows"
)

func TestMain(m *testing.M) { testenv.Main(m) }

const device = "64a1b2c3d4e5f60718293a4b"

// launch is a Monday, ten in the morning in Paris.
var launch = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// database gives a database whose clock is set by set_clock and moves on by a
// microsecond whenever it is read, so that no two decisions fall at one moment.
func database(t *testing.T) string {
	url := testenv.Database(t, migrations.UpAt)
	pool, err := store.Connect(url, 1)
	require.NoError(t, err)
	defer pool.Close()
	_, err = pool.Exec(`
		CREATE TABLE clock (at timestamptz NOT NULL);
		INSERT INTO clock VALUES (now());
		CREATE SEQUENCE ticks;
		CREATE OR REPLACE FUNCTION relance_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS
		    $$ SELECT at + (nextval('ticks') - 1) * interval '1 microsecond' FROM clock $$;
		CREATE FUNCTION set_clock(wanted timestamptz) RETURNS timestamptz LANGUAGE plpgsql AS $$
		DECLARE reached timestamptz;
		BEGIN
		    UPDATE clock SET at = greatest(wanted, at + (SELECT last_value + 1 FROM ticks) * interval '1 microsecond') RETURNING at INTO reached;
		    PERFORM setval('ticks', 1, false);
		    RETURN reached;
		END $$`)
	require.NoError(t, err)
	return url
}

// run is one campaign's life.
type run struct {
	*rapid.T
	plan     plan
	past     past
	story    []told
	env      *testsuite.TestWorkflowEnvironment
	store    *store.Store
	intake   *intake.Intake
	provider *provider
	campaign uuid.UUID
	ids      []uuid.UUID // the contacts'

	// turn lets one activity or event at a time touch the database and its clock.
	// What happens when they meet is tested elsewhere; here their order is known.
	turn   sync.Mutex
	losing bool            // wake-ups are lost
	died   map[key]bool    // whose activity has lost its result
	broken error           // the test's own plumbing
	worked int             // activities
	stale  string          // stored totals that were found to lag behind
	begun  map[string]bool // workflows
}

// key names one kind of activity of one contact.
type key struct {
	who int
	of  string
}

func newRun(t *rapid.T, url string, p plan) *run {
	r := &run{T: t, plan: p, died: map[key]bool{}, begun: map[string]bool{}}
	var err error
	r.store, err = store.Open(t.Context(), url, store.Options{DeviceID: device, Rules: p.rules, MaxConnections: 2})
	require.NoError(t, err)
	r.provider = &provider{r: r, asked: map[string]int{}, records: map[string]record{}}
	client, err := wassenger.New(wassenger.Options{
		BaseURL: "http://provider", Token: "token", DeviceID: device, HTTPClient: &http.Client{Transport: r.provider},
	})
	require.NoError(t, err)
	r.intake = &intake.Intake{Store: r.store, Workflows: r, Logger: slog.New(slog.DiscardHandler)}
	r.prepareDatabase()
	r.past = p.past()

	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(tlog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	r.env = suite.NewTestWorkflowEnvironment()
	r.env.SetStartTime(launch)
	r.env.SetTestTimeout(time.Minute)
	r.env.SetDetachedChildWait(false) // whoever is not final in the end has been given time enough
	r.env.SetWorkerOptions(sdkworker.Options{
		Interceptors: []interceptor.WorkerInterceptor{&conductor{r: r}}, DeadlockDetectionTimeout: time.Minute,
	})
	workflows.Register(r.env)
	r.env.RegisterWorkflow(server)
	r.env.RegisterActivity(&activities.Activities{
		Store: r.store, Provider: client, SendTimeout: wassenger.DefaultTimeout, Workflows: r, Webhooks: r.intake,
		Ahead: p.ahead,
		// The breaker's clock is the real one: its pause must be next to nothing.
		Breaker: activities.NewBreaker(campaign.Rules{SendBackoff: time.Millisecond}),
	})
	return r
}

func (r *run) prepareDatabase() {
	ctx := r.Context()
	_, err := r.store.Pool().ExecContext(ctx, `TRUNCATE campaigns, contacts, webhook_events, opt_outs CASCADE`)
	require.NoError(r, err)
	_, err = r.store.Pool().ExecContext(ctx, `UPDATE devices SET halted_at = NULL, next_message_1_at = NULL, last_message_1_at = NULL`)
	require.NoError(r, err)
	_, err = r.store.Pool().ExecContext(ctx, `UPDATE clock SET at = $1`, launch)
	require.NoError(r, err)
	for i := range r.plan.contacts {
		r.ids = append(r.ids, uuid.MustParse(fmt.Sprintf("00000000-0000-4000-8000-%012d", i+1)))
		_, err = r.store.Pool().ExecContext(ctx, `INSERT INTO contacts (id, phone, name, created_at) VALUES ($1, $2, 'Somebody', $3)`,
			r.ids[i], phoneOf(i), launch.Add(time.Duration(i-1000)*time.Second))
		require.NoError(r, err)
	}
	begin := launch
	c := store.Campaign{
		Name: "Proof", Status: campaign.Scheduled, ScheduledAt: &begin, Message1: textOf[message1], Message2: textOf[message2], ContactIDs: r.ids,
	}
	require.NoError(r, r.store.CreateCampaign(ctx, &c))
	r.campaign = c.ID
}

var textOf = [2]string{"Message one", "Message two"}

func phoneOf(i int) string { return fmt.Sprintf("+336399800%02d", i) }

func (r *run) contactOf(phone string) int {
	for i := range r.plan.contacts {
		if phoneOf(i) == phone {
			return i
		}
	}
	panic("nobody has the number " + phone)
}

// since is what Temporal's clock shows, now what the database's shows, which is
// the one that counts. Both are measured from the launch.
func (r *run) since() time.Duration { return r.env.Now().Sub(launch) }

func (r *run) now() time.Duration { return r.clock(`SELECT relance_now()`) }

func (r *run) setClock(at time.Duration) time.Duration {
	return r.clock(`SELECT set_clock($1)`, launch.Add(at))
}

func (r *run) clock(query string, args ...any) time.Duration {
	var at time.Time
	if err := r.store.Pool().QueryRowContext(context.Background(), query, args...).Scan(&at); err != nil {
		r.broken = errors.Join(r.broken, err)
	}
	return at.Sub(launch)
}

// at has something happen at a moment after the launch.
func (r *run) at(after time.Duration, happens func(at time.Duration)) {
	r.env.RegisterDelayedCallback(func() {
		r.turn.Lock()
		defer r.turn.Unlock()
		happens(r.setClock(r.since()))
	}, max(after-r.since(), 0))
}

// conductor gives every activity its turn and the database the time.
type conductor struct {
	interceptor.WorkerInterceptorBase
	r *run
}

func (c *conductor) InterceptActivity(ctx context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &turns{interceptor.ActivityInboundInterceptorBase{Next: next}, c.r}
}

type turns struct {
	interceptor.ActivityInboundInterceptorBase
	r *run
}

func (t *turns) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	t.r.turn.Lock()
	defer t.r.turn.Unlock()
	if t.r.worked++; t.r.worked > circling {
		return nil, temporal.NewNonRetryableApplicationError("round in circles", "circles", nil)
	}
	t.r.setClock(t.r.since())
	result, err := t.Next.ExecuteActivity(ctx, in)
	name := activity.GetInfo(ctx).ActivityType.Name
	if err == nil && t.r.losesResult(name, in.Args) {
		return nil, errors.New("the worker died before it could tell")
	}
	if name == "SendMessage" && err == nil {
		t.r.lookAtTotals()
	}
	if name == "FreezeAudience" && err == nil {
		t.r.begin()
	}
	if control, ok := in.Args[0].(activities.ControlCampaignInput); ok && err == nil {
		t.r.decided(control.Action, t.r.now())
	}
	t.r.tellFinal()
	return result, err
}
