package fleet

import (
	"context"
	"database/sql"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	tlog "go.temporal.io/sdk/log"

	"github.com/relance/relance/devstack"
	"github.com/relance/relance/migrations"
	"github.com/relance/relance/workflows"
)

// What a contact costs PostgreSQL and Temporal: the figures that docs/scale.md
// multiplies. One campaign in which nobody replies, one in which everybody does
// once; each webhook comes once, and the servers keep everything as in production.
func TestWhatAContactCosts(t *testing.T) {
	if os.Getenv("RELANCE_SOAK") == "" {
		t.Skip("measures, and takes minutes: make soak")
	}
	for name, share := range map[string]float64{"nobody replies": 0, "everybody replies once": 1} {
		t.Run(name, func(t *testing.T) { measure(t, share) })
	}
}

func measure(t *testing.T, share float64) {
	s := size{processes: 1, contacts: 1000, limit: 100_000, window: time.Hour, replyWindow: 30 * time.Second}
	contacts := lively(s)
	contacts.Reply, contacts.ReplyAgain, contacts.ExtraReplies = share, 0, 0
	contacts.ReplyDelay.Min, contacts.ReplyDelay.Max = time.Second, 5*time.Second
	provider := startProvider(t, contacts, s.latency)
	postgres, temporal := startServers(t)
	f := startFleet(t, s, provider, temporal, postgres.URL("relance"))
	provider.callAt(f.frontDoor(1))
	before := f.spent()

	id := f.launch(s.contacts)
	provider.awaitSilence(func() error { return f.everybodyIsFinal(id) })
	f.awaitAgreement(id)

	after := f.spent()
	n := float64(s.contacts)
	t.Logf("per contact: %.2f kB of WAL, %.1f commits, %.2f kB on disk", float64(after.wal-before.wal)/n/1000,
		float64(after.commits-before.commits)/n, float64(after.size-before.size)/n/1000)
	for table, size := range after.tables {
		if grown := size.bytes - before.tables[table].bytes; grown > int64(s.contacts) {
			t.Logf("%-18s %6.2f rows, %5.0f bytes of them %5.0f in indexes", table, float64(size.rows-before.tables[table].rows)/n,
				float64(grown)/n, float64(size.indexes-before.tables[table].indexes)/n)
		}
	}
	f.logTemporal(id, temporal)
}

// startServers starts both as production would have them.
func startServers(t *testing.T) (*devstack.Postgres, *devstack.Temporal) {
	t.Helper()
	scratch, err := devstack.NewScratch()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, scratch.Remove()) })
	postgres, err := devstack.StartPostgres(t.Context(), devstack.PostgresOptions{DataDir: scratch.Path("postgres")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, postgres.Stop(context.Background())) })
	require.NoError(t, postgres.CreateDatabase(t.Context(), "relance"))
	require.NoError(t, migrations.UpAt(t.Context(), postgres.URL("relance")))
	temporal, err := devstack.StartTemporal(t.Context(), devstack.TemporalOptions{UIPort: -1})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, temporal.Stop(context.Background())) })
	return postgres, temporal
}

// spending is what PostgreSQL has had to do so far.
type spending struct {
	wal, commits, size int64
	tables             map[string]tableSize
}

type tableSize struct{ rows, bytes, indexes int64 }

func (f *fleet) spent() spending {
	f.t.Helper()
	s := spending{tables: map[string]tableSize{}}
	require.NoError(f.t, f.db.QueryRowContext(f.t.Context(), `
		SELECT (SELECT wal_bytes::bigint FROM pg_stat_wal), xact_commit, pg_database_size(datname)
		FROM pg_stat_database WHERE datname = current_database()`).Scan(&s.wal, &s.commits, &s.size))
	rows, err := f.db.QueryContext(f.t.Context(), `
		SELECT relname, (xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM %I', relname), false, true, '')))[1]::text::bigint,
		       pg_total_relation_size(relid), pg_indexes_size(relid)
		FROM pg_stat_user_tables`)
	require.NoError(f.t, err)
	defer func() { require.NoError(f.t, rows.Close()) }()
	for rows.Next() {
		var name string
		var size tableSize
		require.NoError(f.t, rows.Scan(&name, &size.rows, &size.bytes, &size.indexes))
		s.tables[name] = size
	}
	require.NoError(f.t, rows.Err())
	return s
}

// usage is what workflows have cost Temporal.
type usage struct {
	workflows, events, bytes, transitions int64
	actions                               int64 // as Temporal Cloud bills them
}

// logTemporal adds up the workflows of a campaign, by kind.
func (f *fleet) logTemporal(id uuid.UUID, temporal *devstack.Temporal) {
	f.t.Helper()
	c, err := client.Dial(client.Options{
		HostPort: temporal.Address(), Namespace: temporal.Namespace(), Logger: tlog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	require.NoError(f.t, err)
	defer c.Close()
	rows, err := f.db.QueryContext(f.t.Context(), `SELECT contact_id, wave FROM recipients WHERE campaign_id = $1`, id)
	require.NoError(f.t, err)
	defer func() { require.NoError(f.t, rows.Close()) }()
	ids := map[string]string{workflows.CampaignID(id): "campaign"}
	for rows.Next() {
		var contact uuid.UUID
		var wave sql.NullInt64
		require.NoError(f.t, rows.Scan(&contact, &wave))
		ids[workflows.ContactID(id, contact)] = "contacts"
		ids[workflows.WaveID(id, int(wave.Int64))] = "waves"
	}
	require.NoError(f.t, rows.Err())
	all := map[string]usage{}
	for workflow, kind := range ids {
		sum := all[kind]
		sum.add(f, c, workflow)
		all[kind] = sum
	}
	for kind, u := range all {
		f.t.Logf("%d %s: %d events (%d bytes), %d state transitions, %d actions", u.workflows, kind, u.events, u.bytes, u.transitions, u.actions)
	}
}

func (u *usage) add(f *fleet, c client.Client, workflow string) {
	f.t.Helper()
	described, err := c.DescribeWorkflowExecution(f.t.Context(), workflow, "")
	require.NoError(f.t, err)
	info := described.GetWorkflowExecutionInfo()
	u.workflows++
	u.events += info.GetHistoryLength()
	u.bytes += info.GetHistorySizeBytes()
	u.transitions += info.GetStateTransitionCount()
	events := c.GetWorkflowHistory(f.t.Context(), workflow, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(f.t, err)
		u.actions += actions(event)
	}
}

// actions are what Temporal Cloud bills for an event, as its documentation says
// (evaluate/cloud/actions). The start of a child is two: its parent's wish and the
// start itself.
func actions(event *history.HistoryEvent) int64 {
	switch event.GetEventType() {
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, enums.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
		enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, enums.EVENT_TYPE_TIMER_STARTED, enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
		enums.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
		return 1
	case enums.EVENT_TYPE_ACTIVITY_TASK_STARTED:
		return int64(event.GetActivityTaskStartedEventAttributes().GetAttempt()) - 1 // repetitions
	default:
		return 0
	}
}
