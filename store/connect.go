package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// DefaultMaxConnections is how many connections a process opens at most, unless told otherwise.
	DefaultMaxConnections = 16

	// idleInTransaction is how long a transaction may wait for its next statement
	// before the database ends it. Ours wait for nothing but the network.
	idleInTransaction = 15 * time.Second
)

// Connect opens a pool of connections without touching the schema. It needs nothing
// that outlives a transaction, so there may be a transaction pooler (PgBouncer,
// Supabase's Supavisor) in between: what a session would keep is set in each
// transaction, and statements are prepared by name only where no pooler is found.
// default_query_exec_mode in the address decides otherwise.
func Connect(url string, maxConnections int) (*sql.DB, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("reading the database address: %w", err)
	}
	if maxConnections == 0 {
		maxConnections = DefaultMaxConnections
	}
	pool := sql.OpenDB(newConnector(config, strings.Contains(url, "default_query_exec_mode")))
	pool.SetMaxOpenConns(maxConnections)
	pool.SetMaxIdleConns(maxConnections)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return pool, nil
}

// connector makes connections that work with and without a pooler.
type connector struct {
	driver.Connector
	chosen bool // how statements are executed: not ours to decide
	pooled atomic.Bool
}

func newConnector(config *pgx.ConnConfig, chosen bool) *connector {
	c := &connector{chosen: chosen}
	c.Connector = stdlib.GetConnector(*config, stdlib.OptionBeforeConnect(func(_ context.Context, config *pgx.ConnConfig) error {
		if c.pooled.Load() {
			// One round trip and the same types as with prepared statements, but without a name for them.
			config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
		}
		return nil
	}))
	return c
}

// Connect opens one connection. The first that turns out to lead to a pooler is
// given up for one that is used as poolers need it, as are all after it.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	opened, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	conn, ok := opened.(*stdlib.Conn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("connecting to the database: a connection of another driver: %T", opened), opened.Close())
	}
	if c.chosen || c.pooled.Load() {
		return connection{conn}, nil
	}
	pooled, err := behindPooler(ctx, conn.Conn())
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if !pooled {
		return connection{conn}, nil
	}
	c.pooled.Store(true)
	if err := conn.Close(); err != nil {
		return nil, fmt.Errorf("leaving a first connection to a pooler: %w", err)
	}
	return c.Connect(ctx)
}

// behindPooler: a pooler gives its clients process ids of its own, PostgreSQL
// gives that of the process which then executes the statements.
func behindPooler(ctx context.Context, conn *pgx.Conn) (bool, error) {
	var pid uint32
	if err := conn.QueryRow(ctx, `SELECT pg_backend_pid()`, pgx.QueryExecModeSimpleProtocol).Scan(&pid); err != nil {
		return false, fmt.Errorf("asking the database for its process: %w", err)
	}
	return pid != conn.PgConn().PID(), nil
}

// connection is pgx's own but for how transactions begin.
type connection struct{ *stdlib.Conn }

// BeginTx begins a transaction that does not wait for its next statement for ever:
// a process that is frozen in the middle of one must not hold a device's lock for
// as long as it is frozen. Both statements go in one round trip.
func (c connection) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	if c.Conn.Conn().IsClosed() {
		return nil, driver.ErrBadConn
	}
	begin := "BEGIN"
	if level := sql.IsolationLevel(options.Isolation); level != sql.LevelDefault {
		begin += " ISOLATION LEVEL " + level.String()
	}
	if options.ReadOnly {
		begin += " READ ONLY"
	}
	tx, err := c.Conn.Conn().BeginTx(ctx, pgx.TxOptions{
		BeginQuery: fmt.Sprintf("%s; SET LOCAL idle_in_transaction_session_timeout = %d", begin, idleInTransaction.Milliseconds()),
	})
	if err != nil {
		return nil, err
	}
	return transaction{ctx, tx}, nil
}

// transaction is pgx's for database/sql.
type transaction struct {
	ctx context.Context
	tx  pgx.Tx
}

func (t transaction) Commit() error   { return t.tx.Commit(t.ctx) }
func (t transaction) Rollback() error { return t.tx.Rollback(t.ctx) }
