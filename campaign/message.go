package campaign

// MessageType tells the two messages of a campaign apart.
type MessageType string

// The two messages of a campaign.
const (
	Message1 MessageType = "message_1"
	Message2 MessageType = "message_2"
)

// MessageStatus is what is known of one message.
type MessageStatus string

// The statuses of a message.
const (
	MessagePending   MessageStatus = "pending"   // not claimed: it has surely not left
	MessageSending   MessageStatus = "sending"   // claimed: it may have left
	MessageSent      MessageStatus = "sent"      // accepted by the provider
	MessageDelivered MessageStatus = "delivered" // reached the contact's phone
	MessageRead      MessageStatus = "read"      // read or played
	MessageFailed    MessageStatus = "failed"    // refused for good
	// MessageNoInteraction is the seed's mark on a Message 1 whose window closed
	// unanswered; delivery and reading stay known by their timestamps.
	MessageNoInteraction MessageStatus = "no_interaction"
	MessageUnknown       MessageStatus = "unknown" // nobody can tell whether it left
)

// MessageStatuses lists every message status.
var MessageStatuses = []MessageStatus{
	MessagePending, MessageSending, MessageSent, MessageDelivered,
	MessageRead, MessageFailed, MessageNoInteraction, MessageUnknown,
}

// rank orders what an acknowledgement can say. A message never moves to a
// lower rank, however webhooks are reordered.
func (s MessageStatus) rank() int {
	switch s {
	case MessagePending:
		return 0
	case MessageSending, MessageUnknown:
		return 1
	case MessageSent:
		return 2
	case MessageFailed:
		return 3 // wins over "sent"; a later delivery proves that a retry of the provider's succeeded
	case MessageDelivered:
		return 4
	case MessageRead:
		return 5
	case MessageNoInteraction:
		return 6
	}
	return -1
}

// After returns the status of a message in status s once an acknowledgement
// with status ack has been taken in. It never goes backwards.
func (s MessageStatus) After(ack MessageStatus) MessageStatus {
	if ack.rank() > s.rank() {
		return ack
	}
	return s
}
