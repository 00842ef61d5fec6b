package wassenger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
)

const (
	contact   = "+33639981122"
	ourWAID   = "3EB0AABBCCDDEEFF0011"
	ourID     = "60d6aaaabbbbccccddddeeee"
	reference = "0198c2a0-0000-7000-8000-000000000001"
)

var (
	written = time.Date(2025, 12, 13, 16, 15, 0, 0, time.UTC)
	told    = time.Date(2026, 1, 2, 3, 5, 0, 0, time.UTC)
)

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	require.NoError(t, err)
	return raw
}

// parseOne returns the one event of a fixture, without its key and name.
func parseOne(t *testing.T, name string) campaign.Event {
	t.Helper()
	events, err := ParseWebhook(fixture(t, name))
	require.NoError(t, err)
	require.Len(t, events, 1)
	assert.NotEmpty(t, events[0].Key)
	assert.NotEmpty(t, events[0].Name)
	events[0].Key, events[0].Name = "", ""
	return events[0]
}

func TestProperty7_WhatAPersonSendsIsAReplyOfItsType(t *testing.T) {
	tests := []struct {
		fixture string
		want    campaign.Event
	}{
		{"in-text", campaign.Event{Interaction: campaign.Text, Body: "Bonjour 👋"}},
		{"in-emoji", campaign.Event{Interaction: campaign.Emoji, Body: "👍🏽 ❤️"}},
		{"in-image", campaign.Event{Interaction: campaign.Image, Body: "Voici"}},
		{"in-video", campaign.Event{Interaction: campaign.Video}},
		{"in-document", campaign.Event{Interaction: campaign.Document}},
		{"in-audio", campaign.Event{Interaction: campaign.Audio}},
		{"in-voice-ptt", campaign.Event{Interaction: campaign.Voice}},
		{"in-voice-opus", campaign.Event{Interaction: campaign.Voice}},
		{"in-sticker", campaign.Event{Interaction: campaign.Image}},
		{"in-location", campaign.Event{Interaction: campaign.Text}},
		{"in-contacts", campaign.Event{Interaction: campaign.Text}},
		{"in-poll", campaign.Event{Interaction: campaign.Text}},
		{"in-order", campaign.Event{Interaction: campaign.Text}},
		{"in-buttons-response", campaign.Event{Interaction: campaign.Text, Body: "stop", QuotedWAID: ourWAID}},
		{"in-list-response", campaign.Event{Interaction: campaign.Text, Body: "Oui", QuotedWAID: ourWAID}},
		{"in-quoted", campaign.Event{Interaction: campaign.Text, Body: "Oui, merci", QuotedWAID: ourWAID, QuotedReference: reference}},
		{"in-sender-wid", campaign.Event{Interaction: campaign.Text, Body: "Bonjour"}},
		{"in-hidden-sender", campaign.Event{Interaction: campaign.Text, Body: "Bonjour"}},
		{"in-alternative", campaign.Event{Interaction: campaign.Text, Body: "Bonjour"}},
	}
	for _, tt := range tests {
		t.Run(tt.fixture, func(t *testing.T) {
			got := parseOne(t, tt.fixture)
			assert.True(t, strings.HasPrefix(got.WAID, "ACB1"), "WhatsApp's id %q", got.WAID)
			tt.want.Kind, tt.want.Phone, tt.want.At, tt.want.WAID = campaign.EventReply, contact, written, got.WAID
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestASenderWhoseNumberIsHiddenHasNoPhone(t *testing.T) {
	got := parseOne(t, "in-sender-unknown")
	assert.Equal(t, campaign.EventReply, got.Kind)
	assert.Empty(t, got.Phone)
}

func TestAReactionIsAnEmojiReplyQuotingTheMessage(t *testing.T) {
	at := written // of the envelope
	tests := []struct {
		fixture string
		want    campaign.Event
	}{
		{"reaction-string", campaign.Event{At: at, Body: "❤️"}},
		{"reaction-object", campaign.Event{At: at.Add(time.Minute), Body: "👍", WAID: "ACB10000000000000000000000000031"}},
		{"reaction-list", campaign.Event{At: at, Body: "🎉", QuotedReference: reference}},
		{"reaction-hidden", campaign.Event{At: at, Body: "😂", QuotedReference: reference}},
		{"reaction-in-new", campaign.Event{At: at, Body: "🔥", WAID: "ACB10000000000000000000000000032"}},
	}
	for _, tt := range tests {
		t.Run(tt.fixture, func(t *testing.T) {
			tt.want.Kind, tt.want.Interaction = campaign.EventReply, campaign.Emoji
			tt.want.Phone, tt.want.QuotedWAID = contact, ourWAID
			assert.Equal(t, tt.want, parseOne(t, tt.fixture))
		})
	}
}

func TestAnAcknowledgementMovesOurMessage(t *testing.T) {
	inChat := campaign.Event{At: written, WAID: ourWAID}
	inRecord := campaign.Event{At: told, WAID: ourWAID, ProviderID: ourID}
	with := func(e campaign.Event, status campaign.MessageStatus, at time.Time) campaign.Event {
		e.Kind, e.Status, e.At, e.Phone, e.Reference = campaign.EventAck, status, at, contact, reference
		return e
	}
	processed := time.Date(2026, 1, 2, 3, 4, 7, 500e6, time.UTC)
	failed := with(inRecord, campaign.MessageFailed, time.Date(2026, 1, 2, 3, 4, 59, 250e6, time.UTC))
	failed.Failure = "number is not on WhatsApp"
	withoutWAID := with(inRecord, campaign.MessageSent, processed)
	withoutWAID.WAID = ""
	minimal := with(campaign.Event{ProviderID: ourID}, campaign.MessageSent, told)
	minimal.Phone = ""

	for name, want := range map[string]campaign.Event{
		"ack-delivered":  with(inChat, campaign.MessageDelivered, written),
		"ack-read":       with(inChat, campaign.MessageRead, written),
		"ack-played":     with(inChat, campaign.MessageRead, written),
		"alias-read":     with(inChat, campaign.MessageRead, written),
		"sent-record":    with(inRecord, campaign.MessageSent, processed),
		"sent-processed": withoutWAID,
		"sent-minimal":   minimal,
		"failed-array":   failed,
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, want, parseOne(t, name)) })
	}
}

func TestAnEventNameAndItsFieldsTogetherSayHowFarAMessageIs(t *testing.T) {
	tests := []struct {
		event, fields string
		want          campaign.MessageStatus
	}{
		{"message:out:ack", `"deliveryStatus":"delivered","status":"sent"`, campaign.MessageDelivered},
		{"message:out:ack", `"status":"processed"`, campaign.MessageSent},
		{"message:out:ack", `"deliveryStatus":"processing","status":"sent"`, ""},
		{"message:out:ack", `"ack":"failed"`, campaign.MessageFailed},
		{"message:out:sent", `"deliveryStatus":"read"`, campaign.MessageRead},
		{"message:out:failed", `"deliveryStatus":"sent"`, campaign.MessageFailed},
		{"message:out:failed", `"deliveryStatus":"delivered"`, campaign.MessageDelivered},
		{"message:out:delivered", ``, campaign.MessageDelivered},
		{"message:out:ack", `"status":"word of tomorrow"`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.event+" "+tt.fields, func(t *testing.T) {
			fields := strings.Join([]string{`"id":"x"`, tt.fields}, ",")
			events, err := ParseWebhook([]byte(`{"event":"` + tt.event + `","data":{` + strings.TrimSuffix(fields, ",") + `}}`))
			require.NoError(t, err)
			assert.Equal(t, tt.want, events[0].Status)
			assert.Equal(t, tt.want == "", events[0].Kind == campaign.EventIgnored)
		})
	}
}

func TestWhatMeansNothingToACampaignIsIgnoredWithTheReason(t *testing.T) {
	for name, reason := range map[string]string{
		"in-group":               "group",
		"in-channel":             "channel",
		"in-status":              "broadcast or status",
		"in-notification":        "notification",
		"in-flow-outbound":       "our own message",
		"in-alternative-own":     "our own message",
		"reaction-removed":       "reaction removed",
		"reaction-removed-empty": "reaction removed",
		"reaction-own":           "our own reaction",
		"reaction-own-on-theirs": "our own reaction",
		"reaction-group":         "group",
		"ack-pending":            "says nothing new of the message",
		"ack-record-queued":      "says nothing new of the message",
		"ack-group":              "group",
		"out-new":                "our own message",
		"number-session":         "not an event that campaigns use",
		"message-update":         "not an event that campaigns use",
	} {
		t.Run(name, func(t *testing.T) {
			got := parseOne(t, name)
			assert.Equal(t, campaign.EventIgnored, got.Kind)
			assert.Equal(t, reason, got.Ignored)
			assert.False(t, got.At.IsZero())
		})
	}
}

func TestAnAckThatNamesNoMessageIsIgnored(t *testing.T) {
	events, err := ParseWebhook([]byte(`{"event":"message:out:ack","data":{"ack":"read"}}`))
	require.NoError(t, err)
	assert.Equal(t, "names no message", events[0].Ignored)
}

func TestAnUnreadableElementCostsNoneOfTheOthers(t *testing.T) {
	events, err := ParseWebhook(fixture(t, "mixed-array"))
	require.NoError(t, err)
	require.Len(t, events, 5)
	assert.Equal(t, campaign.EventReply, events[0].Kind)
	for _, e := range events[1:4] {
		assert.Equal(t, campaign.EventIgnored, e.Kind)
		assert.True(t, strings.HasPrefix(e.Ignored, "unreadable: "), e.Ignored)
		assert.NotEmpty(t, e.Key)
	}
	assert.Equal(t, campaign.EventAck, events[4].Kind)
}

func TestADeliveryThatIsNoEventIsAnErrorThatTellsNothing(t *testing.T) {
	tests := map[string]struct {
		raw  string
		want error
	}{
		"empty":          {"", errMalformed},
		"cut off":        {`{"event":"message:in:new","data":{"body":"secret`, errMalformed},
		"trailing":       {`{"event":"x"} {}`, errMalformed},
		"too deep":       {strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), errMalformed},
		"null":           {"null", errNotAnEvent},
		"string":         {`"secret"`, errNotAnEvent},
		"number":         {"7", errNotAnEvent},
		"empty array":    {" [ ] ", errNoEvent},
		"no name":        {`{"data":{"body":"secret"}}`, errNoEventName},
		"name no string": {`{"event":{},"data":{}}`, errNoEventName},
		"too many":       {"[" + strings.Repeat("0,", maxEvents) + "0]", errTooMany},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			events, err := ParseWebhook([]byte(tt.raw))
			assert.Equal(t, tt.want, err)
			assert.Nil(t, events)
		})
	}
}

