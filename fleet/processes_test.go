package fleet

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/relance/relance/devstack"
	"github.com/relance/relance/store"
)

const (
	adminToken   = "a-token-for-tests-only"
	webhookToken = "a-token-of-the-webhooks"
)

// fleet is Relance as it is run at scale: many processes, some of the API's and
// some that work.
type fleet struct {
	t        testing.TB
	size     size
	provider *provider
	db       *sql.DB // to look into
	client   *http.Client

	binary      string
	folder      string // of what the processes write
	environment map[string]string

	apis, workers *row
}

// process is one of them.
type process struct {
	*devstack.Program
	name     string
	url      string // of the API; a worker has none
	internal string // health and metrics
}

// startFleet starts all processes at once, on an empty database. Their environment
// may be changed.
func startFleet(t testing.TB, s size, p *provider, temporal *devstack.Temporal, databaseURL string, changes ...map[string]string) *fleet {
	t.Helper()
	redis, err := devstack.StartRedis("")
	require.NoError(t, err)
	t.Cleanup(redis.Stop)
	f := &fleet{
		t: t, size: s, provider: p, folder: t.TempDir(),
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConns: 200, MaxIdleConnsPerHost: 20}},
		environment: map[string]string{
			"DATABASE_URL": databaseURL, "REDIS_URL": redis.URL(),
			"TEMPORAL_ADDRESS": temporal.Address(), "TEMPORAL_NAMESPACE": temporal.Namespace(),
			"WASSENGER_BASE_URL": p.url, "WASSENGER_TOKEN": providerToken, "WASSENGER_DEVICE_ID": device, "WEBHOOK_TOKEN": webhookToken,
			"SEND_LIMIT": fmt.Sprint(s.limit), "SEND_LIMIT_WINDOW": s.window.String(),
			"REPLY_WINDOW": s.replyWindow.String(), "CAMPAIGN_DEADLINE": patience.String(),
			"SEND_SETTLE": "500ms", "SEND_BACKOFF": "50ms",
			"ADMIN_EMAIL": "admin@example.com", "ADMIN_PASSWORD": "correct horse battery", "ADMIN_TOKEN": adminToken,
		},
	}
	for _, change := range changes {
		maps.Copy(f.environment, change)
	}
	t.Cleanup(f.client.CloseIdleConnections)
	f.db, err = store.Connect(databaseURL, 2)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.db.Close()) })
	f.binary, err = devstack.BuildRelance(t.Context(), f.folder)
	require.NoError(t, err)

	f.apis, f.workers = newRow("api", s.processes), newRow("worker", s.processes)
	var starting errgroup.Group
	for _, row := range []*row{f.apis, f.workers} {
		for place := range row.processes {
			starting.Go(func() error { return f.fill(row, place) })
		}
	}
	require.NoError(t, starting.Wait())
	return f
}

// kill ends one process of each kind with SIGKILL and starts others.
func (f *fleet) kill(place int) {
	f.t.Helper()
	f.replace(place, (*devstack.Program).Kill)
}

// awaitBusy waits until processes are sending, so that one that is killed leaves
// something of which nobody knows whether it left.
func (f *fleet) awaitBusy() {
	f.t.Helper()
	await(f.t, "messages on their way", func() error {
		return f.expect(func(n int) bool { return n >= f.size.processes }, `SELECT count(*) FROM messages WHERE status = 'sending'`)
	})
}

// awaitIdle waits until nobody is to be sent anything just now.
func (f *fleet) awaitIdle() {
	f.t.Helper()
	await(f.t, "nothing to send", func() error {
		return f.expect(func(n int) bool { return n == 0 }, `SELECT count(*) FROM recipients WHERE state IN ('admitted', 'replied')`)
	})
}

// expect says what is wrong with a number in the database.
func (f *fleet) expect(holds func(int) bool, query string) error {
	var n int
	if err := f.db.QueryRowContext(f.t.Context(), query).Scan(&n); err != nil {
		return err
	}
	if !holds(n) {
		return fmt.Errorf("%d: %s", n, query)
	}
	return nil
}

// stop ends one process of each kind in good order and starts others.
func (f *fleet) stop(place int) {
	f.t.Helper()
	f.replace(place, func(p *devstack.Program) error { return p.Stop(context.Background()) })
}

func (f *fleet) replace(place int, end func(*devstack.Program) error) {
	f.t.Helper()
	var replacing errgroup.Group
	for _, row := range []*row{f.apis, f.workers} {
		replacing.Go(func() error {
			if err := end(row.all()[place].Program); err != nil {
				return err
			}
			return f.fill(row, place)
		})
	}
	require.NoError(f.t, replacing.Wait())
}

// fill starts a process and lets it take a place as soon as it is ready.
func (f *fleet) fill(r *row, place int) error {
	for {
		p, err := f.start(r.command, fmt.Sprintf("%s-%d", r.command, r.begun.Add(1)))
		if err != nil {
			return err
		}
		err = f.ready(p)
		if err == nil {
			r.put(place, p)
			return nil
		}
		if !p.PortTaken() {
			return err
		}
		// Another program was quicker; there are more ports.
	}
}

func (f *fleet) start(command, name string) (*process, error) {
	public, err := devstack.FreePort()
	if err != nil {
		return nil, err
	}
	internal, err := devstack.FreePort()
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(f.folder, name+".log"))
	if err != nil {
		return nil, err
	}
	p := &process{name: name, internal: fmt.Sprintf("http://127.0.0.1:%d", internal)}
	environment := maps.Clone(f.environment)
	environment["INTERNAL_ADDR"] = fmt.Sprintf("127.0.0.1:%d", internal)
	if command == "api" {
		environment["HTTP_ADDR"] = fmt.Sprintf("127.0.0.1:%d", public)
		p.url = fmt.Sprintf("http://127.0.0.1:%d", public)
	}
	p.Program, err = devstack.StartProgram(devstack.ProgramOptions{
		Name: name, Path: f.binary, Args: []string{command}, Environment: environment, Log: log,
	})
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	f.t.Cleanup(func() {
		_ = p.Kill()
		_ = log.Close()
		if f.t.Failed() {
			f.t.Logf("%s complained last of:\n%s", name, complaints(log.Name()))
		}
	})
	return p, nil
}

// ready waits until a process does what it is there for, or has ended.
func (f *fleet) ready(p *process) error {
	url := p.internal + "/healthz"
	if p.url != "" {
		url = p.url + "/readyz"
	}
	deadline := time.After(patience)
	for {
		if status, _, err := call(context.Background(), f.client, http.MethodGet, url, "", ""); err == nil && status == http.StatusOK {
			return nil
		}
		select {
		case <-p.Done():
			return p.Ended()
		case <-deadline:
			return fmt.Errorf("%s is not ready after %s", p.name, patience)
		case <-time.After(tick):
		}
	}
}

// row is the places for processes of one kind.
type row struct {
	command string
	begun   atomic.Int64 // processes, for their names

	mutex     sync.Mutex
	processes []*process
}

func newRow(command string, places int) *row {
	return &row{command: command, processes: make([]*process, places)}
}

func (r *row) put(place int, p *process) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.processes[place] = p
}

// all are the processes as they stand now.
func (r *row) all() []*process {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return append([]*process(nil), r.processes...)
}

// complaints are the last lines of a log that are more than information.
func complaints(file string) string {
	content, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	var lines []string
	for line := range strings.Lines(string(content)) {
		if !strings.Contains(line, `"level":"INFO"`) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-10):], "")
}
