package campaign

import "time"

// Event is one fact that a provider's webhook tells. The zero value of a field
// means that the provider did not say.
type Event struct {
	// Kind says which of the other fields matter.
	Kind EventKind
	// Name is the provider's own name of the event, such as "message:in:new".
	Name string
	// Key is the same for every delivery of the same fact and differs between
	// facts; it is what a repetition is recognised by.
	Key string
	// At is the event's own time.
	At time.Time

	// Phone is the contact's number in E.164: the sender of a reply, the
	// addressee of an acknowledged message. It may be empty.
	Phone string
	// WAID is WhatsApp's id of the message the event is about.
	WAID string
	// ProviderID is the provider's own id of that message.
	ProviderID string
	// Reference is what Relance sent along with the message: its own message id.
	Reference string

	// Interaction is the kind of a reply.
	Interaction InteractionType
	// Body is the text of a reply, or its caption. Needed for opt-out words only.
	Body string
	// QuotedWAID is WhatsApp's id of the message that a reply quotes or reacts to.
	QuotedWAID string
	// QuotedReference is the reference of that message.
	QuotedReference string

	// Status is what an acknowledgement says: sent, delivered, read or failed.
	Status MessageStatus
	// Failure is the provider's reason for a failed message.
	Failure string
	// Ignored says why an event of kind EventIgnored means nothing to campaigns.
	Ignored string
}

// EventKind is what a webhook event means to a campaign.
type EventKind string

// The kinds of event.
const (
	EventReply   EventKind = "reply"   // a person answered
	EventAck     EventKind = "ack"     // one of our messages moved on
	EventIgnored EventKind = "ignored" // groups, channels, status posts, our own messages, anything unknown
)
