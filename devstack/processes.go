package devstack

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// commandLine is how the process was started, words separated by spaces; "" when
// there is no such process.
func commandLine(pid int) string {
	if words, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline")); err == nil {
		return string(bytes.ReplaceAll(words, []byte{0}, []byte{' '}))
	}
	out, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return ""
	}
	return string(out)
}

// signalChildren sends a signal to every child of a process. One that has ended
// meanwhile needs none.
func signalChildren(parent int, sig syscall.Signal) error {
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output()
	if err != nil {
		return fmt.Errorf("list processes: %w", err)
	}
	var errs []error
	for line := range strings.Lines(string(out)) {
		var pid, ppid int
		if n, err := fmt.Sscan(line, &pid, &ppid); n < 2 || err != nil || ppid != parent {
			continue
		}
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			errs = append(errs, fmt.Errorf("send %v to process %d: %w", sig, pid, err))
		}
	}
	return errors.Join(errs...)
}

// isPostgresOn says whether the process is a PostgreSQL server on the directory.
func isPostgresOn(pid int, dataDir string) bool {
	return strings.Contains(commandLine(pid), "-D "+dataDir+" ")
}
