package migrations_test

import (
	"database/sql"
	"os"
	"testing"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/devstack/testenv"
)

// The fourth migration moves what imports have recorded, both ways.
func TestImportsOfOlderVersionsKeepTheirErrors(t *testing.T) {
	ctx := t.Context()
	db, err := sql.Open("pgx", testenv.Database(t, nil))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, os.DirFS("."))
	require.NoError(t, err)
	_, err = provider.UpTo(ctx, 3)
	require.NoError(t, err)
	const recorded = `[{"line": 3, "reason": "phone must not be empty"}, {"line": 7, "reason": "name"}]`
	_, err = db.ExecContext(ctx, `INSERT INTO import_jobs (id, state, rows, imported, rejected, errors, finished_at)
		VALUES (gen_random_uuid(), 'done', 9, 7, 2, $1, now())`, recorded)
	require.NoError(t, err)

	_, err = provider.UpTo(ctx, 4)
	require.NoError(t, err)
	var lines string
	require.NoError(t, db.QueryRowContext(ctx, `SELECT string_agg(line || ' ' || reason, ', ' ORDER BY line) FROM import_rejections`).Scan(&lines))
	require.Equal(t, "3 phone must not be empty, 7 name", lines)

	_, err = provider.DownTo(ctx, 3)
	require.NoError(t, err)
	var errors string
	require.NoError(t, db.QueryRowContext(ctx, `SELECT errors FROM import_jobs`).Scan(&errors))
	require.JSONEq(t, recorded, errors)
}
