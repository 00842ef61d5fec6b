package rehearsal

import (
	"slices"
	"sort"
	"time"

	"github.com/relance/relance/campaign"
)

// device is what messages leave from: what counts against its quota, and the
// pacing of its Message 1s.
type device struct {
	window  time.Duration
	ledger  []time.Time // when each message left or leaves, in order
	expired int         // of the ledger, which does not count any more
	windows []time.Time // ends of windows that were open at the start
	leaving turns

	nextMessage1 time.Time // pacing's next free slot
	lastMessage1 time.Time
}

func newDevice(s Settings, leaving turns) device {
	d := device{window: s.Rules.Quota.Window, leaving: leaving, windows: slices.Clone(s.Load.OpenUntil)}
	for _, expires := range s.Load.SentExpire {
		d.ledger = append(d.ledger, expires.Add(-d.window))
	}
	slices.SortFunc(d.ledger, time.Time.Compare)
	// What is owed or admitted already leaves as the campaign starts.
	for range s.Load.Owed + s.Load.Admitted {
		d.ledger = append(d.ledger, s.Start)
	}
	for range s.Load.Admitted {
		d.windows = append(d.windows, campaign.WindowEnd(s.Start, s.Rules.ReplyWindow))
	}
	return d
}

// leave lets a message leave at the next free turn, and says when that is.
func (d *device) leave(message campaign.MessageType, now time.Time) time.Time {
	if n := len(d.ledger); n > 0 && d.ledger[n-1].After(now) {
		now = d.ledger[n-1]
	}
	at := d.leaving.next(now)
	d.ledger = append(d.ledger, at)
	if message == campaign.Message1 {
		d.lastMessage1 = at
	}
	return at
}

// sent is how many messages count against the quota. Time never goes back.
func (d *device) sent(now time.Time) int {
	for d.expired < len(d.ledger) && !d.ledger[d.expired].Add(d.window).After(now) {
		d.expired++
	}
	return len(d.ledger) - d.expired
}

// untilRoom is how long it takes until the oldest message stops counting; 0
// when none counts.
func (d *device) untilRoom(now time.Time) time.Duration {
	if d.sent(now) == 0 {
		return 0
	}
	return d.ledger[d.expired].Add(d.window).Sub(now)
}

// slots gives each of the next n Message 1s its moment under the pacing, as far
// ahead as freed quota is gathered. When the next is farther away, it tells how
// long to wait before asking again.
func (d *device) slots(rules campaign.Rules, n int, now time.Time, chance func() float64) ([]time.Time, time.Duration) {
	ahead, next := rules.Quota.AskAgain(0), now
	if d.nextMessage1.After(now) {
		next = d.nextMessage1
	}
	if next.Sub(now) > ahead {
		return nil, next.Sub(now) - ahead/2
	}
	var slots []time.Time
	for len(slots) < n && next.Sub(now) <= ahead && rules.Hours.Open(next) {
		slots = append(slots, next)
		if !rules.Pace.None() {
			next = next.Add(rules.Pace.Gap(chance()))
		}
	}
	if len(slots) == 0 {
		return nil, next.Sub(now)
	}
	d.nextMessage1 = next
	return slots, 0
}

// paced is how long a Message 1 has to wait for its slot, and for the shortest
// pause after the one before.
func (d *device) paced(p *person, pace campaign.Pace, now time.Time) time.Duration {
	if pace.None() {
		return 0
	}
	wait := p.notBefore.Sub(now)
	if !d.lastMessage1.IsZero() {
		wait = max(wait, d.lastMessage1.Add(pace.Min).Sub(now))
	}
	return max(wait, 0)
}

// peak is the most messages that left within any one window of the quota.
func (d *device) peak() int {
	most := 0
	for i, at := range d.ledger {
		since := at.Add(-d.window)
		first := sort.Search(i, func(k int) bool { return d.ledger[k].After(since) })
		most = max(most, i-first+1)
	}
	return most
}

// grid are the moments at which anything happens by chance or in a crowd.
type grid struct {
	start time.Time
	step  time.Duration
}

// tick is a second, or what stands for one where hours are shrunk, but never so
// short that the environment, which waits in real time for activities that
// still run, could come to the next tick before they have ended.
func tick(rules campaign.Rules) time.Duration {
	return min(max(rules.Hour()/3600, 100*time.Millisecond), time.Second)
}

// turns spreads a crowd: at most so many take their turn at one moment, the
// others a tick later each. A real worker sends no faster, and the environment
// holds at most 1,000 events: a campaign of more than that hangs in it if all
// its windows close at one moment.
type turns struct {
	grid
	taken map[time.Duration]int
}

const turnsAtOnce = 100

func newTurns(g grid) turns { return turns{grid: g, taken: map[time.Duration]int{}} }

// next is the first free turn at or after the given moment.
func (t turns) next(at time.Time) time.Time {
	tick := (at.Sub(t.start) + t.step - 1) / t.step
	for t.taken[tick] >= turnsAtOnce {
		tick++
	}
	t.taken[tick]++
	return t.start.Add(tick * t.step)
}
