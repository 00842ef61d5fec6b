package bench

import (
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
)

// insertFloor is the least that keeping webhooks can take: an HTTP handler that
// inserts one row and commits.
func insertFloor(s *servers, at schedule) load {
	s.b.Helper()
	db := s.database("floor")
	_, err := db.ExecContext(s.b.Context(), `CREATE TABLE webhooks
		(id uuid PRIMARY KEY, raw bytea NOT NULL, received_at timestamptz NOT NULL DEFAULT now())`)
	require.NoError(s.b, err)
	server := httptest.NewServer(inserting(db))
	defer server.Close()
	client, body := newHTTPClient(), groupMessage().raw
	settle()
	l := at.run(func(int) error { return post(client, server.URL, body) })
	require.NoError(s.b, l.failure())
	require.Equal(s.b, len(at), count(s.b, db, `SELECT count(*) FROM webhooks`))
	return l
}

func inserting(db *sql.DB) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err == nil {
			_, err = db.ExecContext(r.Context(), `INSERT INTO webhooks (id, raw) VALUES ($1, $2)`, uuid.New(), raw)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}
}

// workflowLoad is how workflows that do nothing answered their signals.
type workflowLoad struct {
	load       // the signals themselves
	activities [2]latencies
}

// workflowFloor is the least that answering replies can take: workflows that
// wait for a signal and then run two activities in turn, none of which does
// anything, with the options of Relance's own workers.
func workflowFloor(s *servers, at schedule) workflowLoad {
	s.b.Helper()
	ctx := s.b.Context()
	c := s.dial()
	n := &noOps{ran: make([][2]time.Time, len(at))}
	stop := s.startWorkers(c, []any{n.Workflow}, []any{n.Note})
	defer stop()
	runs := make([]client.WorkflowRun, len(at))
	var err error
	for i := range at {
		runs[i], err = c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: fmt.Sprint("floor/", i), TaskQueue: floorQueue}, n.Workflow, i)
		require.NoError(s.b, err)
	}
	// Those that have not begun when they are signalled would not have to be woken.
	await(s.b, "the workflows to begin", n.allBegun)

	settle()
	f := workflowLoad{load: at.run(func(i int) error { return c.SignalWorkflow(ctx, runs[i].GetID(), "", floorSignal, nil) })}
	require.NoError(s.b, f.failure())
	for i, run := range runs {
		require.NoError(s.b, run.Get(ctx, nil))
		for k := range f.activities {
			f.activities[k] = append(f.activities[k], n.ran[i][k].Sub(f.due(i)))
		}
	}
	return f
}
