package devstack

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDataIsThereAfterARestart(t *testing.T) {
	dataDir := scratchDir(t).Path("postgres")
	server := startPostgres(t, dataDir)
	require.NoError(t, server.CreateDatabase(t.Context(), "relance"))
	require.NoError(t, server.CreateDatabase(t.Context(), "relance"), "it exists already")
	execute(t, server, "relance", "CREATE TABLE kept AS SELECT 'still here' AS word")
	require.NoError(t, server.Stop(t.Context()))

	server = startPostgres(t, dataDir)
	assert.Equal(t, "still here", query(t, server, "relance", "SELECT word FROM kept"))
}

func TestTextIsUnicodeInByteOrder(t *testing.T) {
	server := startPostgres(t, scratchDir(t).Path("postgres"))
	assert.Equal(t, "UTF8", query(t, server, "postgres", "SHOW server_encoding"))
	assert.Equal(t, "été", query(t, server, "postgres", "SELECT lower('ÉTÉ')"))
	assert.Equal(t, "Z,a,é", query(t, server, "postgres", "SELECT string_agg(w, ',' ORDER BY w) FROM unnest(ARRAY['é','a','Z']) w"))
	assert.Equal(t, "UTC", query(t, server, "postgres", "SHOW timezone"))
}

func TestCommittedDataSurvivesAKilledServer(t *testing.T) {
	dataDir := scratchDir(t).Path("postgres")
	server := startPostgresWith(t, PostgresOptions{DataDir: dataDir})
	execute(t, server, "postgres", "CREATE TABLE kept AS SELECT 'still here' AS word")
	// A session whose backend outlives the main process for a moment.
	busy, err := pgx.Connect(t.Context(), server.URL("postgres"))
	require.NoError(t, err)
	defer busy.Close(context.Background())

	require.NoError(t, server.Signal(os.Kill))
	<-server.Done()
	require.NoError(t, server.Stop(t.Context()))

	server = startPostgresWith(t, PostgresOptions{DataDir: dataDir})
	assert.Equal(t, "still here", query(t, server, "postgres", "SELECT word FROM kept"))
}

func TestAFrozenServerAnswersNoSessionUntilItThaws(t *testing.T) {
	server := startPostgres(t, scratchDir(t).Path("postgres"))
	var sessions [2]*pgx.Conn
	for i := range sessions {
		var err error
		sessions[i], err = pgx.Connect(t.Context(), server.URL("postgres"))
		require.NoError(t, err)
		defer sessions[i].Close(context.Background())
	}
	require.NoError(t, server.Freeze())
	soon, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := sessions[0].Exec(soon, "SELECT 1")
	require.ErrorIs(t, err, context.DeadlineExceeded)

	require.NoError(t, server.Thaw())
	_, err = sessions[1].Exec(t.Context(), "SELECT 1")
	require.NoError(t, err)
}

func TestALockFileOfAnotherProgramDoesNotStopTheStart(t *testing.T) {
	dataDir := scratchDir(t).Path("postgres")
	server := startPostgres(t, dataDir)
	require.NoError(t, server.Signal(os.Kill))
	<-server.Done()
	require.NoError(t, server.Stop(t.Context()))

	// Its process id has gone to another program of the same user, as happens in
	// containers.
	other, err := command{name: "sleep", path: "/bin/sleep", args: []string{"600"}, account: server.dir.runAs, deathSignal: syscall.SIGKILL}.start()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, other.stop(context.Background(), syscall.SIGTERM)) })
	lock := filepath.Join(server.dir.path, "postmaster.pid")
	content, err := os.ReadFile(lock)
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(content), "\n")
	require.NoError(t, os.WriteFile(lock, fmt.Appendf(nil, "%d\n%s", other.process.Pid, rest), 0o600))

	startPostgres(t, dataDir)
}

func TestAnInterruptedInitdbLeavesNothingInTheWay(t *testing.T) {
	dataDir := scratchDir(t).Path("postgres")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		// As soon as initdb has begun to write.
		for ctx.Err() == nil {
			if begun, _ := filepath.Glob(dataDir + ".partial-*/PG_VERSION"); len(begun) > 0 {
				cancel()
			}
		}
	}()
	_, err := StartPostgres(ctx, PostgresOptions{DataDir: dataDir, Settings: Throwaway()})
	require.ErrorIs(t, err, context.Canceled)
	require.NoDirExists(t, dataDir)

	startPostgres(t, dataDir)
	abandoned, err := filepath.Glob(dataDir + ".partial-*")
	require.NoError(t, err)
	assert.Empty(t, abandoned)
}

func TestOneDataDirectoryHasOneServer(t *testing.T) {
	dataDir := scratchDir(t).Path("postgres")
	startPostgres(t, dataDir)
	_, err := StartPostgres(t.Context(), PostgresOptions{DataDir: dataDir})
	require.ErrorIs(t, err, errLeased)
	assert.ErrorContains(t, err, fmt.Sprintf("pid %d", os.Getpid()))
}

