package devstack

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// TemporalOptions says where and how to run a Temporal server.
type TemporalOptions struct {
	// Binary is the Temporal CLI; when empty, FindTemporal looks for it.
	Binary string

	// DBFile holds everything the server must remember. When empty it remembers
	// only in memory.
	DBFile string

	// Port on 127.0.0.1 for gRPC; 0 takes a free one.
	Port int

	// UIPort on 127.0.0.1 for the Web UI; 0 takes a free one, a negative number
	// means no Web UI.
	UIPort int

	// Namespace is made when missing; "default" when empty.
	Namespace string

	// Retention is how long closed workflows can be looked at; 72 hours when zero.
	Retention time.Duration

	// MemoryLimit is a soft limit on the server's memory, as in GOMEMLIMIT
	// ("512MiB"); empty means none.
	MemoryLimit string

	// Logger receives the server's log, at debug level. Nil discards it.
	Logger *slog.Logger
}

// Temporal is a running Temporal development server that listens on 127.0.0.1
// alone and dies with this process. What it has acknowledged is in DBFile then.
type Temporal struct {
	opts   TemporalOptions
	port   int
	uiPort int
	child  *child
	lease  *lease
}

// temporalPatience bounds one attempt to start, on a machine with much to do.
const temporalPatience = time.Minute

// StartTemporal starts a server with the search attributes CampaignId and
// ContactState, and returns when it accepts workflows and the Web UI can be
// opened. Only one process at a time can run a server on a DBFile. The context
// bounds the start, not the life of the server. The error wraps ErrNoTemporal when
// there is no CLI.
func StartTemporal(ctx context.Context, opts TemporalOptions) (*Temporal, error) {
	t := &Temporal{opts: opts}
	t.opts.Namespace = cmp.Or(opts.Namespace, "default")
	t.opts.Retention = cmp.Or(opts.Retention, 72*time.Hour)
	if err := t.prepare(); err != nil {
		return nil, fmt.Errorf("start Temporal: %w", err)
	}
	if err := whilePortsAreTaken(ctx, t.attempt); err != nil {
		t.lease.release()
		return nil, fmt.Errorf("start Temporal: %w", err)
	}
	return t, nil
}

func (t *Temporal) prepare() (err error) {
	if t.opts.Binary == "" {
		if t.opts.Binary, err = FindTemporal(); err != nil {
			return err
		}
	}
	if t.opts.DBFile == "" {
		return nil
	}
	if t.opts.DBFile, err = filepath.Abs(t.opts.DBFile); err != nil {
		return err
	}
	t.lease, err = takeLease(t.opts.DBFile + ".lock")
	return err
}

func (t *Temporal) attempt(ctx context.Context) (err error) {
	if t.port, err = portOr(t.opts.Port); err != nil {
		return err
	}
	if t.opts.UIPort >= 0 {
		if t.uiPort, err = portOr(t.opts.UIPort); err != nil {
			return err
		}
	}
	t.child, err = command{
		name: "temporal",
		path: t.opts.Binary,
		args: t.arguments(),
		env:  t.environment(),
		// On one machine it takes more of the processor than all else together, and
		// nobody waits for it as a provider waits for its webhook to be answered.
		nice: 5,
		// SQLite is safe against a kill, and the server is slow to stop otherwise.
		deathSignal: syscall.SIGKILL,
		logger:      t.opts.Logger,
	}.start()
	if err != nil {
		return err
	}
	ready, cancel := t.child.context(ctx, temporalPatience)
	defer cancel()
	if err := t.awaitReady(ready); err != nil {
		_ = t.child.stop(ctx, syscall.SIGKILL)
		// It panics when a port that it picked for one of its parts has been taken.
		if t.child.output.contains("address already in use", "can't set ", "panic:") {
			return fmt.Errorf("%w: %w", errPortTaken, err)
		}
		return err
	}
	return nil
}

func portOr(port int) (int, error) {
	if port != 0 {
		return port, nil
	}
	return FreePort()
}

func (t *Temporal) arguments() []string {
	args := []string{
		"server", "start-dev",
		"--ip", loopback,
		"--port", strconv.Itoa(t.port),
		"--namespace", t.opts.Namespace,
		"--log-level", "error",
		"--search-attribute", "CampaignId=Keyword",
		"--search-attribute", "ContactState=Keyword",
	}
	if t.opts.UIPort < 0 {
		args = append(args, "--headless")
	} else {
		args = append(args, "--ui-port", strconv.Itoa(t.uiPort))
	}
	if t.opts.DBFile != "" {
		// Measured: five times as many messages a second as without.
		args = append(args,
			"--db-filename", t.opts.DBFile,
			"--sqlite-pragma", "journal_mode=WAL",
			"--sqlite-pragma", "synchronous=NORMAL")
	}
	for _, setting := range []string{
		"matching.useNewMatcher=true", // task priorities: Message 2 goes first
		"matching.numTaskqueueReadPartitions=1",
		"matching.numTaskqueueWritePartitions=1",
		"frontend.enableServerVersionCheck=false", // it would ask on the internet
		"history.cacheSizeBasedLimit=true",
		"history.hostLevelCacheMaxSizeBytes=67108864",
		// Without it each start of a wave's child reads all of that wave's starts again.
		"history.enableHostLevelEventsCache=true",
		"history.eventsHostLevelCacheMaxSizeBytes=67108864",
	} {
		args = append(args, "--dynamic-config-value", setting)
	}
	return args
}

// environment keeps our client settings (TEMPORAL_ADDRESS and so on) from the CLI.
func (t *Temporal) environment() []string {
	var env []string
	for _, setting := range os.Environ() {
		if !strings.HasPrefix(setting, "TEMPORAL_") {
			env = append(env, setting)
		}
	}
	if t.opts.MemoryLimit != "" {
		env = append(env, "GOMEMLIMIT="+t.opts.MemoryLimit)
	}
	return env
}

// Address is for TEMPORAL_ADDRESS.
func (t *Temporal) Address() string { return address(t.port) }

// Namespace is for TEMPORAL_NAMESPACE.
func (t *Temporal) Namespace() string { return t.opts.Namespace }

// UIURL is the address of the Web UI, "" without one.
func (t *Temporal) UIURL() string {
	if t.opts.UIPort < 0 {
		return ""
	}
	return "http://" + address(t.uiPort)
}

// Done is closed when the server has ended, for whatever reason.
func (t *Temporal) Done() <-chan struct{} { return t.child.done }

// Signal sends a signal to the server, for fault tests: SIGSTOP pauses it, SIGCONT
// lets it go on, SIGKILL kills it. After SIGKILL it can be started again, with the
// same DBFile and port, once Stop has been called.
func (t *Temporal) Signal(sig os.Signal) error { return t.child.signal(sig) }

// Stop ends the server. When ctx ends first, or after half a minute, the server is
// killed, which loses nothing that DBFile should hold, and Stop returns an error.
// It can be called more than once.
func (t *Temporal) Stop(ctx context.Context) error {
	err := t.child.stop(ctx, syscall.SIGTERM)
	t.lease.release()
	return err
}
