package wassenger

import (
	"time"

	"github.com/relance/relance/campaign"
)

// maxFailure bounds a failure's reason, in bytes.
const maxFailure = 500

// ack reads an acknowledgement. Its status is what the event's name implies or
// what the fields say, whichever is further on: a record may already be ahead of
// its event, or lag behind it.
func (d *delivery) ack(implied campaign.MessageStatus) campaign.Event {
	waID, providerID := d.ids()
	said := firstText(d.DeliveryStatus, d.Ack, d.Status)
	status := implied.After(statuses[said])

	e := d.ignored(d.meaninglessAck(status))
	e.Key = d.key(firstText(d.ID, d.WAID), string(said))
	if e.Ignored != "" {
		return e
	}
	e.Kind = campaign.EventAck
	e.At = d.reached(status)
	e.Phone = d.addressee()
	e.WAID, e.ProviderID, e.Reference = string(waID), string(providerID), string(d.Reference)
	e.Status = status
	if status == campaign.MessageFailed {
		e.Failure = bounded(string(firstText(d.FailureReason, d.envelope.Message)), maxFailure)
	}
	return e
}

// statuses translates the words that say something new of a message. The
// others (queued, pending, processing) do not.
var statuses = map[text]campaign.MessageStatus{
	"sent": campaign.MessageSent, "processed": campaign.MessageSent,
	"delivered": campaign.MessageDelivered,
	"read":      campaign.MessageRead, "played": campaign.MessageRead,
	"failed": campaign.MessageFailed,
}

func (d *delivery) meaninglessAck(status campaign.MessageStatus) string {
	switch {
	case d.crowd() != "":
		return d.crowd()
	case d.Flow == "inbound":
		return "not a message of ours"
	case status == "":
		return "says nothing new of the message"
	case d.ID == "" && d.WAID == "" && d.Reference == "":
		return "names no message"
	}
	return ""
}

// reached is when the message came to the status. The time of a chat message in
// data is no answer: it is when the message was written.
func (d *delivery) reached(status campaign.MessageStatus) time.Time {
	switch status {
	case campaign.MessageSent:
		return firstMoment(d.SentAt, d.ProcessedAt, d.told())
	case campaign.MessageDelivered:
		return firstMoment(d.DeliveredAt, d.told())
	case campaign.MessageRead:
		return firstMoment(d.ReadAt, d.told())
	}
	return firstMoment(d.FailedAt, d.told())
}
