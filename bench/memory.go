package bench

import (
	"fmt"
	"os"
	"strings"
)

// peakMemory is the most memory that a descendant of this process with the given
// name has had resident so far, in bytes; 0 where there is no /proc.
func peakMemory(name string) int64 { return peakMemoryOf(name, "") }

// peakMemoryOf is the same of those that were started with a certain command, such
// as "worker"; any if it is empty.
func peakMemoryOf(name, command string) int64 {
	var peak int64
	for _, pid := range descendants(name) {
		if command == "" || firstArgument(pid) == command {
			peak = max(peak, residentPeak(pid))
		}
	}
	return peak
}

func firstArgument(pid int) string {
	content, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	arguments := strings.Split(string(content), "\x00")
	if len(arguments) < 2 {
		return ""
	}
	return arguments[1]
}

// residentPeak reads VmHWM, see proc_pid_status(5).
func residentPeak(pid int) int64 {
	content, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(content)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			return int64(number(strings.TrimSuffix(strings.TrimSpace(value), " kB"))) << 10
		}
	}
	return 0
}
