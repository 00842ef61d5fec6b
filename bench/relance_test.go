package bench

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/devstack"
	"github.com/relance/relance/migrations"
)

const (
	device       = "64a1b2c3d4e5f60718293a4b"
	wassengerKey = "a-key-of-the-provider"
	adminToken   = "a-token-of-the-benchmark"
	webhookToken = "a-token-of-the-webhooks"
)

// relance is the product under load: its own binary in a process of its own.
type relance struct {
	*servers
	url  string
	db   *sql.DB // to look into
	http *http.Client

	binary      string
	environment map[string]string
	process     *devstack.Program
}

// startRelance starts Relance towards a provider, with rules under which no
// quota and no end of a window gets in the way of the load.
func startRelance(s *servers, provider *provider, change ...func(environment map[string]string)) *relance {
	s.b.Helper()
	r := prepareRelance(s, provider, change...)
	r.start("serve")
	return r
}

// prepareRelance makes everything that Relance needs to be started.
func prepareRelance(s *servers, provider *provider, change ...func(environment map[string]string)) *relance {
	s.b.Helper()
	binary, err := devstack.BuildRelance(s.b.Context(), s.b.TempDir())
	require.NoError(s.b, err)
	r := &relance{servers: s, db: s.database("relance"), http: newHTTPClient(), binary: binary}
	_, err = migrations.Up(s.b.Context(), r.db)
	require.NoError(s.b, err)
	port, err := devstack.FreePort()
	require.NoError(s.b, err)
	internal, err := devstack.FreePort()
	require.NoError(s.b, err)
	r.url = fmt.Sprintf("http://127.0.0.1:%d", port)
	r.environment = map[string]string{
		"DATABASE_URL": s.postgres.URL("relance"), "REDIS_URL": "",
		"TEMPORAL_ADDRESS": s.temporal.Address(), "TEMPORAL_NAMESPACE": s.temporal.Namespace(),
		"WASSENGER_BASE_URL": provider.url, "WASSENGER_TOKEN": wassengerKey, "WASSENGER_DEVICE_ID": device,
		"WEBHOOK_TOKEN": webhookToken, "WEBHOOK_HMAC_SECRET": "",
		"HTTP_ADDR": strings.TrimPrefix(r.url, "http://"), "INTERNAL_ADDR": fmt.Sprintf("127.0.0.1:%d", internal),
		"ADMIN_EMAIL": "bench@example.com", "ADMIN_PASSWORD": "correct horse battery", "ADMIN_TOKEN": adminToken,
		"SEND_LIMIT": "10000000", "SEND_PACE": "", "SEND_HOURS": "",
	}
	for _, c := range change {
		c(r.environment)
	}
	return r
}

// complaints are the last lines of a log that are not about single requests.
func complaints(file string) string {
	content, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	var lines []string
	for line := range strings.Lines(string(content)) {
		if !strings.Contains(line, `"msg":"request"`) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-30):], "")
}

// launch sends Message 1 to so many new contacts, over the API like anybody
// else, and returns when the windows of all are open.
func (r *relance) launch(contacts int) {
	r.b.Helper()
	r.startCampaign(r.category("Benchmark", 0, contacts))
	r.awaitWindows(contacts)
}

// category is a new one with new contacts, those from one number to before another.
func (r *relance) category(name string, from, to int) (id uuid.UUID) {
	r.b.Helper()
	var category struct{ ID uuid.UUID }
	r.call("/categories", "application/json", fmt.Sprintf(`{"name":%q}`, name), &category)
	var taken struct{ ID uuid.UUID }
	r.call("/contacts/import?category_id="+category.ID.String(), "text/csv", contactFile(from, to), &taken)
	r.await("the contacts to be imported", func() error {
		return r.expect(to-from, `SELECT coalesce(sum(imported), 0) FROM import_jobs WHERE id = $1 AND state = 'done'`, taken.ID)
	})
	return category.ID
}

// The two texts, by whose beginnings they are told apart.
const (
	message1Begins = "Hello"
	message2Begins = "Thank you"
)

func (r *relance) startCampaign(category uuid.UUID) (id uuid.UUID) {
	r.b.Helper()
	var started struct{ Campaign struct{ ID uuid.UUID } }
	r.call("/campaigns/start", "application/json", fmt.Sprintf(`{"name":"Benchmark","category_ids":[%q],
		"message_1":"%s {{name}}, may we tell you more?","message_2":"%s {{name}}! Here it is."}`,
		category, message1Begins, message2Begins), &started)
	return started.Campaign.ID
}

func (r *relance) awaitWindows(contacts int) {
	r.b.Helper()
	r.await("all windows to be open", func() error {
		return r.expect(contacts, `SELECT count(*) FROM recipients WHERE state = 'message_1_sent'`)
	})
}

// phone is one of the 10,000 numbers that are reserved for fiction, or beyond
// them one of those beside: they are only ever given to the simulator.
func phone(contact int) string { return fmt.Sprintf("+33639%06d", (980_000+contact)%1_000_000) }

func contactFile(from, to int) string {
	var csv strings.Builder
	csv.WriteString("phone,name\n")
	for i := from; i < to; i++ {
		fmt.Fprintf(&csv, "%s,Contact %d\n", phone(i), i)
	}
	return csv.String()
}

// call posts as an admin and decodes the answer, unless into is nil.
func (r *relance) call(path, contentType, body string, into any) {
	r.b.Helper()
	request, err := http.NewRequestWithContext(r.b.Context(), http.MethodPost, r.url+path, strings.NewReader(body))
	require.NoError(r.b, err)
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Authorization", "Bearer "+adminToken)
	response, err := r.http.Do(request)
	require.NoError(r.b, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(r.b, err)
	require.Less(r.b, response.StatusCode, 300, "%s: %s", path, answer)
	if into != nil {
		require.NoError(r.b, json.Unmarshal(answer, into), "%s", answer)
	}
}

// webhookURL is what the provider is told to call.
func (r *relance) webhookURL() string { return r.url + "/webhooks/wassenger?token=" + webhookToken }

// expect says what is wrong with a number in the database.
func (r *relance) expect(want int, query string, args ...any) error {
	if n := count(r.b, r.db, query, args...); n != want {
		return fmt.Errorf("%d instead of %d: %s", n, want, query)
	}
	return nil
}

func (r *relance) await(what string, attempt func() error) {
	r.b.Helper()
	await(r.b, what, attempt)
}

// patience is how long nothing may change before waiting is given up: slow is
// not broken.
const patience = 5 * time.Minute

// await repeats an attempt until it succeeds. Its error tells how far things are.
func await(b *testing.B, what string, attempt func() error) {
	b.Helper()
	awaitEvery(b, 100*time.Millisecond, what, attempt)
}

func awaitEvery(b *testing.B, pause time.Duration, what string, attempt func() error) {
	b.Helper()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	var last string
	changed := time.Now()
	for {
		err := attempt()
		if err == nil {
			return
		}
		if now := err.Error(); now != last {
			last, changed = now, time.Now()
		}
		if time.Since(changed) > patience {
			b.Fatalf("waiting for %s: %v", what, err)
		}
		<-tick.C
	}
}

// newHTTPClient keeps as many connections open as a load may need at once.
func newHTTPClient() *http.Client {
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConns: 1000, MaxIdleConnsPerHost: 1000}}
}

// post delivers one webhook; anything but 200 is a refusal.
func post(client *http.Client, url string, body []byte) error {
	response, err := client.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, answer)
	}
	return err
}
