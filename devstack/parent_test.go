package devstack

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// parentEnv makes the test binary a program that starts servers on the folder it
// names, prints a parentReport and waits to be killed.
const parentEnv = "DEVSTACK_TEST_PARENT"

type parentReport struct {
	Error     string
	Addresses []string
}

func beParent(dir string) {
	report := parentReport{}
	if err := report.start(dir); err != nil {
		report.Error = err.Error()
	}
	_ = json.NewEncoder(os.Stdout).Encode(report)
	select {}
}

func (r *parentReport) start(dir string) error {
	postgres, err := StartPostgres(context.Background(), PostgresOptions{DataDir: dir + "/postgres"})
	if err != nil {
		return err
	}
	temporal, err := StartTemporal(context.Background(), TemporalOptions{DBFile: dir + "/temporal.db"})
	if err != nil {
		return err
	}
	r.Addresses = []string{address(postgres.Port()), temporal.Address(), strings.TrimPrefix(temporal.UIURL(), "http://")}
	return nil
}

func TestServersDieWithAKilledParentAndStartAgain(t *testing.T) {
	scratch := scratchDir(t)
	for range 2 { // the second parent finds what the first one left
		parent := exec.Command(os.Args[0])
		parent.Env = append(os.Environ(), parentEnv+"="+scratch.dir)
		parent.Stderr = os.Stderr
		parent.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		stdout, err := parent.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, parent.Start())
		var report parentReport
		decodeErr := json.NewDecoder(stdout).Decode(&report)
		family := descendants(t, parent.Process.Pid)
		require.NoError(t, syscall.Kill(-parent.Process.Pid, syscall.SIGKILL))
		_ = parent.Wait()
		require.NoError(t, decodeErr)
		require.Empty(t, report.Error)
		require.GreaterOrEqual(t, len(family), 3, "PostgreSQL, one of its processes, Temporal")

		for _, pid := range family {
			assert.Eventually(t, func() bool { return !alive(pid) }, patience, tick, "process %d lives on: %s", pid, commandLine(pid))
		}
		for _, addr := range report.Addresses {
			assert.Eventually(t, func() bool { return !listening(addr) }, patience, tick, "something listens on %s", addr)
		}
	}
}

func TestTheWatcherEndsWhatOutlivesUs(t *testing.T) {
	orphan := exec.Command("sleep", "600")
	require.NoError(t, orphan.Start())
	release, err := watchOver(orphan.Process.Pid, syscall.SIGTERM)
	require.NoError(t, err)
	release()
	require.True(t, alive(orphan.Process.Pid), "a released watcher does nothing")

	// The end of its standard input is all that a watcher learns of our death.
	watcher := exec.Command("/bin/sh", "-c", watchScript, "watcher", strconv.Itoa(orphan.Process.Pid), "15")
	input, err := watcher.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, watcher.Start())
	require.True(t, alive(orphan.Process.Pid))
	require.NoError(t, input.Close())
	require.NoError(t, watcher.Wait())
	var exit *exec.ExitError
	require.ErrorAs(t, orphan.Wait(), &exit)
	assert.Equal(t, syscall.SIGTERM, exit.Sys().(syscall.WaitStatus).Signal())
}

func listening(addr string) bool {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// processes maps every process to the given column of ps.
func processes(t *testing.T, column string) map[int]string {
	t.Helper()
	out, err := exec.Command("ps", "-A", "-o", "pid=", "-o", column+"=").Output()
	require.NoError(t, err)
	all := map[int]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		pid, err := strconv.Atoi(fields[0])
		require.NoError(t, err)
		all[pid] = fields[1]
	}
	return all
}

func descendants(t *testing.T, ancestor int) []int {
	t.Helper()
	parents := processes(t, "ppid")
	var found []int
	for pid := range parents {
		for above := pid; above != 0; {
			above, _ = strconv.Atoi(parents[above])
			if above == ancestor {
				found = append(found, pid)
			}
		}
	}
	return found
}

// alive counts a dead process that nobody has asked about as dead.
func alive(pid int) bool {
	out, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && !strings.HasPrefix(strings.TrimSpace(string(out)), "Z")
}

func ownerOf(t *testing.T, pid int) int {
	t.Helper()
	owner, err := strconv.Atoi(processes(t, "uid")[pid])
	require.NoError(t, err)
	return owner
}
