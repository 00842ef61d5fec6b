package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/reconcile"
)

func TestReconcileSaysWhatItFoundAndEndsWith0OnlyIfNothingRemains(t *testing.T) {
	t.Setenv("SEND_SETTLE", "100ms")
	w := watch(t, "serve")
	var contact struct{ ID string }
	require.NoError(t, json.Unmarshal(w.call(http.MethodPost, "/contacts", "application/json", `{"phone":"`+watchedPhone+`","name":"Ana"}`), &contact))
	w.call(http.MethodPost, "/campaigns/start", "application/json", `{"name":"One","message_1":"Hello","message_2":"Thanks","contact_ids":["`+contact.ID+`"]}`)
	require.Eventually(t, func() bool { return len(w.simulator.Ledger().Messages) == 1 }, time.Minute, 20*time.Millisecond)
	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.Eventually(t, func() bool {
		var sent int
		return db.QueryRow(`SELECT count(*) FROM messages WHERE sent_at IS NOT NULL`).Scan(&sent) == nil && sent == 1
	}, time.Minute, 20*time.Millisecond)
	run := func(arguments ...string) (string, error) {
		var out bytes.Buffer
		root := rootCommand()
		root.SetArgs(append([]string{"reconcile"}, arguments...))
		root.SetOut(&out)
		root.SetErr(io.Discard) // how far it is
		err := root.ExecuteContext(t.Context())
		require.NotContains(t, out.String(), watchedPhone[1:])
		return out.String(), err
	}

	_, err = db.Exec(`UPDATE devices SET lineage = 'another'`)
	require.NoError(t, err)
	said, err := run()
	require.Error(t, err)
	require.Contains(t, said, "The database was restored")
	require.Contains(t, said, "--apply")

	said, err = run("--apply", "--json")
	require.NoError(t, err, said)
	var report reconcile.Report
	require.NoError(t, json.Unmarshal([]byte(said), &report))
	require.True(t, report.Restored)
	require.Equal(t, 1, report.Provider.Listed)
	require.True(t, report.Provider.Nothing(), "%s", said)

	said, err = run()
	require.NoError(t, err, said)
	require.Contains(t, said, "agree")
	said, err = run("--rebuild")
	require.NoError(t, err, said)
}
