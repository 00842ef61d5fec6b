package devstack

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// PostgreSQL's codes for what these functions expect.
const (
	duplicateDatabase = "42P04"
	objectInUse       = "55006"
)

// CreateDatabase makes an empty database; that it exists already is no error.
func (p *Postgres) CreateDatabase(ctx context.Context, name string) error {
	err := p.administer(ctx, "CREATE DATABASE "+quoted(name))
	if err != nil && !hasCode(err, duplicateDatabase) {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}

// CreateDatabaseFromTemplate makes a database as a copy of template, which takes
// some tens of milliseconds for a small one. Nobody may be connected to the
// template; sessions that are just ending are waited for.
func (p *Postgres) CreateDatabaseFromTemplate(ctx context.Context, name, template string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		err := p.administer(ctx, "CREATE DATABASE "+quoted(name)+" TEMPLATE "+quoted(template))
		switch {
		case err == nil:
			return nil
		case !hasCode(err, objectInUse):
			return fmt.Errorf("create database %s from %s: %w", name, template, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("create database %s from %s: %w", name, template, errors.Join(err, ctx.Err()))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// DropDatabase ends the sessions in the database and removes it; that there is
// none is no error.
func (p *Postgres) DropDatabase(ctx context.Context, name string) error {
	if err := p.administer(ctx, "DROP DATABASE IF EXISTS "+quoted(name)+" WITH (FORCE)"); err != nil {
		return fmt.Errorf("drop database %s: %w", name, err)
	}
	return nil
}

// administer runs one statement in the maintenance database.
func (p *Postgres) administer(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, p.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, statement)
	return err
}

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

func hasCode(err error, code string) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == code
}