func TestAThousandEventsInOneDeliveryAreRead(t *testing.T) {
	events, err := ParseWebhook([]byte("[" + strings.Repeat(`{"event":"x"},`, maxEvents-1) + `{"event":"x"}]`))
	require.NoError(t, err)
	assert.Len(t, events, maxEvents)
}

func TestAFieldOfAnUnexpectedTypeCostsNoReply(t *testing.T) {
	events, err := ParseWebhook([]byte(`{"event":"message:in:new","created":"soon","device":7,"message":{"a":1},"data":{
		"media":"none","meta":[],"chat":"33639981122@c.us","quoted":[1],"reactions":{},"reaction":5,"type":"text","fromMe":"no",
		"timestamp":"1765642500","date":{},"from":33639981122,"body":"Oui\u0000","id":"ACB1"}}`))
	require.NoError(t, err)
	want := campaign.Event{
		Kind: campaign.EventReply, Name: "message:in:new", Key: "message:in:new|7|ACB1", At: written,
		Phone: contact, WAID: "ACB1", Interaction: campaign.Text, Body: "Oui",
	}
	assert.Equal(t, []campaign.Event{want}, events)
}

func TestAllFixturesTellDifferentFacts(t *testing.T) {
	seen := map[string]string{}
	for _, file := range fixtures(t) {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		events, err := ParseWebhook(raw)
		require.NoError(t, err)
		for i, e := range events {
			at := fmt.Sprintf("%s[%d]", file, i)
			assert.Empty(t, seen[e.Key], "%s has the same key", at)
			seen[e.Key] = at
			assert.NotContains(t, e.Key, contact[1:], at)
		}
	}
}

