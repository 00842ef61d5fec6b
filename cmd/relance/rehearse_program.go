package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/rehearsal"
)

// program prints a rehearsal for people.
type program struct {
	rehearsal.Result
	rules campaign.Rules
	place *time.Location
	out   io.Writer
}

func (p program) say(format string, args ...any) { fmt.Fprintf(p.out, format+"\n", args...) }

func (p program) print(message1, message2 string) {
	p.say("%s start at %s. Of them %.0f %% reply, %s after Message 1.", plural(p.Contacts, "contact"), p.moment(p.Start), p.ReplyRate*100, p.ReplyAfter)
	p.say("At most %s in any %s, reserve for replies %g, sending hours %s, pace %s.",
		plural(p.SendLimit, "message"), rehearsal.Brief(p.rules.Quota.Window), p.rules.Quota.Reserve, p.rules.Hours, p.rules.Pace)
	p.say("")
	p.sample("Message 1", message1)
	p.sample("Message 2", message2)
	p.table()
	p.say("")
	p.ending()
}

// example is whom texts are shown as written to.
var example = map[string]string{"name": "Camille"}

func (p program) sample(which, text string) {
	if text != "" {
		p.say("%s to somebody called %s, of whom nothing else is known:\n\n%s\n", which, example["name"], indented(campaign.Render(text, example)))
	}
}

func indented(text string) string { return "    " + strings.ReplaceAll(text, "\n", "\n    ") }

const (
	rowFormat  = "%-7s %-9s %9s %7s %9s %7s %7s %6s  %s"
	chartWidth = 30
)

// table has a row for every hour in which a message leaves or a reply comes;
// quiet hours between them share one.
func (p program) table() {
	p.say(rowFormat, "hour", "begins", "Message 1", "replies", "Message 2", "refused", "waiting", "final", "█ Message 1  ▒ Message 2")
	busiest := 1
	for _, hour := range p.Hours {
		busiest = max(busiest, hour.Message1+hour.Message2)
	}
	for first := 0; first < len(p.Hours); {
		last := first
		for idle(p.Hours[first]) && last+1 < len(p.Hours) && idle(p.Hours[last+1]) {
			last++
		}
		p.row(p.Hours[first:last+1], busiest)
		first = last + 1
	}
	p.say("refused: how often the quota said no; waiting: the most contacts that waited for it at once.")
}

func idle(hour rehearsal.Hour) bool { return hour.Message1+hour.Message2+hour.Replies == 0 }

func (p program) row(hours []rehearsal.Hour, busiest int) {
	first, last := hours[0], hours[len(hours)-1]
	number, refused, waiting := fmt.Sprint(first.Hour), 0, 0
	if len(hours) > 1 {
		number += fmt.Sprintf("–%d", last.Hour)
	}
	for _, hour := range hours {
		refused, waiting = refused+hour.RefusedForQuota, max(waiting, hour.WaitingForQuota)
	}
	chart := cells("█", first.Message1, busiest) + cells("▒", first.Message2, busiest)
	p.say(strings.TrimRight(fmt.Sprintf(rowFormat, number, p.clock(first.At), count(first.Message1), count(first.Replies),
		count(first.Message2), count(refused), count(waiting), count(last.FinalStates.Total()), chart), " "))
}

// cells is a piece of the chart; whatever is not nothing can be seen.
func cells(cell string, n, busiest int) string {
	return strings.Repeat(cell, (n*chartWidth+busiest-1)/busiest)
}

// count leaves zeros out of the way.
func count(n int) string {
	if n == 0 {
		return "·"
	}
	return fmt.Sprint(n)
}

// ending says in plain words what came of everyone.
func (p program) ending() {
	if p.LastMessage1At != nil {
		p.say("%s sent, the last on %s.", plural(p.Message1, "Message 1"), p.moment(*p.LastMessage1At))
	}
	late := ""
	if p.LateReplies > 0 {
		late = fmt.Sprintf(" (%d too late)", p.LateReplies)
	}
	p.say("%s%s, %s sent.", plural(p.Replies, "reply"), late, plural(p.Message2, "Message 2"))
	p.say("At most %d of %d messages leave in any %s.", p.PeakQuotaUse, p.SendLimit, rehearsal.Brief(p.rules.Quota.Window))
	p.say("The campaign completes on %s, after %s.", p.moment(p.CompletesAt), rehearsal.Brief(p.CompletesAt.Sub(p.Start).Round(time.Second)))
	if p.LastContactFinalAt.After(p.CompletesAt) {
		p.say("Contacts who were sent Message 1 late live through their own window until %s.", p.moment(p.LastContactFinalAt))
	}
	var states []string
	for _, state := range campaign.RecipientStates {
		if n := p.FinalStates[state]; n > 0 {
			states = append(states, fmt.Sprintf("%s %d", state, n))
		}
	}
	p.say("In the end: %s.", strings.Join(states, ", "))
	if p.NotReached > 0 {
		p.say("%s NOT reached before the deadline: the limit, the reserve for replies, the sending hours or the pace leave no room for more.",
			plural(p.NotReached, "contact"))
	}
}

func (p program) moment(at time.Time) string { return at.In(p.place).Format("Mon 2 Jan 15:04:05 MST") }

// clock is when an hour begins; seconds matter where hours are shrunk.
func (p program) clock(at time.Time) string {
	if p.HourSeconds < 60 {
		return at.In(p.place).Format("15:04:05")
	}
	return at.In(p.place).Format("Mon 15:04")
}

// plural writes 1 contact, 2 contacts, 1 reply, 2 replies.
func plural(n int, noun string) string {
	switch {
	case n == 1:
		return fmt.Sprintf("%d %s", n, noun)
	case strings.HasSuffix(noun, "y"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(noun, "y"))
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
