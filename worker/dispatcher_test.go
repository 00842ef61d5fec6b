package worker_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/devstack/testenv"
	"github.com/relance/relance/migrations"
	"github.com/relance/relance/store"
	"github.com/relance/relance/worker"
)

func TestTheDispatcherFinishesImportsWhoseProcessIsGone(t *testing.T) {
	s, err := store.Open(t.Context(), testenv.Database(t, migrations.UpAt), store.Options{DeviceID: device, Rules: campaign.DefaultRules()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	received, err := s.ReceiveImport(t.Context(), store.Import{Rows: func(yield func(store.ImportRow, error) bool) {
		for i := range 100 {
			if !yield(store.ImportRow{ContactData: store.ContactData{Phone: fmt.Sprintf("+33639980%03d", i)}}, nil) {
				return
			}
		}
	}})
	require.NoError(t, err)

	changed := make(chan struct{}, 1)
	d := &worker.Dispatcher{
		Store: s, Logger: slog.New(slog.DiscardHandler), SettleUnknown: func(context.Context) error { return nil },
		ContactsChanged: func(context.Context) { changed <- struct{}{} },
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { d.Run(ctx); close(ended) }()
	defer func() { stop(); <-ended }()

	// The clock is what makes an import lost, so nothing happens before it moves.
	_, err = s.Pool().Exec(`CREATE OR REPLACE FUNCTION relance_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS
		$$ SELECT clock_timestamp() + interval '11 seconds' $$`)
	require.NoError(t, err)
	select {
	case <-changed:
	case <-time.After(patience):
		t.Fatal("nobody took the import up")
	}
	job, err := s.ImportJob(t.Context(), received.ID)
	require.NoError(t, err)
	assert.Equal(t, store.ImportDone, job.State)
	assert.EqualValues(t, 100, job.Imported)
}
