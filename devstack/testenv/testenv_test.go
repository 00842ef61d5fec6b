package testenv_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/relance/relance/devstack/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

var migrations atomic.Int64

func migrate(ctx context.Context, url string) error {
	migrations.Add(1)
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "CREATE TABLE words (word text)")
	return err
}

func TestEveryTestHasAMigratedDatabaseOfItsOwn(t *testing.T) {
	for _, name := range []string{"first", "second", "third"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := connect(t, testenv.Database(t, migrate))
			_, err := conn.Exec(t.Context(), "INSERT INTO words VALUES ($1)", name)
			require.NoError(t, err)
			var count int
			require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM words").Scan(&count))
			assert.Equal(t, 1, count)
			assert.EqualValues(t, 1, migrations.Load())
		})
	}
}

func TestAnEmptyDatabase(t *testing.T) {
	conn := connect(t, testenv.Database(t, nil))
	_, err := conn.Exec(t.Context(), "SELECT * FROM words")
	assert.ErrorContains(t, err, "does not exist")
}

func TestADatabaseIsDroppedWithItsTest(t *testing.T) {
	var url string
	t.Run("test", func(t *testing.T) { url = testenv.Database(t, nil) })
	_, err := pgx.Connect(t.Context(), url)
	assert.ErrorContains(t, err, "does not exist")
}

func TestTheTemporalServerIsShared(t *testing.T) {
	server := testenv.Temporal(t)
	assert.Same(t, server, testenv.Temporal(t))
	connection, err := client.DialContext(t.Context(), client.Options{HostPort: server.Address(), Namespace: server.Namespace()})
	require.NoError(t, err)
	connection.Close()
}

func BenchmarkDatabase(b *testing.B) {
	for b.Loop() {
		testenv.Database(b, migrate)
	}
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}
