package rehearsal

import (
	"maps"
	"slices"
	"time"

	"github.com/relance/relance/campaign"
)

// journal is what happened, to be read hour by hour when all is over.
type journal struct {
	entries   []entry
	completed time.Time
}

// entry is one thing that happened at a moment; fields that are about something
// else are zero.
type entry struct {
	at       time.Time
	message  campaign.MessageType // left
	replied  bool
	late     bool // the reply
	refused  bool // by the quota
	waiting  int  // how many more, or fewer, wait for the quota
	from, to campaign.RecipientState
}

func (j *journal) note(e entry) { j.entries = append(j.entries, e) }

// read counts everything into the result, in the order of time. Late replies
// that come when everyone is final, perhaps days later, are in no hour.
func (j *journal) read(r *Result, hour time.Duration) {
	slices.SortStableFunc(j.entries, func(a, b entry) int { return a.at.Compare(b.at) })
	r.LastContactFinalAt = j.lastFinal().UTC()
	waiting := 0
	for rest := j.entries; len(rest) > 0; {
		now := rest[0].at
		var of *Hour
		if !now.After(r.LastContactFinalAt) {
			of = r.hourOf(now, hour, waiting)
		}
		for ; len(rest) > 0 && rest[0].at.Equal(now); rest = rest[1:] {
			waiting += rest[0].waiting
			r.count(rest[0])
			if of != nil {
				of.count(rest[0])
			}
		}
		if of != nil { // who waits and leaves at the same moment has not waited
			of.WaitingForQuota = max(of.WaitingForQuota, waiting)
		}
	}
	r.hourOf(r.LastContactFinalAt, hour, waiting)
}

// lastFinal is when the last contact became final, or the campaign completed if
// that is later.
func (j *journal) lastFinal() time.Time {
	last := j.completed
	for _, e := range j.entries {
		if e.to.Final() && !e.from.Final() && e.at.After(last) {
			last = e.at
		}
	}
	return last
}

// hourOf is the hour of a moment. Hours that are missing up to it begin as the
// one before ended, with as many waiting as there are.
func (r *Result) hourOf(at time.Time, length time.Duration, waiting int) *Hour {
	n := int(at.Sub(r.Start) / length)
	for k := len(r.Hours); k <= n; k++ {
		hour := Hour{Hour: k, At: r.Start.Add(time.Duration(k) * length), FinalStates: States{}}
		if hour.At.Before(at) {
			hour.WaitingForQuota = waiting
		}
		if k > 0 {
			hour.FinalStates = maps.Clone(r.Hours[k-1].FinalStates)
		}
		r.Hours = append(r.Hours, hour)
	}
	return &r.Hours[n]
}

func (r *Result) count(e entry) {
	switch e.message {
	case campaign.Message1:
		r.Message1++
		at := e.at.UTC()
		r.LastMessage1At = &at
		if r.FirstMessage1At == nil {
			r.FirstMessage1At = &at
		}
	case campaign.Message2:
		r.Message2++
	}
	if e.replied {
		r.Replies++
	}
	if e.late {
		r.LateReplies++
	}
	if e.refused {
		r.RefusedForQuota++
	}
	r.FinalStates.move(e)
}

func (h *Hour) count(e entry) {
	switch e.message {
	case campaign.Message1:
		h.Message1++
	case campaign.Message2:
		h.Message2++
	}
	if e.replied {
		h.Replies++
	}
	if e.refused {
		h.RefusedForQuota++
	}
	h.FinalStates.move(e)
}

// States counts contacts by their final state; states that nobody is in are
// left out.
type States map[campaign.RecipientState]int

// Total is how many contacts are final.
func (s States) Total() (n int) {
	for _, contacts := range s {
		n += contacts
	}
	return n
}

func (s States) move(e entry) {
	if e.to.Final() {
		s[e.to]++
	}
	if e.from.Final() {
		if s[e.from]--; s[e.from] == 0 {
			delete(s, e.from)
		}
	}
}
