package campaign

import "slices"

// RecipientState is where one contact of one campaign stands.
type RecipientState string

// The states of a recipient. The last six are final.
const (
	// Pending: in the frozen audience, Message 1 not yet allowed to leave.
	Pending RecipientState = "pending"
	// Admitted: the quota holds room for Message 1 and for the answer it may provoke.
	Admitted RecipientState = "admitted"
	// Message1Sent: Message 1 left and the reply window is open.
	Message1Sent RecipientState = "message_1_sent"
	// Replied: answered in time, Message 2 is owed.
	Replied RecipientState = "replied"

	// Message2Sent: answered in time and Message 2 left.
	Message2Sent RecipientState = "message_2_sent"
	// NoInteraction: the window closed without a reply.
	NoInteraction RecipientState = "no_interaction"
	// LateInteraction: the first reply came when the window had closed.
	LateInteraction RecipientState = "late_interaction"
	// Failed: a message was refused for good, or its outcome was never learnt.
	Failed RecipientState = "failed"
	// NotSent: Message 1 never left.
	NotSent RecipientState = "not_sent"
	// Stopped: Message 1 left, then the campaign was cancelled or the contact opted out.
	Stopped RecipientState = "stopped"
)

// RecipientStates lists every recipient state in the order of a recipient's life.
var RecipientStates = []RecipientState{
	Pending, Admitted, Message1Sent, Replied,
	Message2Sent, NoInteraction, LateInteraction, Failed, NotSent, Stopped,
}

// Final reports whether the recipient counts as finished for the campaign (Property 11).
func (s RecipientState) Final() bool {
	switch s {
	case Message2Sent, NoInteraction, LateInteraction, Failed, NotSent, Stopped:
		return true
	}
	return false
}

// Message1Left reports whether being in this state proves that Message 1 left.
func (s RecipientState) Message1Left() bool {
	switch s {
	case Message1Sent, Replied, Message2Sent, NoInteraction, LateInteraction, Stopped:
		return true
	}
	return false
}

var nextRecipientStates = map[RecipientState][]RecipientState{
	Pending: {Admitted, NotSent},
	// Straight to the later states when a reply or a look-up proves a send
	// whose own answer never arrived.
	Admitted:      {Message1Sent, Replied, LateInteraction, NoInteraction, Failed, NotSent, Stopped},
	Message1Sent:  {Replied, NoInteraction, LateInteraction, Stopped, Failed},
	Replied:       {Message2Sent, Failed, Stopped},
	NoInteraction: {LateInteraction},
}

// CanBecome reports whether a recipient may go from s to next in one step.
//
// A recipient that failed because an outcome stayed unknown may still be
// settled; that is [RecipientState.CanSettleAs], which needs the reason.
func (s RecipientState) CanBecome(next RecipientState) bool {
	return slices.Contains(nextRecipientStates[s], next)
}

// CanSettleAs reports whether a recipient that failed for the given reason may
// take its true state once a webhook or a look-up has told what happened.
// Only an unknown outcome, or one that a reply disproves, is provisional: a
// refusal stays a refusal.
func (s RecipientState) CanSettleAs(reason Reason, next RecipientState) bool {
	if s != Failed {
		return false
	}
	switch reason {
	case ReasonMessage1Unknown:
		return next == NoInteraction || next == LateInteraction || next == Message1Sent
	case ReasonMessage2Unknown:
		return next == Message2Sent
	case ReasonAttemptsSpent: // the last attempt may turn out to have left after all
		return next == NoInteraction || next == LateInteraction || next == Message1Sent || next == Message2Sent
	case ReasonUndelivered: // a reply proves that WhatsApp did deliver it in the end
		return next == Replied
	}
	return false
}

// EarnsMessage2 reports whether a recipient in this state becomes replied by a
// reply taken in before its window ended. That may be learnt after the window
// was closed, or after a later reply was applied, when the process that took
// the reply in has died or the database was away; the reply counts all the same
// (Property 6).
func (s RecipientState) EarnsMessage2() bool {
	return s == Message1Sent || s == NoInteraction || s == LateInteraction
}

// Reason says why a recipient is in its state, where the state alone does not.
type Reason string

// The reasons stored beside a recipient's state.
const (
	ReasonDeadline        Reason = "deadline"          // the campaign closed before Message 1 could leave
	ReasonCancelled       Reason = "cancelled"         // an admin cancelled the campaign
	ReasonOptedOut        Reason = "opted_out"         // the contact asked to be left alone
	ReasonContactDeleted  Reason = "contact_deleted"   // the contact was deleted after launch
	ReasonInvalidNumber   Reason = "invalid_number"    // the provider says there is no such WhatsApp number
	ReasonRefused         Reason = "refused"           // the provider refused the message for good
	ReasonAttemptsSpent   Reason = "attempts_spent"    // every attempt was answered with a temporary failure
	ReasonUndelivered     Reason = "undelivered"       // accepted, later reported as failed by WhatsApp
	ReasonMessage1Unknown Reason = "message_1_unknown" // nobody can tell whether Message 1 left
	ReasonMessage2Unknown Reason = "message_2_unknown" // nobody can tell whether Message 2 left
)
