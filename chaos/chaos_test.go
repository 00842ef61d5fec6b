package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/devstack"
	"github.com/relance/relance/wassenger/simulator"
)

func TestMain(m *testing.M) {
	if played, err := playRole(); played {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// A short run of one seed; `make chaos` does long ones of many. What it shows is then
// bent in many ways, and the judge has to notice each.
func TestEveryPromiseIsKeptWhateverIsBroken(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	binary, err := devstack.BuildRelance(t.Context(), t.TempDir())
	require.NoError(t, err)
	p := newPlan(1, 15*time.Second)
	t.Log(p)
	w, err := newWorld(t.Context(), p, binary, t.TempDir())
	require.NoError(t, err)
	defer func() { require.NoError(t, w.close()) }()
	begun := time.Now()
	r := &run{world: w}
	unrest, err := r.live(t.Context())
	require.NoError(t, err)
	e, err := r.gather(t.Context())
	require.NoError(t, err)
	found := r.find(judge(e), unrest, time.Since(begun))
	t.Log(found)
	require.Empty(t, found.violations)
	require.Positive(t, found.message2)

	for name, bend := range bends {
		t.Run("the judge notices "+name, func(t *testing.T) {
			bent := copied(e)
			require.True(t, bend.how(&bent), "there is nothing to bend")
			var noticed []charge
			for _, v := range judge(bent).violations {
				noticed = append(noticed, v.charge)
			}
			assert.Contains(t, noticed, bend.charge)
		})
	}
}

func copied(e evidence) evidence {
	e.ledger.Messages, e.ledger.Replies = slices.Clone(e.ledger.Messages), slices.Clone(e.ledger.Replies)
	e.ledger.Webhooks = slices.Clone(e.ledger.Webhooks)
	e.campaigns, e.runs = slices.Clone(e.campaigns), slices.Clone(e.runs)
	e.recipients, e.messages, e.interactions = maps.Clone(e.recipients), maps.Clone(e.messages), maps.Clone(e.interactions)
	e.optOuts, e.told = maps.Clone(e.optOuts), maps.Clone(e.told)
	return e
}

// bend is something that is changed in the evidence, and what that is a case of.
type bend struct {
	charge charge
	how    func(*evidence) (done bool)
}

var bends = map[string]bend{
	"a message that left twice": {doubled, func(e *evidence) bool {
		e.ledger.Messages = append(e.ledger.Messages, e.ledger.Messages[0])
		return true
	}},
	"a message of nobody's": {inconsistent, func(e *evidence) bool {
		e.ledger.Messages[0].Reference = uuid.NewString()
		return true
	}},
	"a message to somebody else": {unearned, func(e *evidence) bool {
		e.ledger.Messages[0].Phone = e.ledger.Messages[1].Phone
		return true
	}},
	"a message that never left": {lost, func(e *evidence) bool {
		e.ledger.Messages = e.ledger.Messages[1:]
		return true
	}},
	"a message that left and is not recorded": {inconsistent, func(e *evidence) bool {
		return e.bendMessage(campaign.Message1, func(m *messageRow) { m.sentAt.Valid = false })
	}},
	"a message that counts before it left": {inconsistent, func(e *evidence) bool {
		return e.bendMessage(campaign.Message1, func(m *messageRow) { m.countedAt.Time = m.countedAt.Time.Add(-time.Minute) })
	}},
	"more messages than the quota has room for": {overQuota, func(e *evidence) bool {
		e.plan.limit = 1
		return true
	}},
	"a reply that was taken in and not recorded": {lost, func(e *evidence) bool {
		for event := range e.interactions {
			delete(e.interactions, event)
			return true
		}
		return false
	}},
	"a reply that was never taken in": {restless, func(e *evidence) bool {
		for i, w := range e.ledger.Webhooks {
			if w.ReplyID != "" {
				e.ledger.Webhooks[i].First2xxAt = nil
			}
		}
		return true
	}},
	"a reply in time that counts as late": {lost, func(e *evidence) bool {
		return e.bendAnswered(func(r *recipientRow) { r.windowEnds.Time = r.windowEnds.Time.Add(time.Hour) }, func(i *interactionRow) { i.inTime = false })
	}},
	"a reply dated before it was said": {inconsistent, func(e *evidence) bool {
		return e.bendAnswered(func(*recipientRow) {}, func(i *interactionRow) { i.receivedAt = i.receivedAt.Add(-time.Minute) })
	}},
	"a reply dated after it was taken in": {inconsistent, func(e *evidence) bool {
		return e.bendAnswered(func(*recipientRow) {}, func(i *interactionRow) { i.receivedAt = i.receivedAt.Add(time.Minute) })
	}},
	"a reply in time without Message 2": {unanswered, func(e *evidence) bool {
		for i, m := range e.ledger.Messages {
			if row := e.messages[uuid.MustParse(m.Reference)]; row.kind == campaign.Message2 {
				e.ledger.Messages = slices.Delete(e.ledger.Messages, i, i+1)
				return true
			}
		}
		return false
	}},
	"Message 2 for no reply in time": {unearned, func(e *evidence) bool {
		return e.bendAnswered(func(r *recipientRow) { r.interaction = nil }, func(*interactionRow) {})
	}},
	"a contact who was left out": {lost, func(e *evidence) bool {
		for k := range e.recipients {
			delete(e.recipients, k)
			return true
		}
		return false
	}},
	"a contact in a state that is not theirs": {inconsistent, func(e *evidence) bool {
		for k, r := range e.recipients {
			if r.state == campaign.NoInteraction {
				r.state = campaign.LateInteraction
				e.recipients[k] = r
				return true
			}
		}
		return false
	}},
	"a contact who is not final": {restless, func(e *evidence) bool {
		for k, r := range e.recipients {
			r.state = campaign.Message1Sent
			e.recipients[k] = r
			return true
		}
		return false
	}},
	"a wish that is not recorded": {lost, func(e *evidence) bool {
		e.ledger.Replies = append(e.ledger.Replies, simulator.Reply{Type: simulator.ReplyText, Text: "STOP", Phone: "+33639989998"})
		return true
	}},
	"a message against a wish": {unearned, func(e *evidence) bool {
		m := e.ledger.Messages[len(e.ledger.Messages)-1]
		e.optOuts[m.Phone] = m.At.Add(-time.Minute)
		return true
	}},
	"a message of a campaign that was paused": {unearned, func(e *evidence) bool {
		for _, m := range e.messages {
			if m.kind == campaign.Message1 && m.claimedAt.Valid {
				e.pauses = []span{{m.campaign, m.claimedAt.Time.Add(-time.Second), m.claimedAt.Time.Add(time.Second)}}
				return true
			}
		}
		return false
	}},
	"a workflow that is missing": {inconsistent, func(e *evidence) bool {
		e.runs = e.runs[1:]
		return true
	}},
	"a campaign that was started twice": {inconsistent, func(e *evidence) bool {
		e.campaigns = append(e.campaigns, e.campaigns[0])
		return true
	}},
	"a number that is wrong at one API": {statistics, func(e *evidence) bool {
		of := maps.Clone(e.told[apis[1]])
		one := of[e.campaigns[0].id]
		one.MessagesRead++
		of[e.campaigns[0].id] = one
		e.told[apis[1]] = of
		return true
	}},
	"a total that was stored wrongly": {statistics, func(e *evidence) bool {
		e.campaigns[0].interaction++
		return true
	}},
}

func (e *evidence) bendMessage(kind campaign.MessageType, how func(*messageRow)) bool {
	for id, m := range e.messages {
		if m.kind == kind && m.sentAt.Valid {
			how(&m)
			e.messages[id] = m
			return true
		}
	}
	return false
}

// bendAnswered changes what is recorded of somebody who replied and got Message 2.
func (e *evidence) bendAnswered(recipient func(*recipientRow), interaction func(*interactionRow)) bool {
	for event, i := range e.interactions {
		r := e.recipients[i.key]
		if r.state != campaign.Message2Sent || !i.inTime {
			continue
		}
		recipient(&r)
		interaction(&i)
		e.recipients[r.key], e.interactions[event] = r, i
		return true
	}
	return false
}
