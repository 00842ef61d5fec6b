package simulator

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func anyDelay(t *rapid.T, label string) Delay {
	return Delay{
		Min:         time.Duration(rapid.IntRange(0, 1000).Draw(t, label+" min")) * time.Millisecond,
		Max:         time.Duration(rapid.IntRange(0, 9000).Draw(t, label+" max")) * time.Millisecond,
		Exponential: rapid.Bool().Draw(t, label+" exponential"),
	}
}

func anyBehaviour(t *rapid.T) Behaviour {
	share := rapid.Float64Range(0, 1)
	b := Behaviour{
		Undelivered: share.Draw(t, "undelivered"), DeliveryDelay: anyDelay(t, "delivery"),
		Read: share.Draw(t, "read"), ReadDelay: anyDelay(t, "reading"),
		Reply: share.Draw(t, "reply"), ReplyAgain: share.Draw(t, "again"), ReplyDelay: anyDelay(t, "replying"),
		Quote: share.Draw(t, "quote"), ExtraReplies: share.Draw(t, "extra"), ExtraDelay: anyDelay(t, "extra"),
		OptOut: share.Draw(t, "opt out"), ReplyTypes: map[ReplyType]float64{},
	}
	for _, kind := range ReplyTypes {
		b.ReplyTypes[kind] = rapid.Float64Range(0, 3).Draw(t, string(kind))
	}
	return b
}

func TestAPlanIsAPureFunctionOfSeedPhoneAndCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, seed := anyBehaviour(t), rapid.Uint64().Draw(t, "seed")
		phone, before := "+336399800"+rapid.StringMatching(`\d\d`).Draw(t, "phone"), rapid.IntRange(0, 3).Draw(t, "before")
		assert.Equal(t, b.plan(seed, phone, before), b.plan(seed, phone, before))
	})
}

func TestAPlanIsPossible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := anyBehaviour(t)
		p := b.plan(rapid.Uint64().Draw(t, "seed"), "+33639980001", rapid.IntRange(0, 2).Draw(t, "before"))
		if p.failed {
			assert.False(t, p.reads)
			assert.Empty(t, p.replies)
		}
		if p.reads {
			assert.GreaterOrEqual(t, p.read, p.delivered, "nobody reads what has not arrived")
		}
		assert.LessOrEqual(t, len(p.replies), maxReplies)
		after := p.delivered + b.ReplyDelay.Min
		for _, r := range p.replies {
			assert.GreaterOrEqual(t, r.after, after)
			after = r.after
			if p.reads {
				assert.LessOrEqual(t, p.read, r.after, "who answers has read")
			}
			if r.text != "STOP" {
				assert.True(t, b.ReplyTypes[r.kind] > 0 || r.kind == ReplyText)
			}
		}
	})
}

func TestADelayStaysWithinItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := anyDelay(t, "delay")
		got := d.at(rapid.Float64Range(0, 0.9999999).Draw(t, "u"))
		assert.GreaterOrEqual(t, got, d.Min)
		assert.LessOrEqual(t, got, max(d.Min, d.Max))
	})
}

func TestSeedsAndContactsAndMessagesDiffer(t *testing.T) {
	b := Behaviour{Reply: 1, ReplyAgain: 1, ReplyDelay: Delay{Max: time.Hour}}
	when := func(seed uint64, phone string, before int) time.Duration {
		return b.plan(seed, phone, before).replies[0].after
	}
	first := when(1, "+33639980001", 0)
	assert.NotEqual(t, first, when(2, "+33639980001", 0))
	assert.NotEqual(t, first, when(1, "+33639980002", 0))
	assert.NotEqual(t, first, when(1, "+33639980001", 1))
}

// plans of the first message to many contacts.
func plans(b Behaviour, contacts, before int) []plan {
	all := make([]plan, contacts)
	for n := range all {
		all[n] = b.plan(5, fmt.Sprintf("+3363998%04d", n), before)
	}
	return all
}

func TestContactsBehaveInTheirShares(t *testing.T) {
	b := Behaviour{
		Undelivered: 0.1, Read: 0.5, Reply: 0.4, ReplyAgain: 0.2, ExtraReplies: 0.5,
		ReplyDelay: Delay{Min: time.Second, Max: 3 * time.Second}, ReplyTypes: map[ReplyType]float64{ReplyText: 1, ReplyVoice: 3},
	}
	var failed, read, answered, several, voice, replies int
	for _, p := range plans(b, 4000, 0) {
		if p.failed {
			failed++
		}
		if p.reads {
			read++
		}
		if len(p.replies) > 0 {
			answered++
		}
		if len(p.replies) > 1 {
			several++
		}
		for _, r := range p.replies {
			replies++
			if r.kind == ReplyVoice {
				voice++
			}
			assert.LessOrEqual(t, r.after, 3*time.Second)
		}
	}
	assert.InDelta(t, 400, failed, 80)
	assert.InDelta(t, 0.5*3600, read, 150)
	assert.InDelta(t, 0.4*3600, answered, 150)
	assert.InDelta(t, answered/2, several, 100)
	assert.InDelta(t, 0.75, float64(voice)/float64(replies), 0.05)

	again := 0
	for _, p := range plans(b, 4000, 1) {
		if len(p.replies) > 0 {
			again++
		}
	}
	assert.InDelta(t, 0.2*3600, again, 150)
}

func TestWhoOptsOutSaysStopOnceAndOnlyToTheFirstMessage(t *testing.T) {
	b := Behaviour{OptOut: 1, Reply: 1, ReplyAgain: 1, ExtraReplies: 1}
	for _, p := range plans(b, 50, 0) {
		require.Len(t, p.replies, 1)
		assert.Equal(t, "STOP", p.replies[0].text)
	}
	for _, p := range plans(b, 50, 1) {
		require.Len(t, p.replies, maxReplies)
		assert.NotEqual(t, "STOP", p.replies[0].text)
	}
}

func TestByDefaultContactsReceiveAndStaySilent(t *testing.T) {
	for _, p := range plans(Behaviour{}, 50, 0) {
		assert.False(t, p.failed || p.reads)
		assert.Empty(t, p.replies)
	}
}

func TestChangingOneShareLeavesOtherDecisionsAlone(t *testing.T) {
	few := Behaviour{Reply: 0.2, ReplyDelay: Delay{Max: time.Hour}}
	more := few
	more.Reply, more.Read = 0.6, 1
	for n, p := range plans(few, 200, 0) {
		if len(p.replies) > 0 {
			other := plans(more, 200, 0)[n].replies
			require.NotEmpty(t, other)
			assert.Equal(t, p.replies[0].after, other[0].after)
		}
	}
}
