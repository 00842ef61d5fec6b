package simulator_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/wassenger/simulator"
)

// playing runs a simulator with a receiver.
func playing(t *testing.T, change func(*simulator.Config)) (*simulator.Simulator, *api, *receiver) {
	t.Helper()
	r := receive(t, nil)
	cfg := config()
	cfg.WebhookURL = r.url
	if change != nil {
		change(&cfg)
	}
	s := newSimulator(t, cfg)
	run(t, s)
	return s, serve(t, s), r
}

func TestAcknowledgementsComeInTheProvidersShapes(t *testing.T) {
	s, a, r := playing(t, func(c *simulator.Config) { c.Contacts.Read = 1 })
	record := a.send(ana, "ref")
	quiet(t, s)

	sent := r.of("message:out:sent")
	require.Len(t, sent, 1)
	assert.Equal(t, "message", sent[0].Whole["entity"])
	assert.Equal(t, record["id"], sent[0].Whole["entityId"])
	assert.Equal(t, record["id"], sent[0].Data["id"])
	assert.Equal(t, record["waId"], sent[0].Data["waId"])
	assert.Equal(t, "sent", sent[0].Data["deliveryStatus"])
	assert.Equal(t, "ref", sent[0].Data["reference"])
	assert.Equal(t, deviceID, sent[0].Data["device"])

	acks := r.of("message:out:ack")
	require.Len(t, acks, 2)
	said := []any{}
	for _, w := range acks {
		said = append(said, w.Data["ack"])
		assert.Equal(t, record["waId"], w.Whole["id"])
		assert.Equal(t, record["waId"], w.Data["id"])
		assert.Equal(t, "outbound", w.Data["flow"])
		assert.Equal(t, "ref", w.Data["reference"])
		assert.Equal(t, ana, w.Data["toNumber"])
		assert.Equal(t, "+33639989999", w.Data["fromNumber"])
		assert.Equal(t, deviceID, w.Whole["device"].(object)["id"])
	}
	assert.ElementsMatch(t, []any{"delivered", "read"}, said)
}

func TestSentIsSometimesAnArray(t *testing.T) {
	s, a, r := playing(t, nil)
	for n := range 40 {
		a.send(fmt.Sprintf("+3363998%04d", n), "ref")
	}
	quiet(t, s)
	arrays := 0
	for _, w := range r.of("message:out:sent") {
		if w.raw[0] == '[' {
			arrays++
		}
	}
	assert.Greater(t, arrays, 0)
	assert.Less(t, arrays, 40)
}

func TestAnUndeliveredMessageIsReportedAsFailed(t *testing.T) {
	s, a, r := playing(t, func(c *simulator.Config) { c.Contacts = simulator.Behaviour{Undelivered: 1, Read: 1, Reply: 1} })
	record := a.send(ana, "ref")
	quiet(t, s)
	failed := r.of("message:out:failed")
	require.Len(t, failed, 1)
	assert.Equal(t, record["id"], failed[0].Data["id"])
	assert.Equal(t, "failed", failed[0].Data["deliveryStatus"])
	assert.NotEmpty(t, failed[0].Data["failureReason"])
	assert.Len(t, r.all(), 2)
	assert.Empty(t, s.Ledger().Replies)
}

func TestEveryKindOfReplyHasItsShape(t *testing.T) {
	s, a, r := playing(t, nil)
	for kind, c := range map[simulator.ReplyType]struct {
		kind, media string
		is          campaign.InteractionType
	}{
		simulator.ReplyText:     {"text", "", campaign.Text},
		simulator.ReplyEmoji:    {"text", "", campaign.Emoji},
		simulator.ReplyVoice:    {"audio", "ptt", campaign.Voice},
		simulator.ReplyAudio:    {"audio", "audio", campaign.Audio},
		simulator.ReplyImage:    {"image", "image", campaign.Image},
		simulator.ReplyVideo:    {"video", "video", campaign.Video},
		simulator.ReplyDocument: {"document", "document", campaign.Document},
		simulator.ReplySticker:  {"sticker", "sticker", campaign.Image},
	} {
		assert.Equal(t, c.is, kind.Interaction())
		got := a.call("POST", "/simulator/reply", object{"phone": ana, "type": kind})
		require.Equal(t, 201, got.status, string(got.body))
		var reply simulator.Reply
		got.decode(t, &reply)
		quiet(t, s)
		in := r.of("message:in:new")
		w := in[len(in)-1]
		assert.Equal(t, reply.WaID, w.Data["id"], kind)
		assert.Equal(t, reply.WaID, w.Whole["id"], kind)
		assert.Equal(t, c.kind, w.Data["type"], kind)
		assert.Equal(t, "inbound", w.Data["flow"], kind)
		assert.Equal(t, ana, w.Data["fromNumber"], kind)
		assert.Equal(t, ana, w.Data["chat"].(object)["contact"].(object)["phone"], kind)
		assert.Equal(t, false, w.Data["meta"].(object)["isGroup"], kind)
		if c.media == "" {
			assert.Equal(t, reply.Text, w.Data["body"], kind)
			assert.Equal(t, c.is, campaign.TypeOfText(reply.Text), kind)
		} else {
			assert.Equal(t, c.media, w.Data["media"].(object)["type"], kind)
		}
		at, err := time.Parse(time.RFC3339, w.Data["date"].(string))
		require.NoError(t, err)
		assert.WithinDuration(t, reply.At, at, time.Millisecond)
		assert.Equal(t, reply, last(s.Ledger().Replies))
	}
	assert.Len(t, s.Ledger().Replies, 8)
}

