package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/wassenger"
	"github.com/relance/relance/wassenger/simulator"
)

// Events that a webhook can be registered for.
var (
	inboundEvents = []string{"message:in:new", "message:reaction"}
	ackEvents     = []string{"message:out:sent", "message:out:ack", "message:out:failed"}
)

// provider is the simulated provider. It answers at once: its own time is not
// what is measured. Its contacts get and read everything within seconds, and
// write only when they are told to.
type provider struct {
	b         *testing.B
	simulator *simulator.Simulator
	url       string // of its API
}

func startProvider(b *testing.B) *provider {
	b.Helper()
	s, err := simulator.New(simulator.Config{
		Token: wassengerKey, DeviceID: device, DevicePhone: "+33639799999",
		Contacts: simulator.Behaviour{
			DeliveryDelay: simulator.Delay{Min: 200 * time.Millisecond, Max: 2 * time.Second},
			Read:          1, ReadDelay: simulator.Delay{Min: 500 * time.Millisecond, Max: 5 * time.Second},
		},
	})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	background(b, func(ctx context.Context) error { return s.Serve(ctx, "127.0.0.1:0") })
	background(b, s.Run)
	await(b, "the provider to listen", func() error {
		if s.Addr() == "" {
			return errors.New("it does not yet")
		}
		return nil
	})
	return &provider{b: b, simulator: s, url: "http://" + s.Addr() + "/v1"}
}

// background runs something until the benchmark ends.
func background(b *testing.B, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	b.Cleanup(func() {
		cancel()
		require.NoError(b, <-ended)
	})
}

// tell registers a webhook.
func (p *provider) tell(url string, events []string) {
	p.b.Helper()
	body, err := json.Marshal(map[string]any{"name": "benchmark", "url": url, "events": events})
	require.NoError(p.b, err)
	request, err := http.NewRequestWithContext(p.b.Context(), http.MethodPost, p.url+"/webhooks", strings.NewReader(string(body)))
	require.NoError(p.b, err)
	request.Header.Set("Token", wassengerKey)
	response, err := http.DefaultClient.Do(request)
	require.NoError(p.b, err)
	defer response.Body.Close()
	require.Equal(p.b, http.StatusCreated, response.StatusCode)
}

// replies makes contacts write, in this order, and returns the webhooks that
// tell of it. keep must be registered for inbound events.
func (p *provider) replies(contacts []int, keep *mailbox) []letter {
	p.b.Helper()
	kinds := []simulator.ReplyType{
		simulator.ReplyText, simulator.ReplyText, simulator.ReplyText, simulator.ReplyText, simulator.ReplyText,
		simulator.ReplyEmoji, simulator.ReplyEmoji, simulator.ReplyReaction, simulator.ReplyVoice, simulator.ReplyImage,
	}
	before := len(keep.letters())
	for i, contact := range contacts {
		_, err := p.simulator.Reply(simulator.ReplyRequest{Phone: phone(contact), Type: kinds[i%len(kinds)]})
		require.NoError(p.b, err)
	}
	return keep.await(before + len(contacts))[before:]
}

// message2s are when the provider accepted a second message, by phone. A
// contact who got a third fails the benchmark, however good the figures.
func (p *provider) message2s() map[string]time.Time {
	p.b.Helper()
	accepted := map[string]time.Time{}
	for _, message := range p.simulator.Ledger().Messages {
		require.LessOrEqual(p.b, message.Before, 1, "a contact got a message twice")
		if message.Before == 1 {
			accepted[message.Phone] = message.At
		}
	}
	return accepted
}

// awaitMessage2s waits until everybody who replied was answered, and makes sure
// that nobody else was.
func (p *provider) awaitMessage2s(replies []letter) map[string]time.Time {
	p.b.Helper()
	owed := map[string]bool{}
	for _, reply := range replies {
		owed[reply.event.Phone] = true
	}
	var accepted map[string]time.Time
	await(p.b, "Message 2 to everybody who replied", func() error {
		accepted = p.message2s()
		if len(accepted) < len(owed) {
			return fmt.Errorf("%d of %d left", len(accepted), len(owed))
		}
		return nil
	})
	for phone := range accepted {
		require.True(p.b, owed[phone], "somebody who did not reply was answered")
	}
	require.Len(p.b, accepted, len(owed))
	return accepted
}

// awaitMessages waits until the provider has accepted so many.
func (p *provider) awaitMessages(n int) {
	p.b.Helper()
	await(p.b, "the messages to be accepted", func() error {
		if accepted := p.simulator.Health().Messages; accepted < n {
			return fmt.Errorf("%d of %d are", accepted, n)
		}
		return nil
	})
}

// accepted are when the provider accepted the messages that begin in a certain
// way, by phone.
func (p *provider) accepted(beginning string) map[string]time.Time {
	at := map[string]time.Time{}
	for _, message := range p.simulator.Ledger().Messages {
		if strings.HasPrefix(message.Text, beginning) {
			at[message.Phone] = message.At
		}
	}
	return at
}

// requireOnceEach makes sure that each contact got one Message 1, and one
// Message 2 if it replied, and nobody anything else.
func (p *provider) requireOnceEach(contacts int, repliers []int) {
	p.b.Helper()
	owed := map[string][]string{}
	for i := range contacts {
		owed[phone(i)] = []string{message1Begins}
	}
	for _, i := range repliers {
		owed[phone(i)] = []string{message1Begins, message2Begins}
	}
	for _, message := range p.simulator.Ledger().Messages {
		rest := owed[message.Phone]
		require.NotEmpty(p.b, rest, "the contact is not owed another message")
		require.True(p.b, strings.HasPrefix(message.Text, rest[0]), "%q is not the message that the contact is owed", message.Text)
		owed[message.Phone] = rest[1:]
	}
	for _, rest := range owed {
		require.Empty(p.b, rest, "a message was not sent")
	}
}

// letter is a webhook of the provider's that is kept for later.
type letter struct {
	raw   []byte
	event campaign.Event
}

// mailbox takes the provider's webhooks in, so that the benchmark can deliver
// them to Relance when it wants.
type mailbox struct {
	b   *testing.B
	url string

	mutex sync.Mutex
	kept  []letter
}

func openMailbox(b *testing.B) *mailbox {
	m := &mailbox{b: b}
	server := httptest.NewServer(m)
	b.Cleanup(server.Close)
	m.url = server.URL
	return m
}

// ServeHTTP keeps what it is sent.
func (m *mailbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	var events []campaign.Event
	if err == nil {
		events, err = wassenger.ParseWebhook(raw)
	}
	if err != nil || len(events) != 1 {
		http.Error(w, "not one event", http.StatusBadRequest)
		return
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.kept = append(m.kept, letter{raw: raw, event: events[0]})
}

func (m *mailbox) letters() []letter {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.kept[:len(m.kept):len(m.kept)]
}

// await waits until so many webhooks are kept.
func (m *mailbox) await(n int) []letter {
	m.b.Helper()
	await(m.b, "the provider's webhooks", func() error {
		if got := len(m.letters()); got < n {
			return fmt.Errorf("%d of %d have come", got, n)
		}
		return nil
	})
	return m.letters()
}
