package devstack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrNoPgBouncer says that no PgBouncer is on this machine.
var ErrNoPgBouncer = errors.New("no PgBouncer found: Debian's package pgbouncer has one")

// PgBouncerOptions says where and how to run a PgBouncer.
type PgBouncerOptions struct {
	// Postgres is the server behind it.
	Postgres *Postgres

	// Dir holds its configuration and password; it is made, and must be where the
	// account can go that PostgreSQL runs as, such as in a Scratch.
	Dir string

	// Settings are PgBouncer's own by name, beside those that every pool of ours has.
	Settings map[string]string

	// Logger receives its log, at debug level. Nil discards it.
	Logger *slog.Logger
}

// PgBouncer is a running PgBouncer in front of a server: a connection to it has a
// connection to the server for the length of one transaction.
type PgBouncer struct {
	postgres *Postgres
	port     int
	child    *child
}

// StartPgBouncer starts one that pools by transaction, does nothing for prepared
// statements, and returns when it leads to the server. The error wraps ErrNoPgBouncer when there is no such program.
func StartPgBouncer(ctx context.Context, opts PgBouncerOptions) (*PgBouncer, error) {
	p := &PgBouncer{postgres: opts.Postgres}
	path, err := exec.LookPath("pgbouncer")
	if err != nil {
		if path, err = exec.LookPath("/usr/sbin/pgbouncer"); err != nil {
			return nil, ErrNoPgBouncer
		}
	}
	if err := whilePortsAreTaken(ctx, func(ctx context.Context) error { return p.attempt(ctx, path, opts) }); err != nil {
		return nil, fmt.Errorf("start PgBouncer: %w", err)
	}
	return p, nil
}

func (p *PgBouncer) attempt(ctx context.Context, path string, opts PgBouncerOptions) (err error) {
	if p.port, err = FreePort(); err != nil {
		return err
	}
	ini, err := p.configure(ctx, path, opts)
	if err != nil {
		return err
	}
	if p.child, err = (command{
		name: "PgBouncer", path: path, args: []string{ini}, account: p.postgres.dir.runAs,
		deathSignal: syscall.SIGKILL, logger: opts.Logger,
	}).start(); err != nil {
		return err
	}
	err = p.child.awaitReady(ctx, syscall.SIGTERM, p.ready)
	if err == nil {
		return nil
	}
	if p.child.output.contains("Address already in use") {
		return fmt.Errorf("port %d: %w: %w", p.port, errPortTaken, err)
	}
	return err
}

// configure writes what PgBouncer reads and returns where.
func (p *PgBouncer) configure(ctx context.Context, program string, opts PgBouncerOptions) (path string, err error) {
	runAs := p.postgres.dir.runAs
	users := filepath.Join(opts.Dir, "users.txt")
	settings := map[string]string{
		"listen_addr": loopback, "listen_port": strconv.Itoa(p.port), "unix_socket_dir": "",
		"auth_type": "scram-sha-256", "auth_file": users,
		"pool_mode": "transaction",
	}
	if knows, err := knowsPreparedStatements(ctx, program); err != nil {
		return "", err
	} else if knows {
		settings["max_prepared_statements"] = "0"
	}
	maps.Copy(settings, opts.Settings)
	var ini strings.Builder
	fmt.Fprintf(&ini, "[databases]\n* = host=%s port=%d\n\n[pgbouncer]\n", loopback, p.postgres.port)
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&ini, "%s = %s\n", name, settings[name])
	}
	if err := os.MkdirAll(opts.Dir, 0o755); err != nil {
		return "", err
	}
	path = filepath.Join(opts.Dir, "pgbouncer.ini")
	for file, content := range map[string]string{
		path: ini.String(), users: fmt.Sprintf("%q %q\n", superuser, p.postgres.dir.password),
	} {
		if err := errors.Join(os.WriteFile(file, []byte(content), 0o600), runAs.own(file)); err != nil {
			return "", err
		}
	}
	return path, nil
}

// knowsPreparedStatements: from 1.21 on, and then it can be told not to.
func knowsPreparedStatements(ctx context.Context, program string) (bool, error) {
	said, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return false, fmt.Errorf("ask %s for its version: %w", program, err)
	}
	var major, minor int
	if _, err := fmt.Sscanf(string(said), "PgBouncer %d.%d", &major, &minor); err != nil {
		return false, fmt.Errorf("read the version of %s (%.40q): %w", program, said, err)
	}
	return major > 1 || minor >= 21, nil
}

func (p *PgBouncer) ready(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, p.URL("postgres"))
	if err != nil {
		return false
	}
	return conn.Close(ctx) == nil
}

// URL is for DATABASE_URL. It holds the password of a superuser.
func (p *PgBouncer) URL(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(superuser, p.postgres.dir.password),
		Host: address(p.port), Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Stop ends it and every connection through it. It can be called more than once.
func (p *PgBouncer) Stop(ctx context.Context) error { return p.child.stop(ctx, syscall.SIGTERM) }
