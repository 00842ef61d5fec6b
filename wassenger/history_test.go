package wassenger

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
)

var lost = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)

// sentRecord is the provider's record of the n-th message, n minutes after lost.
func sentRecord(n int, status string) string {
	return fmt.Sprintf(`{"id":"id-%d","waId":"wa-%d","phone":"+33639981122","status":%q,"deliveryStatus":%q,"createdAt":%q,"reference":"ref-%d","device":%q}`,
		n, n, status, status, lost.Add(time.Duration(n)*time.Minute).Format(time.RFC3339), n, device)
}

// paged serves a list, newest first, in pages of the provider's own choice.
func paged(t *testing.T, perPage int, elements []string, asked *[]*http.Request) *Client {
	t.Helper()
	server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r)
		page := 0
		_, _ = fmt.Sscan(r.URL.Query().Get("page"), &page)
		from := min(page*perPage, len(elements))
		_, _ = fmt.Fprintf(w, "[%s]", strings.Join(elements[from:min(from+perPage, len(elements))], ","))
	})
	return newClient(t, server.URL+"/v1")
}

func TestEverythingThatLeftSinceAMomentIsListedWhateverAPageHolds(t *testing.T) {
	var elements []string
	for n := 9; n >= 0; n-- {
		elements = append(elements, sentRecord(n, "delivered"))
	}
	for _, perPage := range []int{1, 3, 100} {
		var asked []*http.Request
		sent, err := paged(t, perPage, elements, &asked).SentSince(t.Context(), lost)
		require.NoError(t, err)
		require.Len(t, sent, 10)
		assert.Equal(t, "ref-9", sent[0].Reference)
		assert.Equal(t, device, sent[0].DeviceID)
		assert.Equal(t, campaign.MessageDelivered, sent[0].Status)
		assert.Equal(t, lost.Add(9*time.Minute), sent[0].CreatedAt)
		assert.Equal(t, "/v1/messages", asked[0].URL.Path)
		assert.Equal(t, "2026-01-02T03:00:00Z", asked[0].URL.Query().Get("createdAfter"))
	}
}

// A provider that does not know the filter lists everything there ever was.
func TestAListThatGoesFartherBackIsNotReadToItsEnd(t *testing.T) {
	var elements []string
	for n := 5; n > -1000; n-- {
		elements = append(elements, sentRecord(n, "sent"))
	}
	var asked []*http.Request
	sent, err := paged(t, 10, elements, &asked).SentSince(t.Context(), lost)
	require.NoError(t, err)
	require.Len(t, sent, 6)
	require.Less(t, len(asked), 4)
}

// One that does not know pages answers with the first one again and again.
func TestAListWithoutPagesEnds(t *testing.T) {
	server := serveFunc(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintf(w, "[%s]", sentRecord(1, "queued")) })
	sent, err := newClient(t, server.URL+"/v1").SentSince(t.Context(), lost)
	require.NoError(t, err)
	require.Len(t, sent, 1)
	require.Equal(t, campaign.MessageSent, sent[0].Status, "accepted is as good as sent")
}

func TestAPageThatIsAskedForTooEarlyIsAskedForAgain(t *testing.T) {
	asked := 0
	server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked == 2 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		list := map[string]string{"0": sentRecord(2, "sent"), "1": sentRecord(1, "sent")}
		_, _ = fmt.Fprintf(w, "[%s]", list[r.URL.Query().Get("page")])
	})
	sent, err := newClient(t, server.URL+"/v1").SentSince(t.Context(), lost)
	require.NoError(t, err)
	require.Len(t, sent, 2)
	require.Equal(t, 4, asked)
}

// What cannot be read might be what is looked for.
func TestAListOfWhichSomethingCannotBeReadProvesNothing(t *testing.T) {
	for _, body := range []string{`{"items":[]}`, `null`, `[{"reference":"no id"}]`, `[7]`, `<html>`} {
		_, err := newClient(t, serve(t, 200, body).URL+"/v1").SentSince(t.Context(), lost)
		refused(t, err, Unknown)
	}
	_, err := newClient(t, serve(t, 403, `{"message":"your plan does not include chats"}`).URL+"/v1").ReceivedSince(t.Context(), lost)
	refused(t, err, Halted)
}

func TestAListedInboundMessageIsTheOneThatTheWebhookToldOf(t *testing.T) {
	message := `{"id":"ACB1","type":"text","flow":"inbound","fromNumber":"+33639981122","date":"2026-01-02T03:30:00.000Z","body":"Oui"}`
	ours := `{"id":"ACB2","type":"text","flow":"outbound","fromNumber":"+33639989999","date":"2026-01-02T03:31:00.000Z","body":"Bonjour"}`
	var asked []*http.Request
	received, err := paged(t, 50, []string{ours, message}, &asked).ReceivedSince(t.Context(), lost)
	require.NoError(t, err)
	require.Len(t, received, 1)
	assert.Equal(t, "/v1/chat/"+device+"/messages", asked[0].URL.Path)
	assert.Equal(t, "inbound", asked[0].URL.Query().Get("flow"))

	webhook := fmt.Sprintf(`{"id":"ACB1","object":"message","event":"message:in:new","created":1767324600,"device":{"id":%q,"phone":"+33639989999"},"data":%s}`, device, message)
	told, err := ParseWebhook([]byte(webhook))
	require.NoError(t, err)
	assert.Equal(t, told[0], received[0].Event)
	again, err := ParseWebhook(received[0].Raw)
	require.NoError(t, err)
	assert.Equal(t, told, again)
}
