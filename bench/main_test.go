package bench

import (
	"os"
	"testing"
)

// results gathers what the benchmarks find, because the testing package offers
// no way from a benchmark to TestMain.
var results table

func TestMain(m *testing.M) {
	code := m.Run()
	results.print(os.Stdout)
	os.Exit(code)
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
