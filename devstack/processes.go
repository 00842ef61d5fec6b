package devstack

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
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

// isPostgresOn says whether the process is a PostgreSQL server on the directory.
func isPostgresOn(pid int, dataDir string) bool {
	return strings.Contains(commandLine(pid), "-D "+dataDir+" ")
}
