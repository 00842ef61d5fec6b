package bench

import (
	"fmt"
	"testing"
	"time"
)

// silent is how many contacts' windows are open beside those who reply.
const silent = 400

// repliesFor is how long replies come in, at the scale of this run.
func repliesFor() time.Duration { return time.Duration(scale() * float64(30*time.Second)) }

// BenchmarkReplies measures how soon a reply is answered: from the webhook to
// Message 2 at the provider, whose acknowledgements come in meanwhile.
func BenchmarkReplies(b *testing.B) {
	for _, load := range []struct {
		perSecond float64
		target    time.Duration
	}{
		{perSecond: 20, target: 300 * time.Millisecond},
		{perSecond: 50},
	} {
		b.Run(fmt.Sprintf("%.0f-a-second", load.perSecond), func(b *testing.B) {
			at := steady(load.perSecond, repliesFor())
			s := startServers(b)
			floor := workflowFloor(s, at)
			a := startAnswering(s, len(at)+silent)
			replies := a.replies(len(at))

			table := results.add(fmt.Sprintf("Replies: %.0f a second for %s, %d contacts waiting", load.perSecond, repliesFor(), a.contacts))
			answers := a.measure(table, replies, at, load.target)
			table.addLoad("floor: workflow signalled", floor.load, 0)
			table.addLatencies("floor: its first activity", floor.activities[0], 0)
			table.addLatencies("floor: its second activity", floor.activities[1], 0)
			table.addRatio("Message 2, times the first", answers, floor.activities[0])
			report(b, answers, floor.activities[0])
		})
	}
}

// BenchmarkBurst measures how soon replies are answered that all come at once.
func BenchmarkBurst(b *testing.B) {
	for _, burst := range []struct {
		replies int
		target  time.Duration
	}{
		{replies: 500, target: 5 * time.Second},
		{replies: 1000},
	} {
		at := atOnce(sized(burst.replies))
		b.Run(fmt.Sprintf("%d-at-once", len(at)), func(b *testing.B) {
			s := startServers(b)
			floor := workflowFloor(s, at)
			a := startAnswering(s, sized(1000))
			replies := a.replies(len(at))

			table := results.add(fmt.Sprintf("Burst: %d replies at once, %d contacts waiting", len(at), a.contacts))
			answers := a.measure(table, replies, at, burst.target)
			table.addLoad("floor: workflow signalled", floor.load, 0)
			table.addLatencies("floor: its first activity", floor.activities[0], 0)
			table.addRatio("Message 2, times the first", answers, floor.activities[0])
			report(b, answers, floor.activities[0])
		})
	}
}
