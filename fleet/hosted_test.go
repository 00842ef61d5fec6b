package fleet

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/relance/relance/devstack"
	"github.com/relance/relance/devstack/testenv"
	"github.com/relance/relance/migrations"
	"github.com/relance/relance/store"
	"github.com/relance/relance/wassenger/simulator"
)

// What the owner has from hosts: PostgreSQL behind a transaction pooler that knows
// no prepared statements and has fewer connections than Relance opens, and a Redis
// over TLS with a password. Schema, import, campaign and answers go through both.
func TestACampaignThroughATransactionPoolerAndRedisOverTLS(t *testing.T) {
	size := size{processes: 1, contacts: 60, limit: 29, window: time.Second, replyWindow: 3 * time.Second}
	databaseURL := pooledDatabase(t, 4)
	requireNoPreparedStatements(t, databaseURL)
	var letGo errgroup.Group
	letGo.Go(func() error { return lockOfAFrozenProcessIsLetGo(t.Context(), databaseURL) })
	provider := startProvider(t, lively(size), simulator.Delay{})
	f := startFleet(t, size, provider, testenv.Temporal(t), databaseURL, hostedRedis(t), map[string]string{"DATABASE_MAX_CONNECTIONS": "12"})
	provider.callAt(f.frontDoor(1))

	id := f.launch(size.contacts)

	provider.awaitSilence(func() error { return f.everybodyIsFinal(id) })
	f.awaitAgreement(id)
	f.requireLedger(id)
	f.requireQuotaKept()
	api := f.apis.all()[0]
	var ready struct{ Redis string }
	require.NoError(t, f.ask(api, http.MethodGet, "/readyz", "", "", &ready))
	require.Equal(t, "ok", ready.Redis)
	require.Zero(t, f.counted(api, "relance_cache_errors_total"))
	require.NoError(t, letGo.Wait())
}

// pooledDatabase is a database with its schema, made by two processes at once, as
// it is seen through a PgBouncer with so many connections of its own.
func pooledDatabase(t *testing.T, connections int) (url string) {
	t.Helper()
	scratch, err := devstack.NewScratch()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, scratch.Remove()) })
	settings := map[string]string{"default_pool_size": fmt.Sprint(connections), "max_client_conn": "200"}
	pooler, err := devstack.StartPgBouncer(t.Context(), devstack.PgBouncerOptions{
		Postgres: testenv.Postgres(t), Dir: scratch.Path("pgbouncer"), Settings: settings,
	})
	skipWithout(t, err, devstack.ErrNoPgBouncer)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pooler.Stop(context.Background())) })

	const name = "hosted"
	require.NoError(t, testenv.Postgres(t).CreateDatabase(t.Context(), name))
	url = pooler.URL(name)
	var migrating errgroup.Group
	for range 2 {
		migrating.Go(func() error {
			db, err := store.Connect(url, 2)
			if err != nil {
				return err
			}
			_, err = migrations.Up(t.Context(), db)
			return errors.Join(err, db.Close())
		})
	}
	require.NoError(t, migrating.Wait())
	return url
}

// requireNoPreparedStatements: what is prepared by name on one connection is met by
// another, so whoever gets through does without.
func requireNoPreparedStatements(t *testing.T, url string) {
	t.Helper()
	db, err := store.Connect(url+"&default_query_exec_mode=cache_statement", 2)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	var conns [2]*sql.Conn
	for i := range conns {
		conns[i], err = db.Conn(t.Context())
		require.NoError(t, err)
		defer func() { require.NoError(t, conns[i].Close()) }()
	}
	var errs []error
	for _, conn := range conns {
		_, err := conn.ExecContext(t.Context(), `SELECT $1::int`, 1)
		errs = append(errs, err)
	}
	require.ErrorContains(t, errors.Join(errs...), "prepared statement")
}

// lockOfAFrozenProcessIsLetGo: a transaction whose process says nothing more is
// ended by the database, and another gets the lock that it held.
func lockOfAFrozenProcessIsLetGo(ctx context.Context, url string) (err error) {
	db, err := store.Connect(url, 2)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	const lock = `SELECT pg_advisory_xact_lock(1)`
	frozen, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if _, err := frozen.ExecContext(ctx, lock); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, lock); err != nil { // as soon as it is to be had
		return fmt.Errorf("taking the lock: %w", err)
	}
	if _, err := frozen.ExecContext(ctx, `SELECT 1`); err == nil {
		return errors.New("the lock was to be had although the transaction goes on")
	}
	_ = frozen.Rollback() // there is nothing left to roll back
	return nil
}

// hostedRedis starts one and returns the environment of processes that use it. The
// folder of its authority's certificate is trusted beside the machine's own.
func hostedRedis(t *testing.T) map[string]string {
	t.Helper()
	redis, err := devstack.StartRedisTLS(t.Context(), devstack.RedisTLSOptions{
		Dir: t.TempDir(), User: "relance", Password: "a-password", Rules: "~* +@all",
	})
	skipWithout(t, err, devstack.ErrNoRedis)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, redis.Stop(context.Background())) })
	return map[string]string{"REDIS_URL": redis.URL() + "?read_timeout=10s", "SSL_CERT_DIR": filepath.Dir(redis.CAFile())}
}

// skipWithout skips the test where a program is not installed, but never in CI.
func skipWithout(t *testing.T, err, missing error) {
	t.Helper()
	if errors.Is(err, missing) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
}
