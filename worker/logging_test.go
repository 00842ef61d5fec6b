package worker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	tlog "go.temporal.io/sdk/log"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/wassenger/simulator"
	"github.com/relance/relance/worker"
	"github.com/relance/relance/workflows"
)

var mute = slog.New(slog.DiscardHandler)

// client is another process's connection to Temporal.
func (r *relance) client(identity string) client.Client {
	r.t.Helper()
	return r.dial(client.Options{Identity: identity, Logger: tlog.NewStructuredLogger(mute)})
}

func (r *relance) dial(options client.Options) client.Client {
	r.t.Helper()
	options.HostPort, options.Namespace = r.temporal, r.namespace
	c, err := client.Dial(options)
	require.NoError(r.t, err)
	r.t.Cleanup(c.Close)
	return c
}

// levels keeps at which levels a message was logged, and how often.
type levels struct {
	message string
	mutex   sync.Mutex
	seen    map[slog.Level]int
}

func (l *levels) Enabled(context.Context, slog.Level) bool { return true }
func (l *levels) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *levels) WithGroup(string) slog.Handler            { return l }

func (l *levels) Handle(_ context.Context, record slog.Record) error {
	if record.Message == l.message {
		l.mutex.Lock()
		defer l.mutex.Unlock()
		l.seen[record.Level]++
	}
	return nil
}

func (l *levels) at(level slog.Level) int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.seen[level]
}

func TestOnlyWhatIsWrongIsLoggedAsAnError(t *testing.T) {
	t.Parallel()
	r := start(t, faulty(), func(c *simulator.Config) {
		lively(c)
		c.Faults = simulator.Faults{RateLimited: 0.3, RetryAfterSeconds: 1, ErrorAfterAccept: 0.3, ErrorBeforeAccept: 0.2}
	})
	log := &levels{message: "Activity error.", seen: map[slog.Level]int{}}
	w := r.worker()
	w.Client = r.dial(client.Options{Logger: tlog.NewStructuredLogger(slog.New(log))})
	r.background("the worker", w.Run)

	id := r.launch(10)
	stats := r.awaitEnd(id)
	require.Positive(t, stats.ByType[campaign.Message1].Sent)
	require.Positive(t, log.at(slog.LevelDebug), "some were tried again")
	require.Zero(t, log.at(slog.LevelError), "which is no error")

	require.NoError(t, r.engine.StartCampaign(t.Context(), uuid.New())) // there is none
	require.Eventually(t, func() bool { return log.at(slog.LevelError) > 0 }, patience, 20*time.Millisecond, "but this is one")
}

func TestTemporalsLogLinesNameCampaignAndContact(t *testing.T) {
	var written bytes.Buffer
	logger := tlog.NewStructuredLogger(slog.New(worker.LogHandler(slog.NewJSONHandler(&written, nil))))
	campaignID, contactID := uuid.New(), uuid.New()
	for _, log := range []func(){
		func() { logger.Error("Activity error.", "WorkflowID", workflows.ContactID(campaignID, contactID)) },
		func() { tlog.With(logger, "WorkflowID", workflows.ContactID(campaignID, contactID)).Warn("Slow.") },
	} {
		written.Reset()
		log()
		var line map[string]any
		require.NoError(t, json.Unmarshal(written.Bytes(), &line))
		require.Subset(t, line, map[string]any{"campaign_id": campaignID.String(), "contact_id": contactID.String()})
	}
}
