package main

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/relance/relance/cache"
	"github.com/relance/relance/migrations"
	"github.com/relance/relance/store"
)

// examineRules looks for rules that are allowed and can hardly be meant.
func (c config) examineRules() finding {
	rules, err := c.rules()
	if err != nil {
		return fail("correct this variable", "%s", oneLine(err))
	}
	real := strings.Contains(c.WassengerBaseURL, "wassenger.com")
	switch {
	case rules.Deadline <= rules.ReplyWindow:
		return warn("make CAMPAIGN_DEADLINE longer than REPLY_WINDOW: 48h and 24h are usual",
			"campaigns complete after %s, before replies stop counting at %s", rules.Deadline, rules.ReplyWindow)
	case rules.SendSettle >= rules.ReplyWindow:
		return warn("make SEND_SETTLE much shorter than REPLY_WINDOW: 60s and 24h are usual",
			"an unknown outcome takes %s to be settled, and replies count for %s", rules.SendSettle, rules.ReplyWindow)
	case real && (rules.Quota.Window < time.Hour || rules.ReplyWindow < time.Hour):
		return warn("unset SEND_LIMIT_WINDOW, REPLY_WINDOW and CAMPAIGN_DEADLINE: short ones are for demonstrations",
			"the real provider is used with a SEND_LIMIT_WINDOW of %s and a REPLY_WINDOW of %s", rules.Quota.Window, rules.ReplyWindow)
	}
	return ok("%d messages in %s, replies count for %s, campaigns complete after %s", rules.Quota.Limit, rules.Quota.Window, rules.ReplyWindow, rules.Deadline)
}

// examineRedis asks until Redis has answered in time once: the first answer may
// come late because of the connection. Without Redis everything works.
func (c config) examineRedis(ctx context.Context) finding {
	if c.RedisURL == "" {
		return ok("none is configured; every answer comes from the database")
	}
	const remedy = "check REDIS_URL (rediss:// for TLS), that Redis runs, and that it answers faster than read_timeout in that address (50ms); until then every answer comes from the database"
	kept, err := cache.New(c.RedisURL, slog.New(slog.DiscardHandler))
	if err != nil {
		return fail(remedy, "REDIS_URL is no address of a Redis") // the error may quote a password
	}
	defer func() { _ = kept.Close() }()
	for {
		err := kept.Healthy(ctx)
		if err == nil {
			return ok("answers")
		}
		if pause(ctx, 100*time.Millisecond) != nil {
			return warn(remedy, "%s does not answer: %s", hostOf(c.RedisURL), oneLine(err))
		}
	}
}

// hostOf is where an address leads, without the password that may stand in it.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "the server"
	}
	return u.Host
}

// databaseDoctor looks at the database.
type databaseDoctor struct {
	config config
	store  *store.Store // once it could be opened
}

func (d *databaseDoctor) close() {
	if d.store != nil {
		_ = d.store.Close()
	}
}

func (d *databaseDoctor) examinations() []examination {
	return []examination{
		{name: "database", run: d.reach, vital: true},
		{name: "database connections", run: d.connections},
		{name: "schema", run: d.schema, vital: true},
		{name: "database clock", run: d.clock},
		{name: "device halt", run: d.halt},
	}
}

// oldestPostgres is the oldest server_version_num that the migrations work on.
const oldestPostgres = 150000

func (d *databaseDoctor) reach(ctx context.Context) finding {
	const remedy = "check DATABASE_URL, that PostgreSQL runs there, and that this machine may connect to it"
	if err := d.config.has(needDatabase); err != nil {
		return fail(remedy, "%s", oneLine(err))
	}
	// Without a device: nothing is to be written.
	opened, err := store.Open(ctx, d.config.DatabaseURL, store.Options{MaxConnections: 1})
	if err != nil {
		return fail(remedy, "DATABASE_URL is no address of a database") // the error may quote a password
	}
	d.store = opened
	begun := time.Now()
	var name string
	var version int
	err = d.store.Pool().QueryRowContext(ctx, `SELECT current_setting('server_version'), current_setting('server_version_num')::int`).Scan(&name, &version)
	switch {
	case err != nil:
		return fail(remedy, "%s does not answer: %s", hostOf(d.config.DatabaseURL), oneLine(err))
	case version < oldestPostgres:
		return fail("move to PostgreSQL 15 or newer", "PostgreSQL %s is too old", name)
	}
	return ok("PostgreSQL %s answers in %s", name, time.Since(begun).Round(time.Millisecond))
}

// connections counts them where every role sees all: of pg_stat_activity most see
// their own alone.
func (d *databaseDoctor) connections(ctx context.Context) finding {
	var used, most int
	err := d.store.Pool().QueryRowContext(ctx,
		`SELECT sum(numbackends), current_setting('max_connections')::int FROM pg_stat_database`).Scan(&used, &most)
	switch {
	case err != nil:
		return warn("look at the database's log", "could not be counted: %s", oneLine(err))
	case used*10 >= most*8:
		return warn("raise max_connections, or put a pooler in front: each process of Relance opens up to 16", "%d of %d are in use", used, most)
	}
	return ok("%d of %d are in use", used, most)
}

func (d *databaseDoctor) schema(ctx context.Context) finding {
	database, binary, err := migrations.Versions(ctx, d.store.Pool())
	switch {
	case err != nil:
		return fail("look at the database's log, and at the rights of the user in DATABASE_URL", "%s", oneLine(err))
	case database < binary:
		return fail("run `relance migrate`", "version %d, and this binary needs %d", database, binary)
	case database > binary:
		return warn("deploy the binary that migrated it everywhere", "version %d is newer than this binary's %d", database, binary)
	}
	return ok("version %d", database)
}

func (d *databaseDoctor) clock(ctx context.Context) finding {
	var at, decides time.Time
	begun := time.Now()
	err := d.store.Pool().QueryRowContext(ctx, `SELECT clock_timestamp(), relance_now()`).Scan(&at, &decides)
	if err != nil {
		return fail("look at the database's log", "could not be read: %s", oneLine(err))
	}
	if shift := decides.Sub(at); shift.Abs() > time.Second {
		return fail("restore it: CREATE OR REPLACE FUNCTION relance_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp()'",
			"the function relance_now() is %s off the database's clock, as only tests make it", shift.Round(time.Second))
	}
	taken := time.Since(begun)
	return skew("the database's", begun.Add(taken/2).Sub(at), max(time.Second, taken))
}

// halt tells of what the database knows about the device: after a refusal nothing
// is sent until somebody resumes a campaign, in a restored one until it is reconciled.
func (d *databaseDoctor) halt(ctx context.Context) finding {
	halt, err := d.store.Halt(ctx, d.config.WassengerDeviceID)
	switch {
	case err != nil:
		return fail("look at the database's log", "%s", oneLine(err))
	case halt.Restored:
		return fail("run `relance reconcile --apply`", "nothing is sent: the database is another than the one that the last messages were recorded in")
	case !halt.HaltedAt.IsZero():
		return fail("mend it at the provider, then resume a campaign: that lifts the halt",
			"nothing is sent since %s: %s", halt.HaltedAt.UTC().Format(time.RFC3339), oneLine(errors.New(halt.HaltReason)))
	}
	return ok("the device may send")
}
