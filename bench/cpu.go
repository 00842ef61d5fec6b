package bench

import (
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// cpuUse is the processor time that programs have used, by their names.
type cpuUse map[string]time.Duration

const (
	// ourselves stands for this process: it makes the load and plays the provider.
	ourselves = "ourselves"
	// elsewhere stands for everything that is none of this run's. Where it is
	// much, the machine was busy with something else and the figures say little.
	elsewhere = "elsewhere"
)

// tick is the unit of /proc/<pid>/stat, the same on every Linux that Go runs on.
const tick = time.Second / 100

// cpuUsed is what this process and its descendants have used so far, with what
// their ended children had used. It is empty where there is no /proc.
func cpuUsed() cpuUse {
	processes := readProcesses()
	used := cpuUse{}
	others := busy()
	for _, p := range processes {
		own := p.own + p.ofEndedChildren
		switch {
		case p.id == os.Getpid():
			own = p.own
			used[ourselves] = own
		case descends(p, processes):
			used[p.name] += own
		default:
			continue
		}
		others -= own
	}
	if len(used) > 0 {
		used[elsewhere] = others
	}
	return used
}

// busy is how long all processors have not been idle, together.
func busy() time.Duration {
	content, _ := os.ReadFile("/proc/stat")
	line, _, _ := strings.Cut(string(content), "\n")
	fields := strings.Fields(line) // cpu user nice system idle iowait irq softirq steal, see proc_stat(5)
	if len(fields) < 9 {
		return 0
	}
	var sum time.Duration
	for _, column := range []int{1, 2, 3, 6, 7, 8} {
		sum += ticks(fields[column])
	}
	return sum
}

// and adds what was used at another time.
func (u cpuUse) and(other cpuUse) cpuUse {
	sum := maps.Clone(u)
	for name, used := range other {
		sum[name] += used
	}
	return sum
}

func (u cpuUse) since(earlier cpuUse) cpuUse {
	difference := cpuUse{}
	for name, now := range u {
		difference[name] = max(0, now-earlier[name]) // the kernel's own sums differ a little
	}
	return difference
}

type process struct {
	id, parent           int
	name                 string
	own, ofEndedChildren time.Duration
}

// readProcesses is empty where there is no /proc.
func readProcesses() map[int]process {
	processes := map[int]process{}
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		if p, ok := readProcess(file); ok {
			processes[p.id] = p
		}
	}
	return processes
}

// descendants are the descendants of this process with the given name.
func descendants(name string) (pids []int) {
	processes := readProcesses()
	for _, p := range processes {
		if p.name == name && descends(p, processes) {
			pids = append(pids, p.id)
		}
	}
	return pids
}

func descends(p process, processes map[int]process) bool {
	for p.parent > 1 {
		if p.parent == os.Getpid() {
			return true
		}
		p = processes[p.parent]
	}
	return false
}

// readProcess fails for a process that has just ended.
func readProcess(file string) (process, bool) {
	content, err := os.ReadFile(file) //nolint:gosec // of /proc
	if err != nil {
		return process{}, false
	}
	// The name is in parentheses and may hold anything, parentheses too.
	text := string(content)
	from, to := strings.Index(text, "("), strings.LastIndex(text, ")")
	if from < 0 || to < from {
		return process{}, false
	}
	fields := strings.Fields(text[to+1:]) // from the third on, see proc_pid_stat(5)
	if len(fields) < 15 {
		return process{}, false
	}
	return process{
		id: number(strings.TrimSpace(text[:from])), parent: number(fields[1]), name: text[from+1 : to],
		own: ticks(fields[11]) + ticks(fields[12]), ofEndedChildren: ticks(fields[13]) + ticks(fields[14]),
	}, true
}

func ticks(s string) time.Duration { return time.Duration(number(s)) * tick }

func number(s string) int {
	n, _ := strconv.Atoi(s) // the kernel writes numbers
	return n
}
