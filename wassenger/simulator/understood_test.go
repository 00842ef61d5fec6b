package simulator_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/wassenger"
	"github.com/relance/relance/wassenger/simulator"
)

func TestOurParserUnderstandsEverythingTheSimulatorSends(t *testing.T) {
	s, a, r := playing(t, func(c *simulator.Config) {
		c.Contacts = simulator.Behaviour{
			Undelivered: 0.1, Read: 0.5, Reply: 0.9, ExtraReplies: 0.3, Quote: 0.5, ReplyTypes: map[simulator.ReplyType]float64{},
		}
		for _, kind := range simulator.ReplyTypes {
			c.Contacts.ReplyTypes[kind] = 1
		}
	})
	for n := range 200 {
		a.send(fmt.Sprintf("+3363998%04d", n), fmt.Sprint("ref-", n))
	}
	quiet(t, s)
	ledger := s.Ledger()
	replies, references := map[string]simulator.Reply{}, map[string]string{}
	for _, reply := range ledger.Replies {
		replies[reply.WaID] = reply
		if reply.Type == simulator.ReplyReaction { // has no id of its own on the wire
			replies[reply.QuotedWaID+reply.Text] = reply
		}
	}
	for _, m := range ledger.Messages {
		references[m.Reference] = m.Phone
	}
	understood := map[campaign.EventKind]int{}
	for _, w := range r.all() {
		events, err := wassenger.ParseWebhook(w.raw)
		require.NoError(t, err)
		require.Len(t, events, 1)
		e := events[0]
		understood[e.Kind]++
		switch e.Kind {
		case campaign.EventAck:
			assert.Equal(t, references[e.Reference], e.Phone)
			assert.NotEmpty(t, e.Status)
		case campaign.EventReply:
			reply, known := replies[e.WAID]
			if w.Event == "message:reaction" {
				reply, known = replies[e.QuotedWAID+e.Body]
			}
			require.True(t, known, "%s", w.raw)
			assert.Equal(t, reply.Phone, e.Phone)
			assert.Equal(t, reply.Type.Interaction(), e.Interaction)
			assert.Equal(t, reply.Text, e.Body)
			assert.Equal(t, reply.QuotedWaID, e.QuotedWAID)
			assert.WithinDuration(t, reply.At, e.At, time.Second)
		}
	}
	assert.Equal(t, len(ledger.Replies), understood[campaign.EventReply])
	assert.Equal(t, len(r.all()), understood[campaign.EventReply]+understood[campaign.EventAck])
}
