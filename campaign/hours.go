package campaign

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Hours are the hours of the day in which Message 1s may leave, such as
// 08:00-20:00 Europe/Paris. The zero value is always open.
//
// They are read off the wall clock of their place, also on the days on which
// the clock changes: a local time that does not exist opens nothing, one that
// occurs twice opens or closes twice.
type Hours struct {
	from, to time.Duration // since midnight on the wall clock; to < from spans midnight
	place    *time.Location
}

// anyHour is how an Hours that is always open is written.
const anyHour = "always"

// ParseHours reads sending hours as SEND_HOURS gives them: 08:00-20:00
// Europe/Paris, or 20:00-06:00 Europe/Paris for a span over midnight. "" and
// "always" are always open. The error is one sentence about what is expected,
// to be put after the name of the variable.
func ParseHours(s string) (Hours, error) {
	s = strings.TrimSpace(s)
	if s == "" || s == anyHour {
		return Hours{}, nil
	}
	words := strings.Fields(s)
	name := words[len(words)-1]
	from, to, ok := parseSpan(strings.Join(words[:len(words)-1], ""))
	if !ok {
		return Hours{}, fmt.Errorf("must be a span of hours and a time zone such as 08:00-20:00 Europe/Paris, not %q", s)
	}
	if from == to {
		return Hours{}, fmt.Errorf("must begin and end at different times, not %q; leave it empty to send at any hour", s)
	}
	place, err := time.LoadLocation(name)
	// "Local" would mean another place on every machine.
	if err != nil || place == time.Local {
		return Hours{}, fmt.Errorf("must end with a time zone such as Europe/Paris, not %q", name)
	}
	return Hours{from: from, to: to, place: place}, nil
}

func parseSpan(s string) (from, to time.Duration, ok bool) {
	first, last, _ := strings.Cut(s, "-")
	begin, err := time.Parse("15:04", first)
	if err != nil {
		return 0, 0, false
	}
	end, err := time.Parse("15:04", last)
	return sinceMidnight(begin), sinceMidnight(end), err == nil
}

// sinceMidnight is what the wall clock of t's location shows.
func sinceMidnight(t time.Time) time.Duration {
	hour, minute, second := t.Clock()
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute +
		time.Duration(second)*time.Second + time.Duration(t.Nanosecond())
}

// Open reports whether a Message 1 may leave at the given moment: from the
// first minute inclusive to the last exclusive.
func (h Hours) Open(at time.Time) bool {
	if h.always() {
		return true
	}
	clock := sinceMidnight(at.In(h.place))
	if h.from < h.to {
		return h.from <= clock && clock < h.to
	}
	return h.from <= clock || clock < h.to
}

// UntilOpen is how long it takes until Message 1s may leave; 0 while they may.
// The hours are open after exactly that time, and closed until then.
func (h Hours) UntilOpen(at time.Time) time.Duration {
	if h.Open(at) {
		return 0
	}
	return h.until(at, h.from, true)
}

// UntilClose is how long Message 1s may go on leaving; 0 when they may not now,
// and the longest duration there is when the hours are always open. The hours
// are closed after exactly that time, and open until then.
func (h Hours) UntilClose(at time.Time) time.Duration {
	switch {
	case h.always():
		return math.MaxInt64
	case !h.Open(at):
		return 0
	}
	return h.until(at, h.to, false)
}

// until finds the next moment at which Open becomes what is wanted. While the
// zone's offset stays the same that is when the clock next shows the edge;
// where the offset changes, the clock may jump over the edge, or back.
func (h Hours) until(at time.Time, edge time.Duration, open bool) time.Duration {
	const day = 24 * time.Hour
	for moment := at; ; {
		wait := (edge - sinceMidnight(moment.In(h.place)) + day) % day
		_, change := moment.In(h.place).ZoneBounds()
		if next := moment.Add(wait); change.IsZero() || next.Before(change) {
			return next.Sub(at)
		}
		if h.Open(change) == open {
			return change.Sub(at)
		}
		moment = change
	}
}

// String writes the hours as ParseHours reads them.
func (h Hours) String() string {
	if h.always() {
		return anyHour
	}
	midnight := time.Time{}
	return midnight.Add(h.from).Format("15:04") + "-" + midnight.Add(h.to).Format("15:04") + " " + h.place.String()
}

func (h Hours) always() bool { return h.place == nil }
