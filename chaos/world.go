package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"go.temporal.io/sdk/client"
	tlog "go.temporal.io/sdk/log"

	"github.com/relance/relance/devstack"
	"github.com/relance/relance/migrations"
	"github.com/relance/relance/store"
)

const (
	device        = "64a1b2c3d4e5f60718293a4b"
	providerToken = "a-key-of-the-provider" //nolint:gosec // of the simulator
	webhookToken  = "a-token-of-the-webhooks"
	adminToken    = "a-token-for-chaos-only"
	database      = "relance"
)

// world is all processes of one run and the links between them. What chaos itself
// asks, of the database, of Temporal, of the provider's ledger and of the APIs, goes
// past the links.
type world struct {
	plan   plan
	logs   string
	client *http.Client

	postgres *server[*devstack.Postgres]
	temporal *server[*devstack.Temporal]
	places   map[string]*place
	links    map[string]*link
	door     *link

	db       *sql.DB
	workflow client.Client

	addresses map[string]string // of the servers and APIs themselves
	apiURLs   map[string]string
	readyAt   []string // where each of Relance's processes tells that it works
	ledgerAt  string   // the provider's own endpoints
	undo      []func() error
}

// newWorld starts everything, on empty databases. Logs of the processes go into a
// folder.
func newWorld(ctx context.Context, p plan, binary, logs string) (w *world, err error) {
	w = &world{
		plan: p, logs: logs, places: map[string]*place{}, links: map[string]*link{}, apiURLs: map[string]string{},
		client: &http.Client{Timeout: 20 * time.Second},
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	scratch, err := devstack.NewScratch()
	if err != nil {
		return w, err
	}
	w.undo = append(w.undo, scratch.Remove)
	for _, begin := range []func(context.Context, *devstack.Scratch) error{w.startServers, w.openLinks, w.startProvider} {
		if err := begin(ctx, scratch); err != nil {
			return w, err
		}
	}
	return w, w.startRelance(ctx, binary)
}

// startServers starts those that Relance needs. What they have acknowledged survives
// a kill.
func (w *world) startServers(ctx context.Context, scratch *devstack.Scratch) error {
	postgresPort, err := devstack.FreePort()
	if err != nil {
		return err
	}
	temporalPort, err := devstack.FreePort()
	if err != nil {
		return err
	}
	settings := devstack.Throwaway()
	settings["synchronous_commit"] = "on"
	w.postgres = &server[*devstack.Postgres]{
		name: thePostgres,
		launch: func(ctx context.Context) (*devstack.Postgres, error) {
			return devstack.StartPostgres(ctx, devstack.PostgresOptions{DataDir: scratch.Path("postgres"), Port: postgresPort, Settings: settings})
		},
		killed: func(p *devstack.Postgres) error { return p.Signal(os.Kill) },
		frozen: (*devstack.Postgres).Freeze, thawed: (*devstack.Postgres).Thaw,
	}
	w.temporal = &server[*devstack.Temporal]{
		name: theTemporal,
		launch: func(ctx context.Context) (*devstack.Temporal, error) {
			return devstack.StartTemporal(ctx, devstack.TemporalOptions{
				DBFile: scratch.Path("temporal.db"), Port: temporalPort, UIPort: -1, MemoryLimit: "512MiB",
			})
		},
		killed: func(t *devstack.Temporal) error { return t.Signal(os.Kill) },
		frozen: func(t *devstack.Temporal) error { return t.Signal(syscall.SIGSTOP) },
		thawed: func(t *devstack.Temporal) error { return t.Signal(syscall.SIGCONT) },
	}
	if err := errors.Join(w.postgres.start(), w.temporal.start()); err != nil {
		return err
	}
	w.undo = append(w.undo, w.temporal.kill, w.postgres.stop)
	url := (*w.postgres.running).URL(database)
	if err := (*w.postgres.running).CreateDatabase(ctx, database); err != nil {
		return err
	}
	if err := migrations.UpAt(ctx, url); err != nil {
		return err
	}
	if w.db, err = store.Connect(url, 3); err != nil {
		return err
	}
	w.undo = append(w.undo, w.db.Close)
	w.workflow, err = client.NewLazyClient(client.Options{
		HostPort: (*w.temporal.running).Address(), Namespace: (*w.temporal.running).Namespace(),
		Logger: tlog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		return err
	}
	w.undo = append(w.undo, func() error { w.workflow.Close(); return nil })
	return nil
}

// openLinks opens a link from each of Relance's processes to each server, one from
// the provider to each API, and the door where the provider's webhooks arrive, which
// sends each connection to one API, whether it is well or not.
func (w *world) openLinks(context.Context, *devstack.Scratch) error {
	addresses := map[string]string{}
	for _, name := range append([]string{theRedis, theProvider}, apis...) {
		port, err := devstack.FreePort()
		if err != nil {
			return err
		}
		addresses[name] = fmt.Sprintf("127.0.0.1:%d", port)
	}
	addresses[thePostgres] = fmt.Sprintf("127.0.0.1:%d", (*w.postgres.running).Port())
	addresses[theTemporal] = (*w.temporal.running).Address()
	open := func(from, to string) error {
		l, err := newLink(linkName(from, to), func() string { return addresses[to] })
		if err != nil {
			return err
		}
		w.links[l.name] = l
		w.undo = append(w.undo, func() error { l.close(); return nil })
		return nil
	}
	for _, from := range relanceProcesses {
		for _, to := range servers {
			if err := open(from, to); err != nil {
				return err
			}
		}
	}
	for _, to := range apis {
		w.apiURLs[to] = "http://" + addresses[to]
		if err := open(theProvider, to); err != nil {
			return err
		}
	}
	var err error
	w.door, err = newLink("the door", func() string {
		return w.links[linkName(theProvider, apis[rand.IntN(len(apis))])].address //nolint:gosec // not a secret
	})
	if err != nil {
		return err
	}
	w.undo = append(w.undo, func() error { w.door.close(); return nil })
	w.addresses = addresses
	return nil
}

// startProvider starts the provider and Redis, which this program plays.
func (w *world) startProvider(_ context.Context, scratch *devstack.Scratch) error {
	admin, err := devstack.FreePort()
	if err != nil {
		return err
	}
	adminAddress := fmt.Sprintf("127.0.0.1:%d", admin)
	w.ledgerAt = "http://" + adminAddress + "/simulator"
	own, err := os.Executable()
	if err != nil {
		return err
	}
	for name, r := range map[string]role{
		theRedis: {Redis: w.addresses[theRedis]},
		theProvider: {Provider: &providerRole{
			Address: w.addresses[theProvider], AdminAddress: adminAddress, Journal: scratch.Path("journal"),
			Webhooks: "http://" + w.door.address + "/webhooks/wassenger?token=" + webhookToken,
			Seed:     w.plan.seed, Contacts: w.plan.behaviour, Delivery: w.plan.delivery, Conduct: conductOf(fine, w.plan.unknown),
			ReplyWindow: w.plan.replyWindow, Edges: w.plan.edges,
		}},
	} {
		if err := w.put(name, own, nil, r.environment()); err != nil {
			return err
		}
	}
	return nil
}

// startRelance starts Relance's own processes, and returns when all of them work.
func (w *world) startRelance(ctx context.Context, binary string) error {
	base, err := url.Parse((*w.postgres.running).URL(database))
	if err != nil {
		return err
	}
	for _, name := range relanceProcesses {
		through := func(to string) string { return w.links[linkName(name, to)].address }
		internal, err := devstack.FreePort()
		if err != nil {
			return err
		}
		base.Host = through(thePostgres)
		environment := map[string]string{
			"DATABASE_URL": base.String(), "REDIS_URL": "redis://" + through(theRedis) + "/0",
			"TEMPORAL_ADDRESS": through(theTemporal), "TEMPORAL_NAMESPACE": (*w.temporal.running).Namespace(),
			"WASSENGER_BASE_URL": "http://" + through(theProvider) + "/v1", "WASSENGER_TOKEN": providerToken, "WASSENGER_DEVICE_ID": device,
			"WEBHOOK_TOKEN": webhookToken, "SEND_LIMIT": fmt.Sprint(w.plan.limit), "SEND_LIMIT_WINDOW": w.plan.quotaWindow.String(),
			"REPLY_RESERVE": fmt.Sprint(w.plan.reserve), "SEND_AHEAD": fmt.Sprint(w.plan.ahead),
			"REPLY_WINDOW": w.plan.replyWindow.String(), "CAMPAIGN_DEADLINE": deadline.String(),
			"SEND_SETTLE": sendSettle.String(), "SEND_BACKOFF": sendBackoff.String(),
			"INTERNAL_ADDR": fmt.Sprintf("127.0.0.1:%d", internal),
			"ADMIN_EMAIL":   "admin@example.com", "ADMIN_PASSWORD": "correct horse battery", "ADMIN_TOKEN": adminToken,
		}
		ready := fmt.Sprintf("http://127.0.0.1:%d/healthz", internal)
		command := "worker"
		if address, ok := w.addresses[name]; ok {
			command, ready = "api", w.apiURLs[name]+"/readyz"
			environment["HTTP_ADDR"] = address
		}
		w.readyAt = append(w.readyAt, ready)
		if err := w.put(name, binary, []string{command}, environment); err != nil {
			return err
		}
	}
	return w.awaitReady(ctx)
}

// put lets a process take its place.
func (w *world) put(name, path string, args []string, environment map[string]string) error {
	log, err := os.OpenFile(filepath.Join(w.logs, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // our own
	if err != nil {
		return err
	}
	p := newPlace(name, path, args, maps.Clone(environment), log)
	w.places[name] = p
	w.undo = append(w.undo, func() error { return errors.Join(p.end(), log.Close()) })
	return p.start()
}

// victim is what has the name of a process.
func (w *world) victim(name string) victim {
	switch name {
	case thePostgres:
		return w.postgres
	case theTemporal:
		return w.temporal
	}
	return w.places[name]
}

// close ends everything that was started, last things first.
func (w *world) close() error {
	var errs []error
	for i := len(w.undo) - 1; i >= 0; i-- {
		errs = append(errs, w.undo[i]())
	}
	w.client.CloseIdleConnections()
	return errors.Join(errs...)
}
