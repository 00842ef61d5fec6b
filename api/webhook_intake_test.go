package api_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/api"
	"github.com/relance/relance/campaign"
	"github.com/relance/relance/intake"
	"github.com/relance/relance/store"
)

func (e *engine) Revive(ctx context.Context, campaignID, contactID uuid.UUID) error {
	return e.Wake(ctx, campaignID, contactID)
}

func (e *engine) Park(context.Context, string, []byte) error { return e.err }

// takingIn is an API that really takes webhooks in.
func takingIn(t *testing.T) *server {
	t.Helper()
	s := serve(t, func(o *api.Options) {
		o.Webhooks = &intake.Intake{Store: o.Store, Workflows: &engine{}, Logger: slog.New(slog.DiscardHandler)}
	})
	return s
}

// post delivers a webhook on the given connections and returns what became of it.
func (s *server) post(connection *http.Client, body string) (code int, answered string) {
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/webhooks/wassenger", strings.NewReader(body))
	require.NoError(s.t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Webhook-Token", webhookToken)
	response, err := connection.Do(request)
	require.NoError(s.t, err)
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	return response.StatusCode, string(said)
}

func TestProperties7And9And10_FiftyRepliesOfAllTypesDoubledFromTwentyConnectionsEarnOneMessage2(t *testing.T) {
	s := takingIn(t)
	c := s.contact("+33639980001")
	started := read[startedCampaign](s.call("POST", "/campaigns/start", meantFor(object{"contact_ids": []uuid.UUID{c.ID}})), 202)
	_, err := s.store.FreezeAudience(t.Context(), started.Campaign.ID)
	require.NoError(t, err)
	_, err = s.store.Admit(t.Context(), started.Campaign.ID, 1, 1, 10)
	require.NoError(t, err)
	claim, err := s.store.Claim(t.Context(), store.MessageKey{CampaignID: started.Campaign.ID, ContactID: c.ID, Type: campaign.Message1})
	require.NoError(t, err)
	_, err = s.store.SettleSent(t.Context(), store.Acceptance{MessageID: claim.MessageID, ProviderID: "p", WAID: "W"})
	require.NoError(t, err)

	data := []string{
		`"type":"text","body":"Oui"`, `"type":"text","body":"👍🏽"`, `"type":"audio","media":{"type":"ptt"}`, `"type":"audio","media":{"type":"audio"}`,
		`"type":"image","media":{"type":"image","caption":"voilà"}`, `"type":"sticker"`, `"type":"video"`, `"type":"document"`, `"type":"location"`,
		`"type":"text","body":"as you said","quoted":{"id":"W"}`,
	}
	bodies := make(chan string, 100)
	for i := range 50 {
		body := fmt.Sprintf(`{"id":"R%d","event":"message:in:new","device":{"id":"64a1b2c3d4e5f60718293a4b"},
			"data":{"id":"R%d","flow":"inbound","fromNumber":"+33639980001",%s}}`, i, i, data[i%len(data)])
		bodies <- body
		bodies <- body
	}
	close(bodies)
	var connections sync.WaitGroup
	for range 20 {
		connections.Go(func() {
			connection := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
			defer connection.CloseIdleConnections()
			for body := range bodies {
				code, said := s.post(connection, body)
				assert.Equal(t, 200, code, said)
			}
		})
	}
	connections.Wait()

	count := func(query string) (n int) {
		require.NoError(t, s.store.Pool().QueryRow(query).Scan(&n))
		return n
	}
	assert.Equal(t, 50, count(`SELECT count(*) FROM interactions WHERE within_24h`))
	assert.Equal(t, 7, count(`SELECT count(DISTINCT interaction_type) FROM interactions`), "every type (Property 7)")
	assert.Equal(t, 1, count(`SELECT count(*) FROM messages WHERE message_type = 'message_2'`))
	assert.Zero(t, count(`SELECT count(*) FROM webhook_events WHERE processed_at IS NULL`))
}

func TestNoWebhookIsAnsweredWithAnErrorForWhatItSays(t *testing.T) {
	s := takingIn(t)
	files, err := filepath.Glob("../wassenger/testdata/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	bodies := []string{"", "null", "[]", "{}", `"`, "[1,2]", "\x00", "\xff\xfe", `{"event":"message:in:new","data":{"id":"\u0000","fromNumber":"+33639980001"}}`,
		`{"event":"message:out:ack","data":{"id":"` + strings.Repeat("i", 10_000) + `","ack":"read","flow":"outbound"}}`, strings.Repeat("[", 100_000)}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for _, file := range files {
		whole, err := os.ReadFile(file)
		require.NoError(t, err)
		bodies = append(bodies, string(whole), string(whole[:random.IntN(len(whole))]))
		for range 3 { // broken in ways nobody thought of
			broken := append([]byte{}, whole...)
			for range 1 + random.IntN(5) {
				broken[random.IntN(len(broken))] = byte(random.IntN(256))
			}
			bodies = append(bodies, string(broken))
		}
	}
	for _, body := range bodies {
		code, said := s.post(http.DefaultClient, body)
		assert.Equal(t, 200, code, "%q is answered %s", body, said)
	}
	var waiting int
	require.NoError(t, s.store.Pool().QueryRow(`SELECT count(*) FROM webhook_events WHERE processed_at IS NULL AND raw NOT LIKE '%message:out:%'`).Scan(&waiting))
	assert.Zero(t, waiting, "none is left to be tried again for ever")
}

func TestOptOutByHandWakesWhomItStops(t *testing.T) {
	s := serve(t)
	id := s.frozen(1)
	admission, err := s.store.Admit(t.Context(), id, 1, 1, 10)
	require.NoError(t, err)
	s.call("POST", "/contacts/"+admission.Contacts[0].String()+"/opt-out", nil)
	assert.Equal(t, admission.Contacts, s.engine.woken)
}
