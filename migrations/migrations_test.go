package migrations_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/relance/relance/devstack/testenv"
	"github.com/relance/relance/migrations"
)

func TestMain(m *testing.M) { testenv.Main(m) }

func TestSeveralProcessesMayMigrateAtOnce(t *testing.T) {
	url := testenv.Database(t, nil)
	var processes errgroup.Group
	for range 4 {
		processes.Go(func() error { return migrations.UpAt(t.Context(), url) })
	}
	require.NoError(t, processes.Wait())

	db, err := sql.Open("pgx", url)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	pending, err := migrations.Pending(t.Context(), db)
	require.NoError(t, err)
	require.False(t, pending)
}

func TestAnEmptyDatabaseIsPending(t *testing.T) {
	db, err := sql.Open("pgx", testenv.Database(t, nil))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	pending, err := migrations.Pending(t.Context(), db)
	require.NoError(t, err)
	require.True(t, pending)
}

func TestEveryMigrationCanBeUndoneAndDoneAgain(t *testing.T) {
	url := testenv.Database(t, migrations.UpAt)
	require.NoError(t, migrations.DownAt(t.Context(), url))
	require.NoError(t, migrations.UpAt(t.Context(), url))
}
