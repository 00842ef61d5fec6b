package wassenger

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Class says what a failed call means for the message that it was about.
type Class string

// The classes of error. Of a call about a webhook they say the same: whether what
// was asked for may have been done.
const (
	Rejected Class = "rejected" // refused for good, for this recipient: it has not left
	Retry    Class = "retry"    // surely has not left; may be tried again
	Unknown  Class = "unknown"  // may have left: look it up by its reference first
	Down     Class = "down"     // surely has not left: no connection to the provider at all
	Halted   Class = "halted"   // surely has not left: the account or the device cannot send
)

// Error is why a call failed. Its text names the operation, the class, the
// HTTP status, the provider's code and the network failure, never what was sent
// or the provider's own words; neither does the text of what it unwraps to.
type Error struct {
	Op    string // such as "send", "look-up" or "create webhook"
	Class Class
	// Status is the HTTP status, 0 when no answer came.
	Status int
	// Code is the provider's errorCode, such as "phone:invalid". It may be empty.
	Code string
	// Message is the provider's sentence for an administrator to read. What was
	// sent, the token and every long number are blotted out of it as far as they
	// can be recognised, so it belongs in a protected record and not in a log.
	Message string
	// RetryAfter is how long the provider asks to wait; for 429 at least what the
	// provider recommends, a minute, when it does not say. Otherwise zero.
	RetryAfter time.Duration
	// InvalidNumber says that the refusal is about the phone number itself.
	InvalidNumber bool

	cause error
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "wassenger: %s: %s", e.Op, e.Class)
	if e.Status != 0 {
		fmt.Fprintf(&b, ": HTTP %d", e.Status)
	}
	if e.Code != "" {
		b.WriteString(" " + e.Code)
	}
	if e.cause != nil {
		b.WriteString(": " + e.cause.Error())
	}
	return b.String()
}

// Unwrap gives the network or context error beneath, if there is one.
func (e *Error) Unwrap() error { return e.cause }

// ClassOf is the class of any error. An error that is not of this package is
// Unknown: nothing is known of the request. Of nil it is empty.
func ClassOf(err error) Class {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return Unknown
}

// outcome is what is known of a call that brought no readable 2xx.
type outcome struct {
	Status    int    // of the answer, 0 when none came
	Code      string // the provider's errorCode
	Sought    bool   // the transport reported that it looked for a connection
	Connected bool   // it had one, so bytes may have been written
	Cancelled bool   // the caller gave up
}

// classify is the one place where outcomes get their class. It follows what is
// recorded of the provider, and where that is silent it assumes that the message
// may have left.
func classify(o outcome) Class {
	switch o.Status {
	case 0:
		return classifyUnanswered(o)
	case 401, 402, 403: // key, plan, scope
		return Halted
	case 408, 409: // a proxy's 408 tells nothing of the server behind it; nothing is known of 409 on messages
		return Unknown
	case 429:
		return Retry
	}
	switch {
	case o.Status < 400 || o.Status > 499:
		return Unknown
	case strings.HasPrefix(o.Code, "device:"): // device:invalid, device:notfound: every recipient would meet it
		return Halted
	}
	return Rejected
}

func classifyUnanswered(o outcome) Class {
	switch {
	case o.Connected || !o.Sought:
		return Unknown
	case o.Cancelled:
		return Retry
	}
	return Down
}