func TestAForeignFolderIsLeftAlone(t *testing.T) {
	dataDir := scratchDir(t).Path("precious")
	require.NoError(t, os.Mkdir(dataDir, 0o755))
	require.NoError(t, os.WriteFile(dataDir+"/thesis.txt", nil, 0o644))
	_, err := StartPostgres(t.Context(), PostgresOptions{DataDir: dataDir})
	require.ErrorContains(t, err, "left alone")
	assert.FileExists(t, dataDir+"/thesis.txt")
}

func TestATakenPortIsNamed(t *testing.T) {
	taken, err := net.Listen("tcp", address(0))
	require.NoError(t, err)
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port

	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_, err = StartPostgres(ctx, PostgresOptions{DataDir: scratchDir(t).Path("postgres"), Port: port, Settings: Throwaway()})
	require.ErrorIs(t, err, errPortTaken)
	assert.ErrorContains(t, err, fmt.Sprintf("port %d", port))
}

func TestDatabasesAreCopiedFromATemplate(t *testing.T) {
	server := startPostgres(t, scratchDir(t).Path("postgres"))
	require.NoError(t, server.CreateDatabase(t.Context(), "template"))
	execute(t, server, "template", "CREATE TABLE word AS SELECT 'copied' AS word")

	require.NoError(t, server.CreateDatabaseFromTemplate(t.Context(), "copy", "template"))
	execute(t, server, "copy", "UPDATE word SET word = 'changed'")
	assert.Equal(t, "changed", query(t, server, "copy", "SELECT word FROM word"))
	assert.Equal(t, "copied", query(t, server, "template", "SELECT word FROM word"))

	busy, err := pgx.Connect(t.Context(), server.URL("copy"))
	require.NoError(t, err)
	defer busy.Close(context.Background())
	require.NoError(t, server.DropDatabase(t.Context(), "copy"), "although somebody is connected")
	require.NoError(t, server.DropDatabase(t.Context(), "copy"), "although it is gone")
}

func TestThePasswordIsWanted(t *testing.T) {
	server := startPostgres(t, scratchDir(t).Path("postgres"))
	_, err := pgx.Connect(t.Context(), strings.Replace(server.URL("postgres"), server.dir.password, "guess", 1))
	require.ErrorContains(t, err, "password authentication failed")
}

func TestPostgresNeverRunsAsRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has to take care")
	}
	server := startPostgres(t, scratchDir(t).Path("postgres"))
	info, err := os.Stat(server.dir.path)
	require.NoError(t, err)
	assert.NotZero(t, info.Sys().(*syscall.Stat_t).Uid, "owner of the data")
	assert.Equal(t, int(info.Sys().(*syscall.Stat_t).Uid), ownerOf(t, server.child.process.Pid), "owner of the server")
}

func TestADataDirectoryOutOfReachIsKeptElsewhereAndFoundAgain(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root drops its rights")
	}
	closed := filepath.Join(t.TempDir(), "closed")
	require.NoError(t, os.Mkdir(closed, 0o700))
	dataDir := filepath.Join(closed, "postgres")
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(reachableFor(dataDir))) })

	server := startPostgres(t, dataDir)
	execute(t, server, "postgres", "CREATE TABLE kept AS SELECT 'still here' AS word")
	require.NoError(t, server.Stop(t.Context()))
	server = startPostgres(t, dataDir)
	assert.Equal(t, "still here", query(t, server, "postgres", "SELECT word FROM kept"))
	require.NoError(t, server.Stop(t.Context()))

	require.NoError(t, os.Remove(dataDir), "it is a link, and removing it removes the data")
	server = startPostgres(t, dataDir)
	assert.Equal(t, "0", query(t, server, "postgres", "SELECT count(*)::text FROM pg_tables WHERE tablename = 'kept'"))
}

func TestVersionsAreRead(t *testing.T) {
	for output, want := range map[string]string{
		"postgres (PostgreSQL) 18.4\n":                             "18.4",
		"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n":   "15.18",
		"postgres (PostgreSQL) 19devel\n":                          "19devel",
		"postgres (PostgreSQL) 18beta2 (Homebrew postgresql@18)\n": "18beta2",
	} {
		version, major, err := parseVersion(output)
		require.NoError(t, err)
		assert.Equal(t, want, version)
		assert.Equal(t, majorIn(want), major)
	}
	_, _, err := parseVersion("command not found")
	assert.Error(t, err)
}

func TestMissingProgramsAreExplained(t *testing.T) {
	_, _, err := FindPostgres(t.TempDir())
	require.ErrorIs(t, err, ErrNoPostgres)
	assert.ErrorContains(t, err, "make tools")
}
