package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/relance/relance/campaign"
)

// String tells the whole plan.
func (p plan) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "seed %d: %s of chaos, %d contacts, at most %d messages in %s, replies within %s, reserve %g, ahead %t\n",
		p.seed, p.length, p.contacts(), p.limit, p.quotaWindow, p.replyWindow, p.reserve, p.ahead)
	for _, c := range p.campaigns {
		fmt.Fprintf(&s, "%9s  start        %s, contacts %d to %d\n", c.startsAt, c.name, c.from, c.to-1)
	}
	for _, a := range p.acts {
		fmt.Fprintf(&s, "%s\n", a)
	}
	return s.String()
}

// finding is what one seed showed.
type finding struct {
	plan       plan
	took       time.Duration
	inflicted  map[deed]int
	violations []violation

	message1, message2, replies, webhooks, cut int
	peak, edges                                int
	dated                                      []time.Duration
	rested                                     time.Duration // after all had healed
	honest                                     map[string]int
	falls                                      int // of processes that could not begin
	forced                                     int
}

// find puts together what a run has shown.
func (r *run) find(j *judgement, unrest error, took time.Duration) finding {
	f := finding{
		plan: r.plan, took: took, inflicted: r.inflicted, violations: j.violations, replies: len(j.ledger.Replies), webhooks: len(j.ledger.Webhooks),
		peak: j.peak, edges: j.edges, dated: j.dated, honest: j.honest, rested: r.rested,
	}
	if unrest != nil {
		f.violations = append(f.violations, violation{restless, unrest.Error()})
	}
	for id, left := range j.left {
		if j.messages[id].kind == campaign.Message1 {
			f.message1 += len(left)
		} else {
			f.message2 += len(left)
		}
	}
	for _, l := range r.links {
		l.mu.Lock()
		f.cut += l.cut
		l.mu.Unlock()
	}
	for name, p := range r.places {
		p.mu.Lock()
		f.forced += p.forced
		f.falls += p.stillborn
		for _, fall := range p.fell {
			f.violations = append(f.violations, violation{fallen, name + ": " + fall})
		}
		p.mu.Unlock()
	}
	return f
}

func (f finding) count(c charge) (n int) {
	for _, v := range f.violations {
		if v.charge == c {
			n++
		}
	}
	return n
}

func (f finding) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "seed %d took %s. Broken:", f.plan.seed, f.took.Round(time.Second))
	deeds := slices.SortedFunc(maps.Keys(f.inflicted), func(a, b deed) int {
		return cmp.Or(cmp.Compare(a.to, b.to), cmp.Compare(a.what, b.what))
	})
	to := ""
	for _, d := range deeds {
		if d.to != to {
			to = d.to
			fmt.Fprintf(&s, "\n  %s:", to)
		}
		fmt.Fprintf(&s, " %s %d", d.what, f.inflicted[d])
	}
	fmt.Fprintf(&s, "\n  %d connections were reset; %d times a process could not begin, %d had to be killed to stop\n", f.cut, f.falls, f.forced)
	fmt.Fprintf(&s, "  %d Message 1, %d Message 2, %d replies (%d at the very end of a window), %d webhooks; at most %d of %d in one window of the quota\n",
		f.message1, f.message2, f.replies, f.edges, f.webhooks, f.peak, f.plan.limit)
	fmt.Fprintf(&s, "  all had come to rest %s after the last thing was mended\n", f.rested.Round(time.Second))
	if len(f.dated) > 0 {
		fmt.Fprintf(&s, "  %d parked replies were dated late, by %s at most\n", len(f.dated), slices.Max(f.dated))
	}
	for _, why := range slices.Sorted(maps.Keys(f.honest)) {
		fmt.Fprintf(&s, "  %d %s\n", f.honest[why], why)
	}
	for _, c := range charges {
		fmt.Fprintf(&s, "  %s %d", c, f.count(c))
	}
	s.WriteString("\n")
	for _, v := range f.violations {
		fmt.Fprintf(&s, "  BROKEN: %s: %s\n", v.charge, v.detail)
	}
	return s.String()
}

// sum is what several seeds showed.
type sum struct {
	rows       []finding
	violations int
}

func (s *sum) add(f finding) {
	s.rows = append(s.rows, f)
	s.violations += len(f.violations)
}

// String is a table for docs/reliability.md.
func (s sum) String() string {
	var text strings.Builder
	text.WriteString("\n| seed | faults | messages | replies | fullest window |")
	for _, c := range charges {
		fmt.Fprintf(&text, " %s |", c)
	}
	text.WriteString("\n|" + strings.Repeat("---|", 5+len(charges)) + "\n")
	faults, messages, replies := 0, 0, 0
	total := map[charge]int{}
	for _, f := range s.rows {
		n := 0
		for _, times := range f.inflicted {
			n += times
		}
		faults, messages, replies = faults+n, messages+f.message1+f.message2, replies+f.replies
		fmt.Fprintf(&text, "| %d | %d | %d | %d | %d of %d |", f.plan.seed, n, f.message1+f.message2, f.replies, f.peak, f.plan.limit)
		for _, c := range charges {
			total[c] += f.count(c)
			fmt.Fprintf(&text, " %d |", f.count(c))
		}
		text.WriteString("\n")
	}
	fmt.Fprintf(&text, "| all | %d | %d | %d | |", faults, messages, replies)
	for _, c := range charges {
		fmt.Fprintf(&text, " %d |", total[c])
	}
	text.WriteString("\n")
	return text.String()
}
