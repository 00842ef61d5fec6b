package bench

import (
	"errors"
	"fmt"
	"os"
	"testing"
)

// results gathers what the benchmarks find, because the testing package offers
// no way from a benchmark to TestMain.
var results table

func TestMain(m *testing.M) {
	code := m.Run()
	results.print(os.Stdout)
	// What failed is no result.
	if file := os.Getenv("RESULTS"); file != "" && code == 0 {
		if err := writeResults(file); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

func writeResults(file string) error {
	where := machine(results.servers) // before the file is a change of what is checked out
	to, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	return errors.Join(results.writeMarkdown(to, where), to.Close())
}

// report adds what was measured, and its floor, to the benchmark's own line.
func report(b *testing.B, measured, floor latencies) {
	m, f := measured.summary(), floor.summary()
	b.ReportMetric(milliseconds(m.p50), "p50-ms")
	b.ReportMetric(milliseconds(m.p99), "p99-ms")
	b.ReportMetric(milliseconds(m.longest), "max-ms")
	b.ReportMetric(milliseconds(f.p50), "floor-p50-ms")
	b.ReportMetric(milliseconds(f.p99), "floor-p99-ms")
	b.ReportMetric(milliseconds(f.longest), "floor-max-ms")
	b.ReportMetric(0, "ns/op") // the time of the whole run, servers and all, says nothing
}
