package devstack

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// patience is for what happens soon, on a machine that may be busy.
const (
	patience = 30 * time.Second
	tick     = 20 * time.Millisecond
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(parentEnv); dir != "" {
		beParent(dir)
	}
	os.Exit(m.Run())
}

func scratchDir(t *testing.T) *Scratch {
	t.Helper()
	scratch, err := NewScratch()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, scratch.Remove()) })
	return scratch
}

// startPostgres starts a throw-away server and stops it at the end of the test.
func startPostgres(t *testing.T, dataDir string) *Postgres {
	t.Helper()
	return startPostgresWith(t, PostgresOptions{DataDir: dataDir, Settings: Throwaway()})
}

func startPostgresWith(t *testing.T, opts PostgresOptions) *Postgres {
	t.Helper()
	server, err := StartPostgres(t.Context(), opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
	return server
}

func query(t *testing.T, server *Postgres, database, statement string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), server.URL(database))
	require.NoError(t, err)
	defer conn.Close(context.Background())
	var answer string
	require.NoError(t, conn.QueryRow(t.Context(), statement).Scan(&answer))
	return answer
}

func execute(t *testing.T, server *Postgres, database, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), server.URL(database))
	require.NoError(t, err)
	defer conn.Close(context.Background())
	_, err = conn.Exec(t.Context(), statement)
	require.NoError(t, err)
}

func TestRootIsFoundFromBelow(t *testing.T) {
	root, err := FindRoot()
	require.NoError(t, err)
	require.FileExists(t, root+"/devstack/devstack_test.go")
}

func TestToolsModuleIsNotTheRoot(t *testing.T) {
	root, err := FindRoot()
	require.NoError(t, err)
	t.Chdir(root + "/tools/lint")
	found, err := FindRoot()
	require.NoError(t, err)
	require.Equal(t, root, found)
}
