package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// peakMemory is the most memory that a descendant of this process with the given
// name has had resident so far, in bytes; 0 where there is no /proc.
func peakMemory(name string) int64 {
	processes := map[int]process{}
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		if p, ok := readProcess(file); ok {
			processes[p.id] = p
		}
	}
	var peak int64
	for _, p := range processes {
		if p.name == name && descends(p, processes) {
			peak = max(peak, residentPeak(p.id))
		}
	}
	return peak
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
