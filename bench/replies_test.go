package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
)

const (
	repliesPerSecond = 20
	repliesFor       = 30 * time.Second
	replyTarget      = time.Second
	// replyContacts is how many contacts' windows are open; 400 of them stay silent.
	replyContacts = 1000
)

// BenchmarkReplies measures how soon a reply is answered: from the webhook to
// Message 2 at the provider, whose acknowledgements come in meanwhile.
func BenchmarkReplies(b *testing.B) {
	s := startServers(b)
	at := steady(repliesPerSecond, repliesFor)
	floor := workflowFloor(s, at)

	provider, mailbox := startProvider(b), openMailbox(b)
	r := startRelance(s, provider)
	provider.tell(mailbox.url, inboundEvents)
	provider.tell(r.webhookURL(), ackEvents)
	r.launch(replyContacts)
	r.await("Message 1 to be read by all", func() error { return r.expect(replyContacts, `SELECT count(read_at) FROM messages`) })
	everybody := make([]int, len(at))
	for i := range everybody {
		everybody[i] = i
	}
	replies := provider.replies(everybody, mailbox)

	settle()
	l := at.run(func(i int) error { return post(r.http, r.webhookURL(), replies[i].raw) })

	table := results.add(fmt.Sprintf("Replies: %d a second for %s, %d contacts waiting", repliesPerSecond, repliesFor, replyContacts))
	table.addLoad("webhook answered", l, 0)
	require.NoError(b, l.failure(), "webhooks were refused")
	answers := answered(l, replies, provider.awaitMessage2s(replies))
	table.addLatencies("Message 2 at the provider", answers, replyTarget)
	table.addLoad("floor: workflow signalled", floor.load, 0)
	table.addLatencies("floor: its first activity", floor.activities[0], 0)
	table.addLatencies("floor: its second activity", floor.activities[1], 0)
	table.addRatio("Message 2, times the second", answers, floor.activities[1])
	report(b, answers, floor.activities[1])

	r.await("everybody to be recorded as answered", func() error {
		return r.expect(len(at), `SELECT count(*) FROM recipients WHERE state = 'message_2_sent'`)
	})
	provider.awaitMessage2s(replies) // nobody got a second one since
	table.add(fmt.Sprintf("%d of %d got exactly one Message 2", len(answers), len(at)))
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
