package bench

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
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
}

// startRelance starts Relance towards a provider, with rules under which no
// quota and no end of a window gets in the way of the load.
func startRelance(s *servers, provider *provider, change ...func(environment map[string]string)) *relance {
	s.b.Helper()
	r := &relance{servers: s, db: s.database("relance"), http: newHTTPClient()}
	_, err := migrations.Up(s.b.Context(), r.db)
	require.NoError(s.b, err)
	port, err := devstack.FreePort()
	require.NoError(s.b, err)
	internal, err := devstack.FreePort()
	require.NoError(s.b, err)
	r.url = fmt.Sprintf("http://127.0.0.1:%d", port)
	environment := map[string]string{
		"DATABASE_URL": s.postgres.URL("relance"), "REDIS_URL": "",
		"TEMPORAL_ADDRESS": s.temporal.Address(), "TEMPORAL_NAMESPACE": s.temporal.Namespace(),
		"WASSENGER_BASE_URL": provider.url, "WASSENGER_TOKEN": wassengerKey, "WASSENGER_DEVICE_ID": device,
		"WEBHOOK_TOKEN": webhookToken, "WEBHOOK_HMAC_SECRET": "",
		"HTTP_ADDR": strings.TrimPrefix(r.url, "http://"), "INTERNAL_ADDR": fmt.Sprintf("127.0.0.1:%d", internal),
		"ADMIN_EMAIL": "bench@example.com", "ADMIN_PASSWORD": "correct horse battery", "ADMIN_TOKEN": adminToken,
		"SEND_LIMIT": "1000000", "SEND_PACE": "", "SEND_HOURS": "",
	}
	for _, c := range change {
		c(environment)
	}
	r.serve(environment)
	r.await("Relance to answer", func() error {
		response, err := r.http.Get(r.url + "/readyz")
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return errors.New(response.Status)
		}
		return nil
	})
	return r
}

// untilWeEnd runs a program until the end of its input, which comes with the
// end of this process, however that comes about.
const untilWeEnd = `"$1" serve & read -r _; kill $!; wait $!`

func (r *relance) serve(environment map[string]string) {
	r.b.Helper()
	log, err := os.Create(r.scratch.Path("relance.log"))
	require.NoError(r.b, err)
	cmd := exec.Command("/bin/sh", "-c", untilWeEnd, "relance", buildRelance(r.b))
	cmd.Env, cmd.Stderr = os.Environ(), log
	for variable, value := range environment {
		cmd.Env = append(cmd.Env, variable+"="+value)
	}
	// In a group of its own, else Ctrl-C kills the shell before it can kill Relance.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	input, err := cmd.StdinPipe()
	require.NoError(r.b, err)
	require.NoError(r.b, cmd.Start())
	r.b.Cleanup(func() {
		require.NoError(r.b, input.Close())
		_ = cmd.Wait() // with the signal that ended it
		require.NoError(r.b, log.Close())
		if r.b.Failed() {
			r.b.Log("Relance's last words but for its requests:\n" + complaints(log.Name()))
		}
	})
}

func buildRelance(b *testing.B) string {
	b.Helper()
	root, err := devstack.FindRoot()
	require.NoError(b, err)
	binary := filepath.Join(b.TempDir(), "relance")
	build := exec.Command("go", "build", "-trimpath", "-o", binary, "./cmd/relance")
	build.Dir = root
	output, err := build.CombinedOutput()
	require.NoError(b, err, "%s", output)
	return binary
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
	var category struct{ ID uuid.UUID }
	r.call("/categories", "application/json", `{"name":"Benchmark"}`, &category)
	var taken struct{ ID uuid.UUID }
	r.call("/contacts/import?category_id="+category.ID.String(), "text/csv", contactFile(contacts), &taken)
	r.await("the contacts to be imported", func() error {
		return r.expect(contacts, `SELECT coalesce(sum(imported), 0) FROM import_jobs WHERE id = $1 AND state = 'done'`, taken.ID)
	})
	r.call("/campaigns/start", "application/json", fmt.Sprintf(`{"name":"Benchmark","category_ids":[%q],
		"message_1":"Hello {{name}}, may we tell you more?","message_2":"Thank you {{name}}! Here it is."}`, category.ID), nil)
	r.await("all windows to be open", func() error {
		return r.expect(contacts, `SELECT count(*) FROM recipients WHERE state = 'message_1_sent'`)
	})
}

// phone is one of the 10,000 numbers that are reserved for fiction.
func phone(contact int) string { return fmt.Sprintf("+33639%06d", 980000+contact) }

func contactFile(contacts int) string {
	var csv strings.Builder
	csv.WriteString("phone,name\n")
	for i := range contacts {
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

// await repeats an attempt until it succeeds.
func await(b *testing.B, what string, attempt func() error) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 5*time.Minute)
	defer cancel()
	for {
		err := attempt()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			b.Fatalf("waiting for %s: %v", what, err)
		case <-time.After(100 * time.Millisecond):
		}
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
