package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// what is a way of breaking something.
type what string

// What is done to a process.
const (
	kill   what = "kill"   // SIGKILL, and started again
	stop   what = "stop"   // SIGTERM, and started again
	freeze what = "freeze" // SIGSTOP, and SIGCONT
)

// What is done to a link between two processes.
const (
	refuse  what = "refuse"  // whoever is connected is cut off, and nobody gets through
	reset   what = "reset"   // connections are reset when an answer is on its way
	swallow what = "swallow" // whatever is sent is lost, and nobody is told
	mute    what = "mute"    // requests get through, answers are lost
	delay   what = "delay"   // both take longer
)

// What the provider does by itself.
const (
	unclear what = "unclear" // sends fail in ways that do not tell whether they succeeded
	turning what = "turning away"
	blind   what = "blind" // look-ups fail, or come too early
	slow    what = "slow"
	halt    what = "halt" // the device is logged out
)

// What an admin does.
const (
	pause  what = "pause" // and resumes
	cancel what = "cancel"
)

// act is one thing that is broken for a while.
type act struct {
	at, length time.Duration
	victim     string
	what       what
	amount     time.Duration // of a delay
	campaign   int           // of an admin's decision, by its place in the plan
}

func (a act) String() string {
	text := fmt.Sprintf("%9s  %-12s %s for %s", a.at, a.what, a.victim, a.length)
	if a.amount > 0 {
		text += fmt.Sprintf(", by %s", a.amount)
	}
	return text
}

// Names of what can be broken.
const (
	thePostgres = "postgres"
	theTemporal = "temporal"
	theRedis    = "redis"
	theProvider = "provider"
	theConduct  = "the provider's conduct"
	theWhole    = "all processes at once"
	theAdmin    = "the campaigns"
	theLast     = "one campaign" // for good
)

var (
	relanceProcesses = []string{"api-0", "api-1", "worker-0", "worker-1"}
	apis             = relanceProcesses[:2]
	servers          = []string{thePostgres, theTemporal, theRedis, theProvider}
	everybody        = slices.Concat(relanceProcesses, servers)
)

// linkName names the link from one process to another.
func linkName(from, to string) string { return from + " to " + to }

// temper is how often something is broken, and for how long.
type temper struct {
	what           []what
	rests, lengths [2]time.Duration
	freezes        time.Duration // at most; 0 where that is lengths[1]
}

var (
	ofRelance  = temper{what: []what{kill, kill, stop, freeze}, rests: seconds(8, 35), lengths: seconds(0, 4), freezes: longestFreeze}
	ofPostgres = temper{what: []what{kill, kill, stop, freeze}, rests: seconds(18, 60), lengths: seconds(0, 6)}
	ofTemporal = temper{what: []what{kill, kill, stop, freeze}, rests: seconds(22, 70), lengths: seconds(0, 6)}
	ofRedis    = temper{what: []what{kill, stop, freeze}, rests: seconds(12, 45), lengths: seconds(0, 8)}
	ofProvider = temper{what: []what{kill, stop, freeze}, rests: seconds(18, 60), lengths: seconds(0, 4), freezes: 12 * time.Second}
	ofTheWhole = temper{what: []what{kill}, rests: seconds(50, 150), lengths: seconds(0.2, 3)}
	ofLinks    = temper{what: []what{refuse, reset, swallow, mute, delay}, rests: seconds(15, 90), lengths: seconds(0.3, 8)}
	ofConduct  = temper{what: []what{unclear, unclear, turning, blind, slow, halt}, rests: seconds(5, 20), lengths: seconds(2, 8)}
	ofAdmin    = temper{what: []what{pause}, rests: seconds(15, 50), lengths: seconds(1, 6)}
)

func seconds(low, high float64) [2]time.Duration {
	return [2]time.Duration{time.Duration(low * float64(time.Second)), time.Duration(high * float64(time.Second))}
}

// longestFreeze of one of Relance's own processes is longer than its requests to the
// provider may take, so that some thaw when they must not send any more.
const longestFreeze = 14 * time.Second

// drawActs decides what is broken when. Each victim suffers by itself, one thing at
// a time; several victims at once are chance, but for a power cut, which meets all.
func (p *plan) drawActs() {
	for _, name := range relanceProcesses {
		p.suffer(name, ofRelance)
	}
	p.suffer(thePostgres, ofPostgres)
	p.suffer(theTemporal, ofTemporal)
	p.suffer(theRedis, ofRedis)
	p.suffer(theProvider, ofProvider)
	p.suffer(theWhole, ofTheWhole)
	for _, from := range relanceProcesses {
		for _, to := range servers {
			p.suffer(linkName(from, to), ofLinks)
		}
	}
	for _, to := range apis {
		p.suffer(linkName(theProvider, to), ofLinks)
	}
	p.suffer(theConduct, ofConduct)
	p.suffer(theAdmin, ofAdmin)
	if d := throw(p.seed, theLast); d.chance(0.3) {
		p.acts = append(p.acts, act{at: d.span(p.length/3, p.length), victim: theLast, what: cancel, campaign: d.IntN(len(p.campaigns))})
	}
	slices.SortStableFunc(p.acts, func(a, b act) int { return cmp.Compare(a.at, b.at) })
}

// suffer draws all that happens to one victim.
func (p *plan) suffer(victim string, t temper) {
	d := throw(p.seed, victim)
	// A short run has as much of everything, and less rest in between.
	shorter := max(min(p.length.Seconds()/90, 1), 0.3)
	rest := func() time.Duration {
		return time.Duration(float64(d.span(t.rests[0], t.rests[1])) * shorter).Round(time.Millisecond)
	}
	// The first comes sooner, or a short run would see the lively ones alone.
	for at := time.Duration(d.Float64() * float64(rest())).Round(time.Millisecond); at < p.length; at += rest() {
		a := act{at: at, victim: victim, what: pick(d, t.what)}
		longest := t.lengths[1]
		if a.what == freeze && t.freezes > 0 {
			longest = t.freezes
		}
		a.length = min(d.span(t.lengths[0], longest), p.length-at)
		if a.what == delay {
			a.amount = d.span(20*time.Millisecond, sendSettle/2)
		}
		if a.what == pause {
			a.campaign = d.IntN(len(p.campaigns))
		}
		p.acts = append(p.acts, a)
		at += a.length
	}
}
