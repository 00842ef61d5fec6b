package bench

import (
	"context"
	"database/sql"
	"log/slog"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	tlog "go.temporal.io/sdk/log"

	"github.com/relance/relance/devstack"
	"github.com/relance/relance/store"
)

// servers are what Relance leans on, of this benchmark alone and set up like
// `relance dev`: a commit is on the disk when it is answered, as in production.
type servers struct {
	b        *testing.B
	scratch  *devstack.Scratch
	postgres *devstack.Postgres
	temporal *devstack.Temporal
}

func startServers(b *testing.B) *servers {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 2*time.Minute)
	defer cancel()
	s := &servers{b: b}
	var err error
	s.scratch, err = devstack.NewScratch()
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.scratch.Remove()) })
	s.postgres, err = devstack.StartPostgres(ctx, devstack.PostgresOptions{DataDir: s.scratch.Path("postgres")})
	require.NoError(b, err)
	b.Cleanup(s.stopping(s.postgres.Stop))
	s.temporal, err = devstack.StartTemporal(ctx, devstack.TemporalOptions{DBFile: s.scratch.Path("temporal.db"), UIPort: -1})
	require.NoError(b, err)
	b.Cleanup(s.stopping(s.temporal.Stop))
	if results.servers == nil {
		results.servers = s.versions()
	}
	return s
}

func (s *servers) versions() []string {
	s.b.Helper()
	temporal, err := s.dial().WorkflowService().GetSystemInfo(s.b.Context(), &workflowservice.GetSystemInfoRequest{})
	require.NoError(s.b, err)
	return []string{"PostgreSQL: " + s.postgres.Version(), "Temporal server: " + temporal.GetServerVersion()}
}

// dial connects to Temporal, until the end of the benchmark.
func (s *servers) dial() client.Client {
	s.b.Helper()
	c, err := client.Dial(client.Options{
		HostPort: s.temporal.Address(), Namespace: s.temporal.Namespace(),
		Logger: tlog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	require.NoError(s.b, err)
	s.b.Cleanup(c.Close)
	return c
}

const (
	// restFor is how long Temporal must have been quiet to count as resting.
	restFor = 2 * time.Second
	// restful is the processor time that it may use meanwhile, for what it does
	// when it has nothing to do.
	restful = restFor / 10
)

// awaitRest waits until Temporal has nothing to do.
func (s *servers) awaitRest() {
	s.b.Helper()
	for begun := time.Now(); ; {
		used := cpuUsed()
		time.Sleep(restFor)
		now := cpuUsed().since(used)["temporal"]
		if now < restful {
			return
		}
		if time.Since(begun) > 2*patience {
			s.b.Logf("Temporal has not come to rest: %s of processor time in the last %s", now, restFor)
			return
		}
	}
}

func (s *servers) stopping(stop func(context.Context) error) func() {
	return func() { require.NoError(s.b, stop(context.Background())) }
}

// database makes an empty database and opens as many connections to it as
// Relance opens to its own.
func (s *servers) database(name string) *sql.DB {
	s.b.Helper()
	require.NoError(s.b, s.postgres.CreateDatabase(s.b.Context(), name))
	db, err := store.Connect(s.postgres.URL(name), 0)
	require.NoError(s.b, err)
	s.b.Cleanup(func() { require.NoError(s.b, db.Close()) })
	return db
}

// settle writes to the disk what setting up has left to be written, so that no
// commit of the load has to wait for it.
func settle() { syscall.Sync() }

// count is the one number that a query answers with.
func count(b *testing.B, db *sql.DB, query string, args ...any) (n int) {
	b.Helper()
	require.NoError(b, db.QueryRowContext(b.Context(), query, args...).Scan(&n), query)
	return n
}
