package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Fault is one way in which a request goes wrong. Its value is the key of its
// share in the JSON of [Faults].
type Fault string

// The faults. Those "before" never put the message into the ledger, those
// "after" always do, if the request is valid.
const (
	NoFault             Fault = "none"
	TimeoutAfterAccept  Fault = "timeout_after_accept"  // never answered, until the client goes away
	TimeoutBeforeAccept Fault = "timeout_before_accept" // the same
	ErrorAfterAccept    Fault = "error_after_accept"    // 500 or 502 with HTML
	ErrorBeforeAccept   Fault = "error_before_accept"   // 503
	RateLimited         Fault = "rate_limited"          // 429
	ResetAfterAccept    Fault = "reset_after_accept"    // the connection is reset without an answer
	ResetBeforeAccept   Fault = "reset_before_accept"   // the same, without reading the body
	Halted              Fault = "halted"                // HaltStatus
	LookUpFailure       Fault = "look_up_failure"       // GET /messages is answered 503
)

var sendFaults = []Fault{
	TimeoutAfterAccept, TimeoutBeforeAccept, ErrorAfterAccept, ErrorBeforeAccept,
	RateLimited, ResetAfterAccept, ResetBeforeAccept, Halted,
}

// Faults is what goes wrong. Shares lie between 0 and 1. A send suffers at most
// one fault, so that each happens in exactly its share of sends; together their
// shares must not exceed 1. The zero value is a provider in perfect health.
type Faults struct {
	// Latency delays every request to /v1/ before anything else happens to it. A
	// message is accepted even if the client has lost patience meanwhile.
	Latency Delay `json:"latency"`

	TimeoutAfterAccept  float64 `json:"timeout_after_accept"`
	TimeoutBeforeAccept float64 `json:"timeout_before_accept"`
	ErrorAfterAccept    float64 `json:"error_after_accept"`
	ErrorBeforeAccept   float64 `json:"error_before_accept"`
	RateLimited         float64 `json:"rate_limited"`
	// RetryAfterSeconds goes with 429 as Retry-After; 0 leaves the header out.
	RetryAfterSeconds int     `json:"retry_after_seconds"`
	ResetAfterAccept  float64 `json:"reset_after_accept"`
	ResetBeforeAccept float64 `json:"reset_before_accept"`
	// Halted is the share of sends answered with HaltStatus: 401, 402 or, by default, 403.
	Halted     float64 `json:"halted"`
	HaltStatus int     `json:"halt_status"`
	// DeviceOffline answers every send with HaltStatus and shows the device's
	// session as offline.
	DeviceOffline bool `json:"device_offline"`

	// UnknownNumbers is the share of phone numbers, always the same ones for a
	// seed, that are not on WhatsApp: 400 "phone:invalid".
	UnknownNumbers float64 `json:"unknown_numbers"`
	// UnknownPhones are further such numbers, in E.164.
	UnknownPhones []string `json:"unknown_phones"`

	// LookUpFailure is the share of GET /messages and /messages/{id} answered 503.
	LookUpFailure float64 `json:"look_up_failure"`
	// LookUpLag is how long after its acceptance a message stays out of
	// GET /messages. GET /messages/{id} does not lag.
	LookUpLag Delay `json:"look_up_lag"`

	// RefuseConnections closes the port that [Simulator.Serve] listens on.
	RefuseConnections bool `json:"refuse_connections"`

	// Next goes before the shares: the first entry applies to the next so many
	// requests, then the second does. Entries of look_up_failure meet look-ups
	// only, the others sends only.
	Next []Next `json:"next"`
}

// Next is a fault of the next so many requests; NoFault lets them pass.
type Next struct {
	Fault    Fault `json:"fault"`
	Requests int   `json:"requests"`
}

func (f Faults) share(of Fault) float64 {
	switch of {
	case TimeoutAfterAccept:
		return f.TimeoutAfterAccept
	case TimeoutBeforeAccept:
		return f.TimeoutBeforeAccept
	case ErrorAfterAccept:
		return f.ErrorAfterAccept
	case ErrorBeforeAccept:
		return f.ErrorBeforeAccept
	case RateLimited:
		return f.RateLimited
	case ResetAfterAccept:
		return f.ResetAfterAccept
	case ResetBeforeAccept:
		return f.ResetBeforeAccept
	case Halted:
		return f.Halted
	case LookUpFailure:
		return f.LookUpFailure
	}
	return 0
}

func (f Faults) haltStatus() int {
	if f.HaltStatus == 0 {
		return 403
	}
	return f.HaltStatus
}

func (f Faults) validate() error {
	sum := 0.0
	for _, fault := range append(slices.Clone(sendFaults), LookUpFailure) {
		share := namedShare{string(fault), f.share(fault)}
		if err := share.validate(); err != nil {
			return err
		}
		if fault != LookUpFailure {
			sum += share.value
		}
	}
	if sum > 1+1e-9 {
		return fmt.Errorf("the shares of sends that go wrong must not exceed 1 together, they make %g", sum)
	}
	if err := (namedShare{"unknown_numbers", f.UnknownNumbers}).validate(); err != nil {
		return err
	}
	if !slices.Contains([]int{0, 401, 402, 403}, f.HaltStatus) {
		return fmt.Errorf("halt_status must be 401, 402 or 403, not %d", f.HaltStatus)
	}
	if f.RetryAfterSeconds < 0 {
		return fmt.Errorf("retry_after_seconds must not be negative, is %d", f.RetryAfterSeconds)
	}
	for _, n := range f.Next {
		if n.Fault != NoFault && n.Fault != LookUpFailure && !slices.Contains(sendFaults, n.Fault) {
			return fmt.Errorf("next knows no fault %q", n.Fault)
		}
		if n.Requests < 1 {
			return fmt.Errorf("next must count at least one request, not %d", n.Requests)
		}
	}
	return errors.Join(f.Latency.validate(), f.LookUpLag.validate())
}

// MarshalJSON writes empty lists as [].
func (f Faults) MarshalJSON() ([]byte, error) {
	type plain Faults
	p := plain(f)
	if p.UnknownPhones == nil {
		p.UnknownPhones = []string{}
	}
	if p.Next == nil {
		p.Next = []Next{}
	}
	return json.Marshal(p)
}

// Faults returns what goes wrong at present, Next with the requests still to come.
func (s *Simulator) Faults() Faults { return s.faults.current() }

// SetFaults replaces what goes wrong, for requests from now on. It returns an
// error, naming the JSON key, if the faults make no sense, or if the port was
// to be closed or opened and could not be.
func (s *Simulator) SetFaults(f Faults) error {
	if err := f.validate(); err != nil {
		return fmt.Errorf("faults: %w", err)
	}
	if f.RefuseConnections != s.faults.current().RefuseConnections {
		if err := s.door.refuse(f.RefuseConnections); err != nil {
			return err
		}
	}
	s.faults.set(f)
	return nil
}

// FailNext appends to Next: the next so many requests meet the fault, after
// those already in the queue.
func (s *Simulator) FailNext(fault Fault, requests int) error {
	return s.faults.push(Next{fault, requests})
}

// Refuse closes the port that [Simulator.Serve] listens on, together with idle
// connections, or opens the same port again. When it returns it is done;
// requests under way still get their answer.
func (s *Simulator) Refuse(refuse bool) error {
	if err := s.door.refuse(refuse); err != nil {
		return err
	}
	s.faults.refuse(refuse)
	return nil
}
