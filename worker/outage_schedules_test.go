package worker_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/relance/relance/campaign"
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
		if last > 0 {
			outages = append(outages, outage{what, at, last})
		}
	}
	return outages
}

// answered is one reply as its sender saw it.
type answered struct {
	event       string
	began, kept time.Time // the first attempt, and the first answer of 200
	parked      bool
}

// parkedLater is how much later than its 200 a parked reply may be dated: what
// Temporal needs to hand it to a worker.
const parkedLater = time.Second

// The real servers, killed and started again around the end of the windows: the
// model is in judge. A failing case prints its seed and what happened.
func TestNoReplyIsLostOrMisjudgedWhateverStopsAroundTheEndOfTheWindow(t *testing.T) {
	t.Parallel()
	checks, contacts := 1, 20
	if os.Getenv("RELANCE_SOAK") != "" {
		checks, contacts = 10, 100 // a thousand schedules
	}
	setFlag(t, "rapid.checks", fmt.Sprint(checks))
	setFlag(t, "rapid.shrinktime", "0s") // each try takes half a minute
	setFlag(t, "rapid.nofailfile", "true")
	s := ownServers(t)
	rules := shrunk()
	sending := 10*time.Second + time.Duration(contacts)*100*time.Millisecond // the first window must not end before the last message has left
	rules.ReplyWindow, rules.Deadline = sending+4*time.Second, 3*time.Minute
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
		for _, o := range outages {
			rt.Log(o)
		}
		r.liveThrough(rt, s, sending, schedules, outages)
	})
}

func setFlag(t *testing.T, name, value string) {
	t.Helper()
	before := flag.Lookup(name).Value.String()
	require.NoError(t, flag.Set(name, value))
	t.Cleanup(func() { require.NoError(t, flag.Set(name, before)) })
}

// liveThrough runs a campaign with one contact for each schedule and judges it.
func (r *relance) liveThrough(rt *rapid.T, s *servers, sending time.Duration, schedules []schedule, outages []outage) {
	stopWorker := r.startWorker()
	defer func() { stopWorker() }()
	id := r.launch(len(schedules))
	require.Eventually(rt, func() bool {
		return r.count(`SELECT count(*) FROM recipients WHERE campaign_id = $1 AND window_ends_at IS NOT NULL`, id) == len(schedules)
	}, sending, 5*time.Millisecond, "all are sent Message 1")
	recipients := r.windows(id)
	middle := recipients[len(recipients)/2].end

	var mu sync.Mutex
	var all []answered
	var parties sync.WaitGroup
	for i, planned := range schedules {
		for n, reply := range planned.replies {
			for range reply.copies {
				parties.Go(func() {
					event := fmt.Sprintf("%s-%d-%d", id, i, n)
					one := r.insist(rt, event, recipients[i].phone, recipients[i].end.Add(reply.at))
					mu.Lock()
					defer mu.Unlock()
					all = append(all, one)
				})
			}
		}
	}
	for _, o := range outages {
		parties.Go(func() {
			<-time.After(time.Until(middle.Add(o.at)))
			switch o.what {
			case "database":
				s.stopDatabase()
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
		})
	}
	parties.Wait()
	r.awaitEnd(id)
	r.awaitNothingParked()
	r.requireLedger(id)
	r.judge(rt, id, all)
}

// insist delivers a webhook at a given moment, and again until it is accepted.
func (r *relance) insist(rt *rapid.T, event, phone string, at time.Time) answered {
	<-time.After(time.Until(at))
	one := answered{event: event, began: time.Now()}
	for {
		code, said, err := r.post(replyWebhook(event, phone))
		if err == nil && code == http.StatusOK {
			one.kept, one.parked = time.Now(), said == "parked"
			return one
		}
		if time.Since(one.began) > time.Minute {
			rt.Errorf("%s: refused for a minute", event)
			return one
		}
		<-time.After(100 * time.Millisecond)
	}
}

type recipientWindow struct {
	contact uuid.UUID
	phone   string
	end     time.Time
}

func (r *relance) windows(id uuid.UUID) (windows []recipientWindow) {
	r.t.Helper()
	rows, err := r.store.Pool().Query(`SELECT contact_id, phone, window_ends_at FROM recipients WHERE campaign_id = $1 ORDER BY window_ends_at`, id)
	require.NoError(r.t, err)
	defer rows.Close()
	for rows.Next() {
		var w recipientWindow
		require.NoError(r.t, rows.Scan(&w.contact, &w.phone, &w.end))
		windows = append(windows, w)
	}
	require.NoError(r.t, rows.Err())
	return windows
}

func (r *relance) awaitNothingParked() {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		return r.countAll(`SELECT count(*) FROM webhook_events WHERE processed_at IS NULL`) == 0 && r.countAll(`
			SELECT count(*) FROM recipients WHERE finished_at IS NULL`) == 0
	}, time.Minute, 50*time.Millisecond)
}

func (r *relance) countAll(query string) (n int) {
	r.t.Helper()
	require.NoError(r.t, r.store.Pool().QueryRow(query).Scan(&n))
	return n
}

// judge holds what Relance recorded and decided against what the senders saw:
// every accepted reply is recorded once, dated between its sending and its
// acceptance, and a contact gets Message 2 if and only if one of them came before
// the window's end.
func (r *relance) judge(rt *rapid.T, id uuid.UUID, all []answered) {
	first := map[string]answered{}
	for _, one := range all {
		known, ok := first[one.event]
		if !ok {
			first[one.event] = one
			continue
		}
		if one.began.Before(known.began) {
			known.began = one.began
		}
		if one.kept.Before(known.kept) {
			known.kept = one.kept
		}
		known.parked = known.parked || one.parked
		first[one.event] = known
	}
	inTime, recorded := map[uuid.UUID]bool{}, 0
	rows, err := r.store.Pool().Query(`
		SELECT i.event_key, i.contact_id, i.received_at, i.within_24h, i.received_at < r.window_ends_at
		FROM interactions i JOIN recipients r USING (campaign_id, contact_id) WHERE campaign_id = $1`, id)
	require.NoError(rt, err)
	defer rows.Close()
	for rows.Next() {
		var key string
		var contact uuid.UUID
		var received time.Time
		var within, before bool
		require.NoError(rt, rows.Scan(&key, &contact, &received, &within, &before))
		recorded++
		event := strings.Split(key, "|")[2]
		one, ok := first[event]
		require.True(rt, ok, "nobody sent %s", event)
		require.Equal(rt, before, within, "judged by when it was taken in")
		require.False(rt, received.Before(one.began), "%s is dated %v before it was sent", event, one.began.Sub(received))
		latest := one.kept
		if one.parked {
			latest = latest.Add(parkedLater)
		}
		require.False(rt, received.After(latest), "%s is dated %v after it was accepted", event, received.Sub(one.kept))
		inTime[contact] = inTime[contact] || within
	}
	require.NoError(rt, rows.Err())
	require.Equal(rt, len(first), recorded, "every accepted reply is recorded once")
	recipients, err := r.store.Correspondences(r.t.Context(), id)
	require.NoError(rt, err)
	for _, c := range recipients {
		want, replied := campaign.NoInteraction, false
		if in, ok := inTime[c.ContactID]; ok {
			want, replied = campaign.LateInteraction, in
		}
		if replied {
			want = campaign.Message2Sent
		}
		require.Equal(rt, want, c.State)
	}
}