func last(replies []simulator.Reply) simulator.Reply { return replies[len(replies)-1] }

func TestAReactionPointsAtTheMessage(t *testing.T) {
	s, a, r := playing(t, nil)
	record := a.send(ana, "ref")
	shapes := map[string]bool{}
	for range 20 {
		reply, err := s.Reply(simulator.ReplyRequest{Phone: ana, Type: simulator.ReplyReaction, Text: "🔥"})
		require.NoError(t, err)
		assert.Equal(t, record["waId"], reply.QuotedWaID)
	}
	quiet(t, s)
	for _, w := range r.of("message:reaction") {
		assert.Equal(t, record["waId"], w.Data["id"])
		if several, isList := w.Data["reactions"].([]any); isList {
			shapes["list"] = true
			assert.Equal(t, "🔥", several[0].(object)["emoji"])
			assert.Equal(t, ana, several[0].(object)["fromNumber"])
		} else {
			shapes["one"] = true
			assert.Equal(t, "🔥", w.Data["reaction"])
			assert.Equal(t, ana, w.Data["fromNumber"])
		}
	}
	assert.Equal(t, map[string]bool{"list": true, "one": true}, shapes)
}

func TestAReplyCanQuoteAMessage(t *testing.T) {
	s, a, r := playing(t, nil)
	first := a.send(ana, "first")
	a.send(ana, "second")
	for _, name := range []string{"first", first["id"].(string), first["waId"].(string)} {
		reply, err := s.Reply(simulator.ReplyRequest{Phone: ana, Text: "oui", Quote: name})
		require.NoError(t, err)
		assert.Equal(t, first["waId"], reply.QuotedWaID)
		assert.Equal(t, first["id"], reply.MessageID)
	}
	quiet(t, s)
	for _, w := range r.of("message:in:new") {
		assert.Equal(t, first["waId"], w.Data["quoted"].(object)["id"])
	}
}

func TestARemovedReactionHasNoEmoji(t *testing.T) {
	s, a, r := playing(t, nil)
	a.send(ana, "ref")
	_, err := s.Reply(simulator.ReplyRequest{Phone: ana, Type: simulator.ReplyReaction, Text: "-"})
	require.NoError(t, err)
	quiet(t, s)
	w := r.of("message:reaction")[0]
	assert.NotContains(t, string(w.raw), `"-"`)
	assert.Contains(t, string(w.raw), `""`)
}

func TestImpossibleRepliesAreRefused(t *testing.T) {
	s, a, _ := playing(t, nil)
	a.send(luc, "luc's")
	for _, req := range []simulator.ReplyRequest{
		{Phone: "0639980001"}, {Phone: ana, Type: "fax"}, {Phone: ana, Type: simulator.ReplyReaction}, {Phone: ana, Quote: "luc's"},
	} {
		_, err := s.Reply(req)
		require.ErrorIs(t, err, simulator.ErrReply)
		body, err := json.Marshal(req)
		require.NoError(t, err)
		assert.Equal(t, 400, a.call("POST", "/simulator/reply", string(body)).status)
	}
	assert.Empty(t, s.Ledger().Replies)
	_, err := s.Reply(simulator.ReplyRequest{Phone: ana, Text: "never messaged"})
	assert.NoError(t, err)
}
