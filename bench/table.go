package bench

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// table is what a run prints when it is over.
type table struct {
	sections []*section
	servers  []string // the versions of what Relance leans on
}

// section is one benchmark's part of the table.
type section struct {
	title   string
	columns []string
	rows    [][]string
}

// add begins a section. What it has is printed also if its benchmark fails half-way.
// Without columns it has those for the acts of a load.
func (t *table) add(title string, columns ...string) *section {
	if len(columns) == 0 {
		columns = loadColumns
	}
	s := &section{title: title, columns: columns}
	t.sections = append(t.sections, s)
	return s
}

// loadColumns are those of a section about the acts of a load.
var loadColumns = []string{
	"", "per second", "refused", "p50 ms", "p99 ms", "max ms", "target p99",
	"CPU s: PostgreSQL", "Temporal", "Relance", "load+provider", "elsewhere",
}

func (s *section) add(name string, cells ...string) {
	s.rows = append(s.rows, append([]string{name}, cells...))
}

// addLoad adds a row about the acts of a load; no target is 0.
func (s *section) addLoad(name string, l load, target time.Duration) {
	cells := append([]string{fmt.Sprintf("%.1f", l.perSecond()), fmt.Sprint(len(l.errors))}, latencyCells(l.latencies.summary(), target)...)
	for _, program := range programs {
		cell := "-"
		if used, ok := l.cpu[program]; ok {
			cell = fmt.Sprintf("%.1f", used.Seconds())
		}
		cells = append(cells, cell)
	}
	s.add(name, cells...)
}

// programs are those whose processor time is told, in the order of the columns.
var programs = []string{"postgres", "temporal", "relance", ourselves, elsewhere}

// addLatencies adds a row about something that a load brought about.
func (s *section) addLatencies(name string, l latencies, target time.Duration) {
	s.add(name, append([]string{"", ""}, latencyCells(l.summary(), target)...)...)
}

// addRatio adds how many times the floor something takes.
func (s *section) addRatio(name string, over, floor latencies) {
	a, b := over.summary(), floor.summary()
	ratio := func(x, y time.Duration) string { return fmt.Sprintf("%.1fx", float64(x)/float64(y)) }
	s.add(name, "", "", ratio(a.p50, b.p50), ratio(a.p99, b.p99), ratio(a.longest, b.longest))
}

func latencyCells(s summary, target time.Duration) []string {
	goal := ""
	if target > 0 {
		goal = fmt.Sprintf("< %.0f", milliseconds(target))
	}
	cell := func(d time.Duration) string { return fmt.Sprintf("%.1f", milliseconds(d)) }
	return []string{cell(s.p50), cell(s.p99), cell(s.longest), goal}
}

// filled are the sections that were come to.
func (t *table) filled() []*section {
	return slices.DeleteFunc(slices.Clone(t.sections), func(s *section) bool { return len(s.rows) == 0 })
}

// padded are the rows of a section, its columns' names first, of equal length.
func (s *section) padded() [][]string {
	rows := make([][]string, 0, len(s.rows)+1)
	for _, cells := range append([][]string{s.columns}, s.rows...) {
		rows = append(rows, append(cells[:len(cells):len(cells)], make([]string, len(s.columns)-len(cells))...))
	}
	return rows
}

func (t *table) print(to io.Writer) {
	for _, s := range t.filled() {
		fmt.Fprintf(to, "\n%s (%d CPUs, %s/%s)\n", s.title, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
		aligned := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
		for _, cells := range s.padded() {
			fmt.Fprintln(aligned, strings.Join(cells, "\t")+"\t")
		}
		_ = aligned.Flush() // there is nowhere to tell of an error
	}
}
