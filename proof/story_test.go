package proof

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// told is one line of the story.
type told struct {
	who  int // -1 for the campaign as a whole
	at   time.Duration
	text string
}

func (r *run) tell(who int, at time.Duration, format string, args ...any) {
	r.story = append(r.story, told{who, at, fmt.Sprintf(format, args...)})
}

const (
	toldContacts = 3
	toldLines    = 14 // of each
)

// tellStory tells what happened to the first contacts that the model complains
// about, and to the campaign.
func (r *run) tellStory(b books, broken []violation) string {
	var s strings.Builder
	q := r.plan.rules.Quota
	fmt.Fprintf(&s, "%d contacts; at most %d messages in %v, reserve %v; sending hours %v, pacing %s; the campaign is %s\n",
		len(r.plan.contacts), q.Limit, q.Window, q.Reserve, r.plan.hours, r.plan.rules.Pace, b.status)
	for _, o := range r.plan.outages {
		r.tell(-1, o.from, "the provider is away until %v", o.to)
	}
	if b.completed < never {
		r.tell(-1, b.completed, "the campaign is %s", b.status)
	}
	s.WriteString(r.linesAbout(-1))
	var who []int
	for _, v := range broken {
		if v.contact < 0 {
			fmt.Fprintf(&s, "BROKEN: %s: %s\n", v.rule, v.detail)
			s.WriteString(r.ends(b))
		} else if !slices.Contains(who, v.contact) {
			who = append(who, v.contact)
		}
	}
	for _, i := range who[:min(len(who), toldContacts)] {
		e := b.entries[i]
		fmt.Fprintf(&s, "Contact %d ends as %s (%s), final at %s:\n%s", i, e.state, e.reason, spoken(e.finished), r.linesAbout(i))
		for _, v := range broken {
			if v.contact == i {
				fmt.Fprintf(&s, "  BROKEN: %s: %s\n", v.rule, v.detail)
			}
		}
	}
	if more := len(who) - toldContacts; more > 0 {
		fmt.Fprintf(&s, "The same or worse happens to %d more contacts.\n", more)
	}
	return s.String()
}

// ends says in a line each how the first contacts ended.
func (r *run) ends(b books) string {
	var s strings.Builder
	for i, e := range b.entries[:min(len(b.entries), toldLines)] {
		c := r.past.contacts[i]
		fmt.Fprintf(&s, "  contact %d: %s (%s), final at %s; Message 1 left at %s, Message 2 at %s\n",
			i, e.state, e.reason, spoken(e.finished), spoken(c.left(message1)), spoken(c.left(message2)))
	}
	return s.String()
}

func (r *run) linesAbout(who int) string {
	slices.SortStableFunc(r.story, func(a, b told) int { return cmp.Compare(a.at, b.at) })
	var s strings.Builder
	n := 0
	for _, line := range r.story {
		if line.who != who {
			continue
		}
		if n++; n > toldLines {
			s.WriteString("  and so on\n")
			break
		}
		fmt.Fprintf(&s, "  %v %s\n", line.at, line.text)
	}
	return s.String()
}
