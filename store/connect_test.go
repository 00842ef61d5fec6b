package store_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/relance/relance/devstack/testenv"
	"github.com/relance/relance/store"
)

// Prepared statements are twice as fast, so that they are not given up where
// nobody stands in between. How it is behind a pooler, fleet/ tries.
func TestStatementsArePreparedOnADirectConnection(t *testing.T) {
	for address, prepared := range map[string]int{"": 1, "&default_query_exec_mode=cache_describe": 0} {
		db, err := store.Connect(testenv.Database(t, nil)+address, 1)
		require.NoError(t, err)
		defer func() { require.NoError(t, db.Close()) }()
		var n int
		require.NoError(t, db.QueryRow(`SELECT $1::int`, 7).Scan(&n))
		require.NoError(t, db.QueryRow(`SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT $1::int'`).Scan(&n))
		require.Equal(t, prepared, n, "%q", address)
	}
}

func TestATransactionIsWhatWasAskedForAndDoesNotIdleForLong(t *testing.T) {
	db, err := store.Connect(testenv.Database(t, nil), 1)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	show := func(q interface {
		QueryRow(query string, args ...any) *sql.Row
	}) (settings [3]string) {
		for i, name := range []string{"idle_in_transaction_session_timeout", "transaction_isolation", "transaction_read_only"} {
			require.NoError(t, q.QueryRow("SHOW "+name).Scan(&settings[i]))
		}
		return settings
	}
	for _, c := range []struct {
		options *sql.TxOptions
		want    [3]string
	}{
		{nil, [3]string{"15s", "read committed", "off"}},
		{&sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}, [3]string{"15s", "repeatable read", "on"}},
	} {
		tx, err := db.BeginTx(t.Context(), c.options)
		require.NoError(t, err)
		require.Equal(t, c.want, show(tx))
		require.NoError(t, tx.Commit())
		require.Equal(t, [3]string{"0", "read committed", "off"}, show(db), "nothing is left behind in the session")
	}
}
