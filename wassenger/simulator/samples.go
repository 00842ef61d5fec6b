package simulator

import (
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// sample is an event that the provider sends on request, whether or not anything
// like it has happened: about a reply if it has a type, else about a message of ours.
type sample struct {
	event string
	reply ReplyType
	text  string
	quote bool
	ack   string
}

// samples are those that can be played, by the provider's own ids. It has more.
var samples = map[string]sample{
	"inbound-text":             {event: eventIn, reply: ReplyText, text: "Bonjour, oui ça m'intéresse !"},
	"inbound-image":            {event: eventIn, reply: ReplyImage, text: "Voilà"},
	"inbound-video":            {event: eventIn, reply: ReplyVideo},
	"inbound-audio":            {event: eventIn, reply: ReplyAudio},
	"inbound-document":         {event: eventIn, reply: ReplyDocument},
	"inbound-quoted":           {event: eventIn, reply: ReplyText, text: "Oui, merci", quote: true},
	"inbound-reaction":         {event: eventReaction, reply: ReplyReaction, text: "👍", quote: true},
	"inbound-reaction-deleted": {event: eventReaction, reply: ReplyReaction, text: "-", quote: true},
	"outbound-reaction":        {event: eventReaction, reply: ReplyReaction, text: "❤️", quote: true},
	"message-update-edit":      {event: eventUpdate, reply: ReplyText, text: "Bonjour (corrigé)"},
	"outbound-text":            {event: eventOurs, ack: "sent"},
	"outbound-read":            {event: eventAck, ack: "read"},
	"outbound-played":          {event: eventAck, ack: "played"},
	"outbound-failed":          {event: eventFailed},
}

// The people and things that samples are about exist nowhere else.
const (
	samplePhone  = "+33639980000"
	sampleText   = "Bonjour Ana"
	sampleWaID   = "3EB0AABBCCDDEEFF0011"
	sampleID     = "60d6aaaabbbbccccddddeeee"
	sampleAnswer = "ACB10000000000000000000000000000"
)

// sampleEvent writes a sample for a webhook that subscribes to these events.
func (s *Simulator) sampleEvent(id string, events []string) (*rawEvent, *problem) {
	wanted, playable := samples[id]
	switch {
	case !playable:
		return nil, &problem{
			Status: http.StatusBadRequest, Message: "The simulator does not play the sample " + strings.ToValidUTF8(id, ""), ErrorCode: "sample:unknown",
			Errors: []pathProblem{{"sample", "is unknown or not played"}},
		}
	case !slices.Contains(events, wanted.event):
		return nil, invalid("sample", "is of an event that the webhook does not subscribe to")
	}
	n := notice{event: wanted.event, at: now(), ack: wanted.ack}
	if wanted.reply != "" {
		n.reply = &Reply{At: n.at, ID: "sample/" + id, WaID: sampleAnswer, Phone: samplePhone, Type: wanted.reply, Text: wanted.text}
		if wanted.quote {
			n.reply.QuotedWaID = sampleWaID
		}
	} else {
		n.message = s.newRecord(Message{
			At: n.at, ID: sampleID, WaID: sampleWaID, Reference: uuid.NewString(), Phone: samplePhone, Text: sampleText, Priority: "normal",
		})
	}
	return &rawEvent{ID: "sample/" + uuid.NewString(), Event: n.event, Body: s.body(&n)}, nil
}
