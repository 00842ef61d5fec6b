package bench

import (
	"time"

	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
)

// answering is a Relance that has sent Message 1 to contacts who wait with their
// replies. The provider acknowledges what it sends.
type answering struct {
	*relance
	provider *provider
	mailbox  *mailbox
	contacts int
}

func startAnswering(s *servers, contacts int) *answering {
	s.b.Helper()
	provider, mailbox := startProvider(s.b), openMailbox(s.b)
	a := &answering{relance: startRelance(s, provider), provider: provider, mailbox: mailbox, contacts: contacts}
	provider.tell(mailbox.url, inboundEvents)
	provider.tell(a.webhookURL(), ackEvents)
	a.launch(contacts)
	a.await("Message 1 to be read by all", func() error { return a.expect(contacts, `SELECT count(read_at) FROM messages`) })
	a.awaitRest()
	return a
}

// replies are the webhooks of the first contacts' replies.
func (a *answering) replies(n int) []letter {
	a.b.Helper()
	return a.provider.replies(firstOnes(n), a.mailbox)
}

func firstOnes(n int) []int {
	contacts := make([]int, n)
	for i := range contacts {
		contacts[i] = i
	}
	return contacts
}

// measure delivers replies when they are due, and adds to a table how soon they
// were answered. Everybody gets one Message 2, or the benchmark fails.
func (a *answering) measure(table *section, replies []letter, at schedule, target time.Duration) latencies {
	a.b.Helper()
	settle()
	l := at.run(func(i int) error { return post(a.http, a.webhookURL(), replies[i].raw) })
	table.addLoad("webhook answered", l, 0)
	require.NoError(a.b, l.failure(), "webhooks were refused")
	answers := answered(l, replies, a.provider.awaitMessage2s(replies))
	table.addLatencies("Message 2 at the provider", answers, target)
	a.await("everybody to be recorded as answered", func() error {
		return a.expect(len(at), `SELECT count(*) FROM recipients WHERE state = 'message_2_sent'`)
	})
	a.provider.requireOnceEach(a.contacts, firstOnes(len(at)))
	return answers
}

// answered is how long after the webhook of each reply was due the provider
// accepted Message 2.
func answered(l load, mail []letter, accepted map[string]time.Time) latencies {
	var waits latencies
	for i, letter := range mail {
		at, replied := accepted[letter.event.Phone]
		if letter.event.Kind != campaign.EventReply || !replied {
			continue
		}
		delete(accepted, letter.event.Phone) // what is repeated later was answered before
		waits = append(waits, at.Sub(l.due(i)))
	}
	return waits
}
