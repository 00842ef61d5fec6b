package devstack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// PostgresOptions says where and how to run a PostgreSQL server.
type PostgresOptions struct {
	// DataDir holds the databases; it is made when missing or empty. When we are
	// root and the user that the server then runs as cannot reach it, it becomes
	// a symbolic link to a folder in /var/lib/relance.
	DataDir string

	// Port on 127.0.0.1; 0 takes a free one.
	Port int

	// BinDir holds the programs postgres and initdb, version 15 or newer. When
	// empty: POSTGRES_BIN_DIR, then the npm package under tools/, then what the
	// machine has. Existing data needs programs of the version that made it.
	BinDir string

	// Settings are server settings by name, as in postgresql.conf.
	Settings map[string]string

	// Logger receives the server's log, at debug level. Statements in it may
	// carry personal data. Nil discards it.
	Logger *slog.Logger
}

// Throwaway are settings for databases that nobody will miss: several times as
// fast, and lost when the machine stops.
func Throwaway() map[string]string {
	return map[string]string{
		"fsync":              "off",
		"synchronous_commit": "off",
		"full_page_writes":   "off",
		"wal_level":          "minimal",
		"max_wal_senders":    "0",
		"max_connections":    "200",
	}
}

// Postgres is a running PostgreSQL server that listens on 127.0.0.1 alone, wants
// a password, and dies with this process (committed data is safe then, too).
type Postgres struct {
	dir   dataDir
	port  int
	child *child
	lease *lease
}

// How long a start waits for what an earlier server may have left, before it is
// an error.
const (
	remainsPatience = 20 * time.Second // a dying server, its shared memory, its lock file
	portPatience    = 5 * time.Second  // a port that was asked for by number
	readyPatience   = 2 * time.Minute  // recovery after a crash takes its time
)

var (
	errPortTaken = errors.New("the port is taken by another program")
	errRemains   = errors.New("an earlier server on the same files is not quite gone")
)

// StartPostgres starts a server and returns when it answers queries. It never
// runs as root: when we are root, it runs as whoever owns the data directory, and
// a new one belongs to the user postgres, or else nobody. Only one process at a
// time can run a server on a data directory. The context bounds the start, not the
// life of the server. The error wraps ErrNoPostgres when there are no programs.
func StartPostgres(ctx context.Context, opts PostgresOptions) (*Postgres, error) {
	path, err := filepath.Abs(opts.DataDir)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	held, err := takeLease(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	p := &Postgres{lease: held}
	if p.dir, err = openDataDir(ctx, path, opts); err == nil {
		err = p.start(ctx, opts)
	}
	if err != nil {
		held.release()
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	return p, nil
}

// start tries until the server runs or there is no point in trying again.
func (p *Postgres) start(ctx context.Context, opts PostgresOptions) error {
	p.endLeftover()
	begun := time.Now()
	var last error
	for {
		err := p.attempt(ctx, opts)
		patience := time.Duration(0)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return errors.Join(err, last)
		case errors.Is(err, errPortTaken):
			patience = portPatience
		case errors.Is(err, errRemains):
			patience = remainsPatience
			p.removeForeignLock(begun)
		}
		if time.Since(begun) >= patience {
			return err
		}
		last = err
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// attempt starts the server once and waits until it answers.
func (p *Postgres) attempt(ctx context.Context, opts PostgresOptions) (err error) {
	p.port = opts.Port
	if p.port == 0 {
		if p.port, err = FreePort(); err != nil {
			return err
		}
	}
	// SIGQUIT makes it drop everything at once; the next start recovers.
	server := p.dir.command("postgres", syscall.SIGQUIT, p.arguments(opts.Settings)...)
	server.logger = opts.Logger
	if p.child, err = server.start(); err != nil {
		return err
	}
	err = p.child.awaitReady(ctx, syscall.SIGQUIT, p.ready)
	if err == nil {
		return nil
	}
	switch {
	case p.child.output.contains("Address already in use", "could not create any TCP/IP sockets"):
		return fmt.Errorf("port %d: %w: %w", p.port, errPortTaken, err)
	case p.child.output.contains(`"postmaster.pid" already exists`, "pre-existing shared memory block"):
		return fmt.Errorf("%w: %w", errRemains, err)
	}
	return err
}

func (p *Postgres) arguments(settings map[string]string) []string {
	all := map[string]string{
		"listen_addresses": loopback,
		"port":             strconv.Itoa(p.port),
		// A socket's path may have 107 bytes at most; nobody needs one.
		"unix_socket_directories": "",
		"timezone":                "UTC",
		"log_timezone":            "UTC",
	}
	maps.Copy(all, settings)
	args := []string{"-D", p.dir.path}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		args = append(args, "-c", name+"="+all[name])
	}
	return args
}

// ready asks the server that we started, and not another one on the same port.
func (p *Postgres) ready(ctx context.Context) bool {
	if p.dir.postmasterPID() != p.child.process.Pid {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, p.URL("postgres"))
	if err != nil {
		return false
	}
	return conn.Close(ctx) == nil
}

// endLeftover ends a server that still runs on our files although whoever started
// it is dead, as the lease proves.
func (p *Postgres) endLeftover() {
	if pid := p.dir.postmasterPID(); pid != 0 && isPostgresOn(pid, p.dir.path) {
		_ = syscall.Kill(pid, syscall.SIGQUIT)
	}
}

// removeForeignLock removes a lock file whose process id has since gone to another
// program of the same user, which PostgreSQL takes for a running server. It waits,
// because the file is also what guards against an old server's last processes.
func (p *Postgres) removeForeignLock(begun time.Time) {
	if time.Since(begun) < 3*time.Second {
		return
	}
	if pid := p.dir.postmasterPID(); pid != 0 && !isPostgresOn(pid, p.dir.path) {
		_ = os.Remove(filepath.Join(p.dir.path, "postmaster.pid"))
	}
}

// URL is for DATABASE_URL. It holds the password of a superuser.
func (p *Postgres) URL(database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(superuser, p.dir.password),
		Host:     address(p.port),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Port is the TCP port on 127.0.0.1.
func (p *Postgres) Port() int { return p.port }

// Version is the server's version, such as "18.4".
func (p *Postgres) Version() string { return p.dir.binaries.version }

// Done is closed when the server has ended, for whatever reason.
func (p *Postgres) Done() <-chan struct{} { return p.child.done }

// Signal sends a signal to the server's main process, for fault tests. After
// os.Kill the server can be started again once Stop has been called.
func (p *Postgres) Signal(sig os.Signal) error { return p.child.signal(sig) }

// Freeze pauses the server with all of its sessions (SIGSTOP), for fault tests.
func (p *Postgres) Freeze() error {
	// The main process first, so that it starts no session that is not paused.
	if err := p.child.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	return signalChildren(p.child.process.Pid, syscall.SIGSTOP)
}

// Thaw lets a frozen server go on.
func (p *Postgres) Thaw() error {
	return errors.Join(signalChildren(p.child.process.Pid, syscall.SIGCONT), p.child.signal(syscall.SIGCONT))
}

// Stop ends sessions and the server, writing everything to disk. When ctx ends
// first, or after half a minute, the server is stopped the hard way, which loses
// no committed data, and Stop returns an error. It can be called more than once.
func (p *Postgres) Stop(ctx context.Context) error {
	err := p.child.stop(ctx, syscall.SIGINT, syscall.SIGQUIT)
	p.lease.release()
	return err
}
