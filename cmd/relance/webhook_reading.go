package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/wassenger"
)

// sample is a sample event of the provider's.
type sample struct {
	id    string
	event string // what a webhook subscribes to for it
	// expected is how Relance should read it. An "or" is for what the sample's name
	// does not tell: whether audio is a voice note, whose the reaction is.
	expected string
}

// samples are the sample events that concern Relance: what it must understand,
// and some of what it must not mistake for a reply.
var samples = []sample{
	{"inbound-text", "message:in:new", "reply, text"},
	{"inbound-image", "message:in:new", "reply, image"},
	{"inbound-video", "message:in:new", "reply, video"},
	{"inbound-audio", "message:in:new", "reply, audio or reply, voice"},
	{"inbound-document", "message:in:new", "reply, document"},
	{"inbound-location", "message:in:new", "reply, text"},
	{"inbound-contacts", "message:in:new", "reply, text"},
	{"inbound-buttons-response", "message:in:new", "reply, text"},
	{"inbound-list-response", "message:in:new", "reply, text"},
	{"inbound-link-preview", "message:in:new", "reply, text"},
	{"inbound-poll", "message:in:new", "reply, text"},
	{"inbound-order", "message:in:new", "reply, text"},
	{"inbound-quoted", "message:in:new", "reply, text"},
	{"inbound-reaction", "message:reaction", "reply, emoji or ignored: our own reaction"},
	{"inbound-reaction-deleted", "message:reaction", "ignored: reaction removed or ignored: our own reaction"},
	{"outbound-reaction", "message:reaction", "reply, emoji"}, // the kind that Relance lives on,
	{"outbound-text", "message:out:new", "ignored: our own message"},
	{"outbound-read", "message:out:ack", "acknowledgement, read"},
	{"outbound-played", "message:out:ack", "acknowledgement, read"},
	{"outbound-failed", "message:out:failed", "acknowledgement, failed"},
	{"autoreply", "message:out:new", "ignored: our own message"},
	{"group-inbound", "message:in:new", "ignored: group"},
	{"inbound-group-mentions", "message:in:new", "ignored: group"},
	{"channel-message", "channel:in", "ignored: not an event that campaigns use"},
	{"message-update-edit", "message:update", "ignored: not an event that campaigns use"},
	{"status-update", "status:update", "ignored: not an event that campaigns use"},
	{"number-session", "number:session", "ignored: not an event that campaigns use"},
}

func sampleIDs() []string {
	ids := make([]string, len(samples))
	for i, s := range samples {
		ids[i] = s.id
	}
	return ids
}

// samplesNamed are the samples with these ids, all of them if none is named.
func samplesNamed(ids []string) []sample {
	if len(ids) == 0 {
		return samples
	}
	var named []sample
	for _, s := range samples {
		if slices.Contains(ids, s.id) {
			named = append(named, s)
		}
	}
	return named
}

// judge says how Relance reads a delivery, without telling a number or a text,
// and whether that is as it should be.
func (s sample) judge(raw []byte) (line string, good bool) {
	events, err := wassenger.ParseWebhook(raw)
	if err != nil {
		return "unreadable: " + err.Error(), false
	}
	good = true
	readings := make([]string, len(events))
	for i, e := range events {
		readings[i] = reading(e)
		good = good && slices.Contains(strings.Split(s.expected, " or "), readings[i])
		if e.Name != s.event {
			readings[i] += fmt.Sprintf(" (event %q)", e.Name)
		}
	}
	line = strings.Join(readings, "; ")
	if !good {
		line += ", but expected " + s.expected
	}
	return line, good
}

func reading(e campaign.Event) string {
	switch {
	case e.Kind == campaign.EventReply && e.Phone == "":
		return fmt.Sprintf("reply, %s, of nobody: no number", e.Interaction)
	case e.Kind == campaign.EventReply:
		return fmt.Sprintf("reply, %s", e.Interaction)
	case e.Kind == campaign.EventAck:
		return fmt.Sprintf("acknowledgement, %s", e.Status)
	}
	return "ignored: " + e.Ignored
}
