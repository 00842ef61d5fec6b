package bench

import (
	"context"
	"database/sql"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
	return s
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
