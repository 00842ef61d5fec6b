package campaign

import (
	"fmt"
	"strings"
	"time"
)

// Pace is the pause between one Message 1 of a device and the next, drawn anew
// each time between Min and Max. The zero value is no pause.
// Message 2 is never paced.
type Pace struct{ Min, Max time.Duration }

// noPace is how an absent pace may be written.
const noPace = "none"

// ParsePace reads a pace as SEND_PACE gives it: 15s-30s, or 20s for always the
// same pause. "" and "none" are no pace. The error is one sentence about what
// is expected, to be put after the name of the variable.
func ParsePace(s string) (Pace, error) {
	s = strings.TrimSpace(s)
	if s == "" || s == noPace {
		return Pace{}, nil
	}
	least, most, isRange := strings.Cut(s, "-")
	if !isRange {
		most = least
	}
	low, errLow := time.ParseDuration(strings.TrimSpace(least))
	high, errHigh := time.ParseDuration(strings.TrimSpace(most))
	switch {
	case errLow != nil || errHigh != nil || low < 0 || high < 0:
		return Pace{}, fmt.Errorf("must be a pause such as 20s, a range such as 15s-30s, or none, not %q", s)
	case high < low:
		return Pace{}, fmt.Errorf("must name the shorter pause first, such as 15s-30s, not %q", s)
	case high == 0:
		return Pace{}, fmt.Errorf("must be longer than 0, not %q; write none to send without a pause", s)
	}
	return Pace{Min: low, Max: high}, nil
}

// None reports whether Message 1s leave without a pause between them.
func (p Pace) None() bool { return p.Max <= 0 }

// Gap is the pause that a number u drawn uniformly from [0, 1) chooses.
func (p Pace) Gap(u float64) time.Duration {
	return p.Min + time.Duration(u*float64(p.Max-p.Min))
}

// Mean is the average pause.
func (p Pace) Mean() time.Duration { return p.Min + (p.Max-p.Min)/2 }

// String writes the pace as ParsePace reads it.
func (p Pace) String() string {
	switch {
	case p.None():
		return noPace
	case p.Min == p.Max:
		return p.Min.String()
	}
	return p.Min.String() + "-" + p.Max.String()
}
