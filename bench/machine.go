package bench

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// machine says where and when a run took place: figures of different machines
// cannot be compared. What cannot be found out is left out.
func machine(servers []string) []string {
	var facts []string
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, name+": "+value)
		}
	}
	add("CPU", fmt.Sprintf("%s, %d CPUs", cmp.Or(fieldOf("/proc/cpuinfo", "model name"), runtime.GOARCH), runtime.NumCPU()))
	if kilobytes := number(strings.TrimSuffix(fieldOf("/proc/meminfo", "MemTotal"), " kB")); kilobytes > 0 {
		add("Memory", fmt.Sprintf("%.1f GiB", float64(kilobytes)/(1<<20)))
	}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	add("Kernel", strings.TrimSpace(runtime.GOOS+" "+string(kernel)))
	add("Go", runtime.Version())
	facts = append(facts, servers...)
	add("Date", time.Now().UTC().Format("2006-01-02 15:04 UTC"))
	add("Commit", commit())
	return facts
}

// fieldOf is the first value of that name in a file of names and values.
func fieldOf(file, name string) string {
	content, _ := os.ReadFile(file) //nolint:gosec // of /proc
	found := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + `\s*:\s*(.*)$`).FindSubmatch(content)
	if found == nil {
		return ""
	}
	return string(found[1])
}

// commit is what is checked out, and whether it has been changed since.
func commit() string {
	head, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return ""
	}
	changes, err := exec.Command("git", "status", "--porcelain", "--untracked-files=no").Output()
	if err == nil && len(changes) > 0 {
		return strings.TrimSpace(string(head)) + ", with changes"
	}
	return strings.TrimSpace(string(head))
}