func TestARepetitionHasTheSameKeyHoweverItIsSpaced(t *testing.T) {
	for _, file := range fixtures(t) {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		var compact bytes.Buffer
		require.NoError(t, json.Compact(&compact, raw))
		first, err := ParseWebhook(raw)
		require.NoError(t, err)
		again, err := ParseWebhook(compact.Bytes())
		require.NoError(t, err)
		assert.Equal(t, first, again, file)
	}
}

func TestAKeyIsShortWhateverTheIdIs(t *testing.T) {
	long := strings.Repeat("A", 10_000)
	keys := map[string]bool{}
	for _, id := range []string{long, long + "A"} {
		events, err := ParseWebhook([]byte(`{"event":"message:in:new","data":{"id":"` + id + `"}}`))
		require.NoError(t, err)
		assert.LessOrEqual(t, len(events[0].Key), maxKey)
		keys[events[0].Key] = true
	}
	assert.Len(t, keys, 2)
}

func fixtures(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

func FuzzParseWebhook(f *testing.F) {
	for _, file := range fixtures(f) {
		raw, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Add(fmt.Appendf(nil, `{"event":"message:out:ack","data":{"id":%q,"flow":"outbound","ack":"read"}}`, strings.Repeat("i", maxID+1)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		events, err := ParseWebhook(raw)
		if err != nil {
			assert.Empty(t, events)
			return
		}
		assert.NotEmpty(t, events)
		for _, e := range events {
			assertWellFormed(t, e)
		}
		again, _ := ParseWebhook(raw)
		assert.Equal(t, events, again)
	})
}

func assertWellFormed(t *testing.T, e campaign.Event) {
	t.Helper()
	assert.NotEmpty(t, e.Key)
	assert.LessOrEqual(t, len(e.Key), maxKey)
	assert.LessOrEqual(t, len(e.Name), maxName)
	if e.Phone != "" {
		assert.Regexp(t, `^\+[1-9][0-9]{7,14}$`, e.Phone)
	}
	for _, id := range []string{e.WAID, e.ProviderID, e.Reference, e.QuotedWAID, e.QuotedReference} {
		assert.LessOrEqual(t, len(id), maxID)
	}
	assert.LessOrEqual(t, len(e.Failure), maxFailure)
	for _, stored := range []string{e.Key, e.WAID, e.ProviderID, e.Failure, e.Ignored, e.Body} {
		assert.True(t, utf8.ValidString(stored))
		assert.NotContains(t, stored, "\x00", "PostgreSQL cannot store it")
	}
	_, err := e.At.MarshalJSON()
	assert.NoError(t, err)
	switch e.Kind {
	case campaign.EventReply:
		assert.Contains(t, campaign.InteractionTypes, e.Interaction)
	case campaign.EventAck:
		assert.Contains(t, []campaign.MessageStatus{
			campaign.MessageSent, campaign.MessageDelivered, campaign.MessageRead, campaign.MessageFailed,
		}, e.Status)
		assert.NotEmpty(t, e.WAID+e.ProviderID+e.Reference)
	case campaign.EventIgnored:
		assert.NotEmpty(t, e.Ignored)
	default:
		t.Errorf("kind %q", e.Kind)
	}
}
