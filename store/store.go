// Package store keeps Relance's state in PostgreSQL and takes every decision
// that must happen once: each is one short transaction holding the lock of the
// row it is about, on the database's clock relance_now().
//
// Locks are taken in one order everywhere, so that transactions wait for each
// other but never in a circle: device, campaign, recipient, message.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/relance/relance/campaign"
)

// Errors that callers tell apart with [errors.Is].
var (
	// ErrNotFound: no row has the given key.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the row exists but its state does not allow what was asked.
	ErrConflict = errors.New("conflict")
)

// Options say how a Store decides.
type Options struct {
	// DeviceID is the provider's id of the device that new campaigns send from.
	// A store without one serves commands that launch and send nothing.
	DeviceID  string
	Rules     campaign.Rules
	Retention Retention
	// MaxConnections bounds the pool; 0 means [DefaultMaxConnections].
	MaxConnections int
}

// Store is safe for concurrent use.
type Store struct {
	db       *gorm.DB
	sql      *sql.DB
	rules    campaign.Rules
	deviceID string
	// retention is what a sweep goes by.
	retention Retention
	// importBatch is how many rows of a file are merged in one transaction.
	importBatch int
}

// Open connects to the database and makes sure that the device has its row.
// The schema must be up to date.
func Open(ctx context.Context, url string, options Options) (*Store, error) {
	pool, err := Connect(url, options.MaxConnections)
	if err != nil {
		return nil, err
	}
	db, err := gorm.Open(postgres.New(postgres.Config{Conn: pool}), &gorm.Config{
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
		TranslateError:         true,
		Logger:                 logger.Discard, // gorm would log statements with phone numbers in them
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database: %w", err), pool.Close())
	}
	s := &Store{db: db, sql: pool, rules: options.Rules, deviceID: options.DeviceID, retention: options.Retention, importBatch: importBatch}
	if options.DeviceID == "" {
		return s, nil // commands that send nothing
	}
	if err := db.WithContext(ctx).Exec(
		`INSERT INTO devices (id, lineage) VALUES (?, relance_lineage()) ON CONFLICT DO NOTHING`, options.DeviceID).Error; err != nil {
		return nil, errors.Join(fmt.Errorf("registering device: %w", err), s.Close())
	}
	return s, nil
}

// Close gives the connections back.
func (s *Store) Close() error { return s.sql.Close() }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.sql.PingContext(ctx) }

// Pool exposes the connections for migrations and health checks.
func (s *Store) Pool() *sql.DB { return s.sql }

// Rules are the rules that this store decides by.
func (s *Store) Rules() campaign.Rules { return s.rules }

// maxTries bounds how often a transaction that the database gave up (deadlock,
// serialisation) is run again.
const maxTries = 4

// transaction runs decide in one READ COMMITTED transaction. decide may run
// again when the database asked for it, so it must not keep what it learnt in
// an earlier run.
func (s *Store) transaction(ctx context.Context, doing string, decide func(tx *gorm.DB) error) error {
	var err error
	for range maxTries {
		if err = s.db.WithContext(ctx).Transaction(decide); !worthAnotherTry(err) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

func worthAnotherTry(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && (pgErr.Code == "40P01" || pgErr.Code == "40001")
}

// now reads the database's clock. Read after a row was locked, it is the moment
// at which the decision about that row falls.
func now(tx *gorm.DB) (time.Time, error) {
	var at time.Time
	err := value(tx, &at, `SELECT relance_now()`)
	return at, err
}

// value scans the one value of a query's first row into dest, a plain type, and
// reports [ErrNotFound] for none. gorm's own Scan takes a UUID for a list.
func value(tx *gorm.DB, dest any, query string, args ...any) error {
	row := tx.Raw(query, args...).Row()
	if row == nil {
		return tx.Error
	}
	err := row.Scan(dest)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// first scans the first row of a query into dest, a struct, and reports
// [ErrNotFound] for none.
func first(tx *gorm.DB, dest any, query string, args ...any) error {
	result := tx.Raw(query, args...).Scan(dest)
	if result.Error != nil {
		return result.Error
	}
	if result.RowsAffected == 0 {
		return ErrNotFound
	}
	return nil
}
