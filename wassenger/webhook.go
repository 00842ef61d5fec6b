package wassenger

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/relance/relance/campaign"
)

// maxEvents bounds how many events one webhook may bring.
const maxEvents = 1000

// The errors of ParseWebhook are about the delivery as a whole.
var (
	errMalformed   = errors.New("webhook: malformed JSON")
	errNotAnEvent  = errors.New("webhook: neither an object nor an array")
	errNoEvent     = errors.New("webhook: an empty array")
	errTooMany     = errors.New("webhook: more than 1000 events")
	errNoEventName = errors.New("webhook: no event name")
)

// ParseWebhook reads one delivery of the provider's: one event or an array of
// up to 1000. It understands chat events and delivery records as recorded from
// real payloads, ignores fields that it does not know, and returns an event of
// kind EventIgnored, with the reason, for whatever says nothing to a campaign. An
// unreadable element of an array is such an event too, so that it costs none of
// the others.
//
// Every event has a Kind, a Key of at most 200 bytes and, except for an
// unreadable one, a Name. A reply may come without a Phone, if the provider
// hides the sender's number.
//
// An error means malformed JSON, neither object nor array, no or too many
// events, or a single event without a name. No error tells what the delivery
// says.
func ParseWebhook(raw []byte) ([]campaign.Event, error) {
	raw = bytes.TrimSpace(raw)
	switch {
	case !json.Valid(raw):
		return nil, errMalformed
	case raw[0] == '[':
		return parseArray(raw)
	case raw[0] != '{':
		return nil, errNotAnEvent
	}
	event, err := parseEvent(raw)
	if err != nil {
		return nil, err
	}
	return []campaign.Event{event}, nil
}

func parseArray(raw []byte) ([]campaign.Event, error) {
	var events []campaign.Event
	elements := json.NewDecoder(bytes.NewReader(raw))
	if _, err := elements.Token(); err != nil {
		return nil, errMalformed
	}
	for elements.More() {
		if len(events) == maxEvents {
			return nil, errTooMany
		}
		var element json.RawMessage
		if err := elements.Decode(&element); err != nil {
			return nil, errMalformed
		}
		event, err := parseEvent(element)
		if err != nil {
			event = campaign.Event{Kind: campaign.EventIgnored, Key: keyOfJSON(element), Ignored: "unreadable: " + err.Error()}
		}
		events = append(events, event)
	}
	if len(events) == 0 {
		return nil, errNoEvent
	}
	return events, nil
}

// delivery is one event on its way to become a campaign.Event.
type delivery struct {
	raw      []byte
	envelope envelope
	content
}

func parseEvent(raw []byte) (campaign.Event, error) {
	d := delivery{raw: raw}
	if !isObject(raw) {
		return campaign.Event{}, errNotAnEvent
	}
	if err := decode(raw, &d.envelope); err != nil {
		return campaign.Event{}, errMalformed
	}
	if d.envelope.Event == "" {
		return campaign.Event{}, errNoEventName
	}
	var readable bool
	d.content, readable = d.envelope.open()
	switch d.envelope.Event {
	case "message:in:new", "message:reaction",
		"message:out:sent", "message:out:ack", "message:out:failed", "message:out:delivered", "message:out:read":
		if !readable {
			return d.ignored("unreadable: no data object"), nil
		}
	}
	return d.bounded(d.event()), nil
}

// maxID bounds every id that an event names, in bytes. The database could not
// look a much longer one up, and none of ours or the provider's comes near it.
const maxID = 200

// bounded drops ids that are too long to be any.
func (d *delivery) bounded(e campaign.Event) campaign.Event {
	for _, id := range []*string{&e.WAID, &e.ProviderID, &e.Reference, &e.QuotedWAID, &e.QuotedReference} {
		if len(*id) > maxID {
			*id = ""
		}
	}
	if e.Kind == campaign.EventAck && e.WAID+e.ProviderID+e.Reference == "" {
		return d.ignored("names no message")
	}
	return e
}

// event translates by the event's name. The provider's documents disagree about
// some names; of acknowledgements every known spelling is taken.
func (d *delivery) event() campaign.Event {
	switch d.envelope.Event {
	case "message:in:new":
		return d.reply()
	case "message:reaction":
		return d.reaction()
	case "message:out:ack":
		return d.ack("")
	case "message:out:sent":
		return d.ack(campaign.MessageSent)
	case "message:out:delivered":
		return d.ack(campaign.MessageDelivered)
	case "message:out:read":
		return d.ack(campaign.MessageRead)
	case "message:out:failed":
		return d.ack(campaign.MessageFailed)
	case "message:out:new":
		e := d.ignored("our own message")
		e.Key = d.key(d.ID)
		return e
	}
	return d.ignored("not an event that campaigns use")
}

// told is the time that the envelope gives.
func (d *delivery) told() moment {
	return moment{firstMoment(d.envelope.Date, d.envelope.Created, d.envelope.CreatedAt)}
}

// ignored says why the event means nothing to campaigns.
func (d *delivery) ignored(why string) campaign.Event {
	return campaign.Event{
		Kind: campaign.EventIgnored, Name: d.name(), Key: keyOfJSON(d.raw), At: d.told().Time, Ignored: why,
	}
}

const maxName = 100

func (d *delivery) name() string { return bounded(string(d.envelope.Event), maxName) }
