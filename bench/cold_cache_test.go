package bench

import (
	"fmt"
	"testing"
	"time"
)

const (
	readyTarget   = time.Second
	coldPerSecond = 20
	coldWaiting   = 10_000
)

// BenchmarkColdCache measures Relance just after a crash: none of the waiting
// workflows is in its cache, so each that is woken is replayed first.
func BenchmarkColdCache(b *testing.B) {
	a := startAnswering(startServers(b), sized(coldWaiting))
	at := steady(coldPerSecond, repliesFor())
	replies := a.replies(len(at))
	a.kill()
	took := a.start("serve")

	table := results.add(fmt.Sprintf("Cold cache: killed and started again, then %d replies a second for %s, %d contacts waiting",
		coldPerSecond, repliesFor(), a.contacts))
	table.addLatencies("ready after the start", latencies{took}, readyTarget)
	answers := a.measure(table, replies, at, 0)
	b.ReportMetric(took.Seconds(), "ready-s")
	b.ReportMetric(milliseconds(answers.summary().p99), "p99-ms")
	b.ReportMetric(0, "ns/op")
}
