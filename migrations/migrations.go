// Package migrations holds the database schema as goose migrations, embedded in
// the binary.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed *.sql
var files embed.FS

// Up brings the database to the newest schema and returns its version. Several
// processes may call it at once: one migrates, the others wait for it.
func Up(ctx context.Context, db *sql.DB) (int64, error) {
	provider, err := newProvider(db)
	if err != nil {
		return 0, err
	}
	if _, err := provider.Up(ctx); err != nil {
		return 0, fmt.Errorf("migrating the database: %w", err)
	}
	version, err := provider.GetDBVersion(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the schema version: %w", err)
	}
	return version, nil
}

// UpAt is Up for the database at an address, on connections of its own.
func UpAt(ctx context.Context, url string) error {
	return at(url, func(db *sql.DB) error {
		_, err := Up(ctx, db)
		return err
	})
}

// UpAtTo is UpAt, but stops at a version: what a database of that time looked like.
func UpAtTo(ctx context.Context, url string, version int64) error {
	return at(url, func(db *sql.DB) error {
		provider, err := newProvider(db)
		if err != nil {
			return err
		}
		if _, err := provider.UpTo(ctx, version); err != nil {
			return fmt.Errorf("migrating the database to version %d: %w", version, err)
		}
		return nil
	})
}

// DownAt undoes every migration: for those who develop them.
func DownAt(ctx context.Context, url string) error {
	return at(url, func(db *sql.DB) error {
		provider, err := newProvider(db)
		if err != nil {
			return err
		}
		if _, err := provider.DownTo(ctx, 0); err != nil {
			return fmt.Errorf("undoing the migrations: %w", err)
		}
		return nil
	})
}

func at(url string, migrate func(*sql.DB) error) (err error) {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return fmt.Errorf("opening the database to migrate: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return migrate(db)
}

// Pending reports whether the database lacks a migration that this binary has.
func Pending(ctx context.Context, db *sql.DB) (bool, error) {
	provider, err := newProvider(db)
	if err != nil {
		return false, err
	}
	pending, err := provider.HasPending(ctx)
	if err != nil {
		return false, fmt.Errorf("looking for pending migrations: %w", err)
	}
	return pending, nil
}

// Versions tells the version of the database's schema, 0 for an empty database, and
// the version that this binary brings it to.
func Versions(ctx context.Context, db *sql.DB) (database, binary int64, err error) {
	provider, err := newProvider(db)
	if err != nil {
		return 0, 0, err
	}
	if database, binary, err = provider.GetVersions(ctx); err != nil {
		return 0, 0, fmt.Errorf("reading the schema version: %w", err)
	}
	return database, binary, nil
}

func newProvider(db *sql.DB) (*goose.Provider, error) {
	// A row that is held for half a minute at a time, and waited for for five minutes.
	// An advisory lock of the session would be left behind in a pooler's connection.
	locker, err := lock.NewPostgresTableLocker(lock.WithTableLockTimeout(250*time.Millisecond, 1200))
	if err != nil {
		return nil, fmt.Errorf("preparing the migration lock: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithLocker(locker))
	if err != nil {
		return nil, fmt.Errorf("reading the embedded migrations: %w", err)
	}
	return provider, nil
}
