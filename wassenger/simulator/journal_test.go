package simulator_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/wassenger/simulator"
)

// killed is the journal as a kill at this moment leaves it, at another path.
func killed(t *testing.T, path string, torn string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	left := journalPath(t)
	require.NoError(t, os.WriteFile(left, append(content, torn...), 0o600))
	return left
}

func TestAKilledSimulatorComesBackWithItsLedger(t *testing.T) {
	r := receive(t, nil)
	cfg := config()
	cfg.JournalPath, cfg.WebhookURL = journalPath(t), r.url
	cfg.Contacts = simulator.Behaviour{Read: 1, Reply: 1, ExtraReplies: 1, ReplyTypes: map[simulator.ReplyType]float64{simulator.ReplyImage: 1}}
	first := newSimulator(t, cfg)
	run(t, first)
	a := serve(t, first)
	a.send(ana, "one")
	a.send(luc, "two")
	_, err := first.SendWebhook([]byte("x"))
	require.NoError(t, err)
	quiet(t, first)
	told := len(r.all())

	cfg.JournalPath = killed(t, cfg.JournalPath, "")
	second := newSimulator(t, cfg)
	assert.Equal(t, first.Ledger(), second.Ledger())
	assert.Equal(t, "success", serve(t, second).list("?reference=one")[0]["webhookStatus"])
	assert.Zero(t, second.Health().Planned)
	run(t, second)
	serve(t, second).send(ana, "three")
	quiet(t, second)
	assert.Equal(t, told+3, len(r.all()), "only the new message is told of: sent, delivered, read")
	assert.Equal(t, 1, second.Ledger().Messages[2].Before)
}

func TestWhatWasPlannedBeforeAKillHappensAfterIt(t *testing.T) {
	r := receive(t, nil)
	cfg := config()
	cfg.JournalPath, cfg.WebhookURL = journalPath(t), r.url
	cfg.Contacts = simulator.Behaviour{
		Read: 1, ReadDelay: simulator.Delay{Min: 50 * time.Millisecond},
		Reply: 1, ReplyDelay: simulator.Delay{Min: 400 * time.Millisecond},
	}
	first := newSimulator(t, cfg)
	stop := run(t, first)
	serve(t, first).send(ana, "ref")
	require.Eventually(t, func() bool { return first.Health().Webhooks >= 2 && first.Health().Unacknowledged == 0 }, soon, tick)
	stop()
	before := len(r.all())
	sentAt := first.Ledger().Messages[0].At

	cfg.JournalPath = killed(t, cfg.JournalPath, "")
	second := newSimulator(t, cfg)
	run(t, second)
	quiet(t, second)
	assert.Equal(t, 4, len(r.all()), "before the kill %d", before)
	assert.ElementsMatch(t, []string{"message:out:sent", "delivered", "read", "message:in:new"}, r.words())
	replies := second.Ledger().Replies
	require.Len(t, replies, 1)
	assert.GreaterOrEqual(t, replies[0].At.Sub(sentAt), 400*time.Millisecond)
}

func TestWhatAKillLeftUnacknowledgedIsDeliveredAfterIt(t *testing.T) {
	up := false
	r := receive(t, func(int, webhook) int {
		if up {
			return 200
		}
		return 500
	})
	cfg := config()
	cfg.JournalPath, cfg.WebhookURL = journalPath(t), r.url
	cfg.Delivery.RetryBase, cfg.Delivery.RetryMax = time.Hour, time.Hour
	cfg.Contacts.Reply = 1
	first := newSimulator(t, cfg)
	stop := run(t, first)
	serve(t, first).send(ana, "ref")
	require.Eventually(t, func() bool { return len(r.all()) == 3 }, soon, tick)
	stop()
	reply := first.Ledger().Replies[0]

	up = true
	cfg.JournalPath = killed(t, cfg.JournalPath, "")
	second := newSimulator(t, cfg)
	run(t, second)
	quiet(t, second)
	assert.Equal(t, []simulator.Reply{reply}, second.Ledger().Replies, "the contact does not answer again")
	require.Len(t, r.all(), 6)
	for _, w := range second.Ledger().Webhooks {
		assert.Equal(t, 2, w.Attempts)
		assert.NotNil(t, w.First2xxAt)
	}
}

func TestALineTornByAKillIsCutOff(t *testing.T) {
	cfg := config()
	cfg.JournalPath = journalPath(t)
	first := newSimulator(t, cfg)
	serve(t, first).send(ana, "one")
	for _, torn := range []string{`{"message":{"at":"2030-0`, `{`, "\x00\x00\x00", `{"message":{}}`, "{\"mess\n"} {
		cfg.JournalPath = killed(t, cfg.JournalPath, torn)
		s := newSimulator(t, cfg)
		assert.Equal(t, first.Ledger(), s.Ledger(), torn)
		serve(t, s).send(luc, "two")
		again := cfg
		again.JournalPath = killed(t, cfg.JournalPath, "")
		assert.Equal(t, s.Ledger(), newSimulator(t, again).Ledger())
		cfg.JournalPath = killed(t, firstLine(t, cfg.JournalPath), "")
	}
}

// firstLine is the journal cut to its first line.
func firstLine(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	for n, c := range content {
		if c == '\n' {
			content = content[:n+1]
			break
		}
	}
	left := journalPath(t)
	require.NoError(t, os.WriteFile(left, content, 0o600))
	return left
}

func TestAJournalSpoiltInTheMiddleIsNotTrusted(t *testing.T) {
	cfg := config()
	cfg.JournalPath = journalPath(t)
	s := newSimulator(t, cfg)
	serve(t, s).send(ana, "one")
	for _, line := range []string{"spoilt\n{}\n", "{}\n{}\n"} {
		again := cfg
		again.JournalPath = killed(t, cfg.JournalPath, line)
		_, err := simulator.New(again)
		assert.ErrorContains(t, err, "line 2")
	}
}

func TestRegisteredWebhooksOutliveAKill(t *testing.T) {
	r := receive(t, nil)
	cfg := config()
	cfg.JournalPath = journalPath(t)
	first := newSimulator(t, cfg)
	a := serve(t, first)
	a.send(ana, "before it was registered")
	require.Equal(t, 201, a.call("POST", "/v1/webhooks", object{"name": "n", "url": r.url, "events": []string{"message:in:new"}}).status)

	cfg.JournalPath = killed(t, cfg.JournalPath, "")
	second := newSimulator(t, cfg)
	run(t, second)
	_, err := second.Reply(simulator.ReplyRequest{Phone: ana})
	require.NoError(t, err)
	quiet(t, second)
	assert.Equal(t, []string{"message:in:new"}, r.words())
}

func TestAJournalThatCannotBeOpenedStopsTheStart(t *testing.T) {
	cfg := config()
	cfg.JournalPath = t.TempDir() // a folder
	_, err := simulator.New(cfg)
	require.Error(t, err)
}
