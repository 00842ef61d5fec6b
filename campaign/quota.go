package campaign

import (
	"math"
	"time"
)

// Quota is the limit on what leaves one device: in any interval of length
// Window at most Limit messages, both kinds together (Property 5).
type Quota struct {
	Limit  int
	Window time.Duration
	// Reserve is the share r (0 to 1) of possible answers that Message 1s leave
	// room for. At 1 no valid reply can find the quota empty.
	Reserve float64
}

// Usage is what counts against a device's quota at one moment.
type Usage struct {
	// Sent messages that left within the last Window.
	Sent int
	// InFlight messages that are claimed and may have left.
	InFlight int
	// Admitted recipients whose Message 1 is allowed and has not been settled.
	Admitted int
	// Owed recipients replied in time and await their Message 2.
	Owed int
	// Open recipients have an open window and may still earn a Message 2.
	Open int
}

// MayLeave reports whether one more message, of either kind, may leave now. It
// fails closed: what may be in flight counts as sent.
func (q Quota) MayLeave(u Usage) bool { return u.Sent+u.InFlight+1 <= q.Limit }

// Admittable is how many more Message 1s may be admitted now.
//
// It keeps Sent + Owed + Admitted + ⌈r·(Open+Admitted)⌉ ≤ Limit. A claim moves a
// recipient from Admitted to Sent and Open, a reply from Open to Owed, a
// Message 2 from Owed to Sent; at r = 1 none of these raises the sum, so a
// reply always finds room. Owed counts whole whatever r is: those answers have
// already been earned.
func (q Quota) Admittable(u Usage) int {
	low, high := 0, q.Limit // the largest k that fits lies in [low, high]
	if !q.fits(u, 1) {
		return 0
	}
	for low < high {
		k := (low + high + 1) / 2
		if q.fits(u, k) {
			low = k
		} else {
			high = k - 1
		}
	}
	return low
}

func (q Quota) fits(u Usage, k int) bool {
	return u.Sent+u.Owed+u.Admitted+k+q.reserved(u.Open+u.Admitted+k) <= q.Limit
}

// Reserved is what is held under the quota for messages that have not left: the
// answers owed, the Message 1s admitted, and the reserve for the answers that
// these and the open windows may provoke. What is in flight is left out.
func (q Quota) Reserved(u Usage) int {
	return max(u.Owed+u.Admitted-u.InFlight, 0) + q.reserved(u.Open+u.Admitted)
}

// reserved is ⌈r·n⌉, forgiving the last bits of binary fractions such as 0.1.
func (q Quota) reserved(n int) int { return int(math.Ceil(q.Reserve*float64(n) - 1e-9)) }

// AskAgain is how long to wait before asking for admission again when the next
// room appears by itself in untilRoom. Asking for every single slot would fill a
// campaign's history, so freed slots are gathered for a 144th of the window (ten
// minutes of a day). Room may also appear earlier, when another campaign is
// cancelled or paused, so nobody waits for more than a 24th of it (an hour).
func (q Quota) AskAgain(untilRoom time.Duration) time.Duration {
	return min(max(untilRoom, 0), q.Window/24) + q.Window/144
}

// Standing is how a device stands against its quota, as people are shown it.
type Standing struct {
	Used     int // what left in the window, or may have
	Left     int
	Reserved int // of what is left, what is held for admitted contacts and for answers
	Level    QuotaLevel
}

// Standing tells how a device with this usage stands.
func (q Quota) Standing(u Usage) Standing {
	used := u.Sent + u.InFlight
	left := max(q.Limit-used, 0)
	return Standing{Used: used, Left: left, Reserved: min(q.Reserved(u), left), Level: q.Level(used)}
}

// QuotaLevel is how close a device is to its limit, as people are shown it.
type QuotaLevel string

// The levels, with the seed project's thresholds.
const (
	LevelOK        QuotaLevel = "ok"        // at most 75 %
	LevelAttention QuotaLevel = "attention" // at most 90 %
	LevelDanger    QuotaLevel = "danger"    // below 100 %
	LevelBlocked   QuotaLevel = "blocked"
)

// Level tells how close used messages come to the limit.
func (q Quota) Level(used int) QuotaLevel {
	switch {
	case used >= q.Limit:
		return LevelBlocked
	case used*100 > q.Limit*90:
		return LevelDanger
	case used*100 > q.Limit*75:
		return LevelAttention
	}
	return LevelOK
}
