package bench

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
)

const (
	webhooksPerSecond = 200
	webhooksFor       = 30 * time.Second
	webhookTarget     = 50 * time.Millisecond
	// webhookContacts is how many contacts were sent Message 1: each gives three
	// acknowledgements to deliver.
	webhookContacts = 1400
)

// BenchmarkWebhooks measures how soon webhooks are answered. Of twenty, fourteen
// acknowledge Message 1s that really left, two are a contact's first reply, two
// are what such a contact writes after that, one is repeated and one is none of
// Relance's business. First replies come as often as BenchmarkReplies sends
// them, and are answered with Message 2 meanwhile: the whole of Relance is at work.
func BenchmarkWebhooks(b *testing.B) {
	s := startServers(b)
	at := steady(webhooksPerSecond, webhooksFor)
	floor := insertFloor(s, at)

	provider, mailbox := startProvider(b), openMailbox(b)
	r := startRelance(s, provider)
	provider.tell(mailbox.url, append(ackEvents, inboundEvents...))
	r.launch(webhookContacts)
	acks := mailbox.await(3 * webhookContacts)
	mail := mix(len(at), acks, provider.replies(talkers(len(at)*4/20), mailbox))

	settle()
	l := at.run(func(i int) error { return post(r.http, r.webhookURL(), mail[i].raw) })

	table := results.add(fmt.Sprintf("Webhooks: %d a second for %s; 70 %% acknowledgements, 20 %% replies (half of them first ones), 5 %% repeated, 5 %% ignored",
		webhooksPerSecond, webhooksFor))
	table.addLoad("webhook answered", l, webhookTarget)
	for _, kind := range []campaign.EventKind{campaign.EventAck, campaign.EventReply, campaign.EventIgnored} {
		table.addLatencies("of them, "+string(kind), only(kind, mail, l.latencies), 0)
	}
	table.addLoad("floor: insert and commit", floor, 0)
	table.addRatio("answer, times the floor", l.latencies, floor.latencies)
	b.ReportMetric(float64(len(l.errors)), "refused")
	report(b, l.latencies, floor.latencies)
	require.NoError(b, l.failure(), "webhooks were refused")

	told := factsIn(mail)
	table.addLatencies("Message 2 at the provider", answered(l, mail, provider.awaitMessage2s(told.replies)), 0)
	told.requireApplied(r)
	provider.awaitMessage2s(told.replies) // nobody got a second one since
}

// talkers are the contacts that write, in order: every second time one who has
// not written before, else one who has, about a second earlier.
func talkers(replies int) []int {
	contacts := make([]int, replies)
	for i := range contacts {
		contacts[i] = i / 2
		if i%2 == 1 {
			contacts[i] = max(0, i/2-20)
		}
	}
	return contacts
}

// mix lines webhooks up in an order that is the same in every run.
func mix(n int, acks, replies []letter) []letter {
	random := rand.New(rand.NewPCG(1, 2))
	order := make([]int, n) // the place within its twenty decides what each is
	for i := range order {
		order[i] = i % 20
	}
	random.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
	mail := make([]letter, 0, n)
	for _, kind := range order {
		switch {
		case kind < 14:
			mail, acks = append(mail, acks[0]), acks[1:]
		case kind < 18:
			mail, replies = append(mail, replies[0]), replies[1:]
		case kind == 18 && len(mail) > 0:
			mail = append(mail, mail[random.IntN(len(mail))])
		default:
			mail = append(mail, groupMessage())
		}
	}
	return mail
}

// groupMessage is what somebody writes in a group that the device is in.
func groupMessage() letter {
	id := uuid.NewString()
	return letter{
		raw: fmt.Appendf(nil, `{"id":%[1]q,"object":"message","event":"message:in:new","created":%[2]d,"device":{"id":%[3]q},
			"data":{"id":%[1]q,"type":"text","flow":"inbound","from":"120363000000000000@g.us","fromNumber":"+33639989998",
			"body":"Who comes on Saturday?","chat":{"id":"120363000000000000@g.us","type":"group"},"meta":{"isGroup":true}}}`,
			id, time.Now().Unix(), device),
		event: campaign.Event{Kind: campaign.EventIgnored, Key: id},
	}
}

// only picks the latencies of one kind of webhook.
func only(kind campaign.EventKind, mail []letter, of latencies) latencies {
	var picked latencies
	for i, letter := range mail {
		if letter.event.Kind == kind {
			picked = append(picked, of[i])
		}
	}
	return picked
}

// facts are what webhooks tell, each once.
type facts struct {
	keys            map[string]bool
	replies         []letter
	repliers        map[string]bool // by phone
	delivered, read map[string]bool // by reference
}

func factsIn(mail []letter) facts {
	f := facts{keys: map[string]bool{}, repliers: map[string]bool{}, delivered: map[string]bool{}, read: map[string]bool{}}
	for _, l := range mail {
		if f.keys[l.event.Key] {
			continue
		}
		f.keys[l.event.Key] = true
		switch {
		case l.event.Kind == campaign.EventReply:
			f.replies, f.repliers[l.event.Phone] = append(f.replies, l), true
		case l.event.Status == campaign.MessageRead:
			f.read[l.event.Reference], f.delivered[l.event.Reference] = true, true
		case l.event.Status == campaign.MessageDelivered:
			f.delivered[l.event.Reference] = true
		}
	}
	return f
}

// requireApplied holds the database against what it was told, no more, no less.
func (f facts) requireApplied(r *relance) {
	r.b.Helper()
	for _, expected := range []struct {
		n     int
		query string
	}{
		{len(f.keys), `SELECT count(*) FROM webhook_events`},
		{len(f.keys), `SELECT count(*) FROM webhook_events WHERE processed_at IS NOT NULL AND error = ''`},
		{len(f.replies), `SELECT count(*) FROM interactions WHERE within_24h`},
		{len(f.repliers), `SELECT count(*) FROM recipients WHERE state = 'message_2_sent'`},
		{len(f.delivered), `SELECT count(delivered_at) FROM messages`},
		{len(f.read), `SELECT count(read_at) FROM messages`},
	} {
		r.await("the webhooks' effects", func() error { return r.expect(expected.n, expected.query) })
	}
}
