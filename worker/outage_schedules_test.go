package worker_test

import (
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/relance/relance/intake"
	"github.com/relance/relance/wassenger"
	"github.com/relance/relance/wassenger/simulator"
)

// schedule is what happens around the end of one contact's window: when replies
// come, measured from that end, and how often each is delivered.
type schedule struct {
	replies []plannedReply
}

type plannedReply struct {
	at     time.Duration
	copies int
}

// outage is a server or worker that is away for a while, measured from the
// middle one of all windows' ends.
type outage struct {
	what     string
	at, last time.Duration
}

func (o outage) String() string { return fmt.Sprintf("%s away at %v for %v", o.what, o.at, o.last) }

func drawSchedule(t *rapid.T) schedule {
	milliseconds := func(least, most int, label string) time.Duration {
		return time.Duration(rapid.IntRange(least, most).Draw(t, label)) * time.Millisecond
	}
	var s schedule
	for range rapid.IntRange(0, 3).Draw(t, "replies") {
		s.replies = append(s.replies, plannedReply{at: milliseconds(-2000, 2000, "at"), copies: rapid.IntRange(1, 3).Draw(t, "copies")})
	}
	return s
}

func drawOutages(t *rapid.T) (outages []outage) {
	for _, what := range []string{"database", "Temporal", "worker"} {
		at := time.Duration(rapid.IntRange(-3000, 1500).Draw(t, what+" at")) * time.Millisecond
		last := time.Duration(rapid.IntRange(0, 2000).Draw(t, what+" for")) * time.Millisecond
		if what == "database" { // always, and long enough to tell when a reply is dated
			last = max(last, time.Second)
		}
		if last > 0 {
			outages = append(outages, outage{what, at, last})
		}
	}
	return outages
}

// The real servers, killed and started again around the end of the windows: the
// model is in judge.
func TestNoReplyIsLostOrMisjudgedWhateverStopsAroundTheEndOfTheWindow(t *testing.T) {
	t.Parallel()
	checks, contacts := 1, 20
	if os.Getenv("RELANCE_SOAK") != "" {
		checks, contacts = 10, 100 // a thousand schedules
	}
	setFlag(t, "rapid.checks", fmt.Sprint(checks))
	setFlag(t, "rapid.shrinktime", "0s")
	setFlag(t, "rapid.nofailfile", "true")
	s := ownServers(t)
	rules := shrunk()
	rules.ReplyWindow = 8 * time.Second
	r := startOn(t, s.temporal, s.url, rules, func(c *simulator.Config) {
		c.Delivery = simulator.Delivery{Duplicate: 0.2, Reorder: 0.2, AckBeforeResponse: 0.1, RetryBase: 50 * time.Millisecond}
		c.Contacts = simulator.Behaviour{DeliveryDelay: simulator.Delay{Max: 10 * time.Second}, Read: 0.8, ReadDelay: simulator.Delay{Max: 2 * time.Second}}
	})
	rapid.Check(t, func(rt *rapid.T) {
		schedules := make([]schedule, contacts)
		for i := range schedules {
			schedules[i] = drawSchedule(rt)
		}
		outages := drawOutages(rt)
		t.Log(schedules, outages) // played again, it would come out differently
		r.liveThrough(s, schedules, outages)
	})
}

func setFlag(t *testing.T, name, value string) {
	t.Helper()
	before := flag.Lookup(name).Value.String()
	require.NoError(t, flag.Set(name, value))
	t.Cleanup(func() { require.NoError(t, flag.Set(name, before)) })
}

// liveThrough runs a campaign with one contact for each schedule and judges it.
// Each contact's replies are measured from the end of its own window, however
// late its Message 1 leaves; outages from that of the contact in the middle.
func (r *relance) liveThrough(s *servers, schedules []schedule, outages []outage) {
	stopWorker := r.startWorker()
	defer func() { stopWorker() }()
	id := r.launch(len(schedules))
	people := &senders{relance: r}
	suffer := func(o outage, middle recipientWindow) {
		<-time.After(time.Until(middle.end.Add(o.at)))
		switch o.what {
		case "database":
			s.stopDatabase()
			people.say(fmt.Sprintf("%s-away", id), middle.phone, time.Now())
			<-time.After(o.last)
			s.startDatabase()
		case "Temporal":
			s.stopTemporal()
			<-time.After(o.last)
			s.startTemporal()
		case "worker":
			stopWorker()
			<-time.After(o.last)
			stopWorker = r.startWorker()
		}
	}
	begun := map[uuid.UUID]bool{}
	begin := func(window recipientWindow) {
		i := len(begun)
		begun[window.contact] = true
		for n, reply := range schedules[i].replies {
			for range reply.copies {
				people.say(fmt.Sprintf("%s-%d-%d", id, i, n), window.phone, window.end.Add(reply.at))
			}
		}
		if i < len(deaths) {
			people.sayToTheDying(deaths[i], fmt.Sprintf("%s-dying-%d", id, i), window)
		}
		if i == len(schedules)/2 {
			for _, o := range outages {
				people.Go(func() { suffer(o, window) })
			}
		}
	}
	require.Eventually(r.t, func() bool {
		windows, err := r.windows(id)
		for _, window := range windows {
			if err == nil && !begun[window.contact] { // the database may be away already
				begin(window)
			}
		}
		return len(begun) == len(schedules)
	}, patience, 10*time.Millisecond, "all are sent Message 1")
	people.Wait()
	r.awaitEnd(id)
	r.judge(id, people.answers())
}

// senders are people who reply, and what they were answered.
type senders struct {
	*relance
	sync.WaitGroup

	mu  sync.Mutex
	all []answered
}

// say has a reply delivered at a given moment.
func (p *senders) say(event, phone string, at time.Time) {
	p.Go(func() {
		<-time.After(time.Until(at))
		p.note(p.insist(p.t, event, phone))
	})
}

// death is that of a process that takes a reply in before the window's end, and
// applies it or not, and dies before it wakes anybody.
type death struct {
	before  time.Duration
	applied bool
}

// The database is not away for long enough to be so at both moments of a kind.
// The dispatcher looks for what is two seconds old.
var deaths = []death{{3 * time.Second, false}, {300 * time.Millisecond, false}, {1900 * time.Millisecond, true}, {100 * time.Millisecond, true}}

func (p *senders) sayToTheDying(d death, event string, window recipientWindow) {
	p.Go(func() {
		<-time.After(time.Until(window.end.Add(-d.before)))
		one := answered{event: event, phone: window.phone, began: time.Now(), said: intake.StatusOK}
		raw := replyWebhook(event, window.phone)
		events, _ := wassenger.ParseWebhook(raw)
		stored, err := p.store.KeepWebhook(p.t.Context(), events[0].Key, raw, time.Time{})
		if one.kept = time.Now(); err != nil { // the database is away
			again := p.insist(p.t, event, window.phone)
			one.kept, one.said = again.kept, again.said
		} else if d.applied {
			_, _ = p.store.Apply(p.t.Context(), events[0], stored.ReceivedAt)
		}
		p.note(one)
	})
}

func (p *senders) note(one answered) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, one)
}

func (p *senders) answers() []answered {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all
}
