package worker_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/relance/relance/devstack"
	"github.com/relance/relance/intake"
	"github.com/relance/relance/migrations"
	"github.com/relance/relance/wassenger/simulator"
)

// servers are a PostgreSQL and a Temporal of a test's own, which it stops and
// starts again.
type servers struct {
	t        testing.TB
	database devstack.PostgresOptions
	engine   devstack.TemporalOptions
	postgres *devstack.Postgres
	temporal *devstack.Temporal
	url      string
}

func ownServers(t testing.TB) *servers {
	t.Helper()
	return ownServersWith(t, nil)
}

func ownServersWith(t testing.TB, more map[string]string) *servers {
	t.Helper()
	scratch, err := devstack.NewScratch()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, scratch.Remove()) })
	s := &servers{t: t}
	settings := devstack.Throwaway()
	settings["synchronous_commit"] = "on" // what was committed survives a kill
	maps.Copy(settings, more)
	databasePort, err := devstack.FreePort()
	require.NoError(t, err)
	s.database = devstack.PostgresOptions{DataDir: scratch.Path("postgres"), Port: databasePort, Settings: settings}
	temporalPort, err := devstack.FreePort()
	require.NoError(t, err)
	s.engine = devstack.TemporalOptions{DBFile: scratch.Path("temporal.db"), Port: temporalPort, UIPort: -1, MemoryLimit: "512MiB"}
	s.startDatabase()
	s.startTemporal()
	t.Cleanup(func() { s.stopTemporal(); s.stopDatabase() })
	require.NoError(t, s.postgres.CreateDatabase(t.Context(), "relance"))
	s.url = s.postgres.URL("relance")
	require.NoError(t, migrations.UpAt(t.Context(), s.url))
	return s
}

func (s *servers) startDatabase() {
	s.t.Helper()
	postgres, err := devstack.StartPostgres(context.Background(), s.database)
	require.NoError(s.t, err)
	s.postgres = postgres
}

// stopDatabase kills it: nobody is told, nothing is finished.
func (s *servers) stopDatabase() {
	s.t.Helper()
	require.NoError(s.t, s.postgres.Signal(os.Kill))
	_ = s.postgres.Stop(context.Background()) // it tells that it was killed
}

func (s *servers) startTemporal() {
	s.t.Helper()
	var err error
	s.temporal, err = devstack.StartTemporal(context.Background(), s.engine)
	require.NoError(s.t, err)
}

func (s *servers) stopTemporal() {
	s.t.Helper()
	require.NoError(s.t, s.temporal.Signal(os.Kill))
	_ = s.temporal.Stop(context.Background())
}

func replyWebhook(event, phone string) []byte {
	return fmt.Appendf(nil, `{"id":%q,"object":"message","event":"message:in:new","device":{"id":%q},
		"data":{"id":%q,"type":"text","flow":"inbound","fromNumber":%q,"body":"Oui"}}`, event, device, event, phone)
}

// post delivers a webhook once, as the provider does.
func (r *relance) post(body []byte) (code int, said string, err error) {
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.hooks, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, string(answer), err
}

func TestReplyIsNeverLostWhicheverServerIsAway(t *testing.T) {
	t.Parallel()
	s := ownServers(t)
	rules := shrunk()
	rules.ReplyWindow, rules.Deadline = time.Hour, 2*time.Hour // nothing but a reply ends the wait
	r := startOn(t, s.temporal, s.url, rules, func(c *simulator.Config) { c.Delivery.RetryBase = 50 * time.Millisecond })
	stopWorker := r.startWorker()
	id := r.launch(4)
	require.Eventually(t, func() bool {
		return r.count(`SELECT count(*) FROM recipients WHERE campaign_id = $1 AND state = 'message_1_sent'`, id) == 4
	}, patience, 20*time.Millisecond)
	contacts, err := r.store.Correspondences(t.Context(), id)
	require.NoError(t, err)
	sent := func(messages int) func() bool {
		return func() bool { return len(r.simulator.Ledger().Messages) == messages }
	}

	t.Run("database away: parked in Temporal, answered when it is back", func(t *testing.T) {
		s.stopDatabase()
		require.Equal(t, intake.StatusParked, r.insist(t, "A", contacts[0].Phone).said)
		require.Equal(t, intake.StatusParked, r.insist(t, "A", contacts[0].Phone).said, "a repetition too")
		require.Eventually(t, func() bool {
			parked, err := r.engine.Client.DescribeWorkflowExecution(t.Context(), r.parkedID("A", contacts[0].Phone), "")
			return err == nil && len(parked.GetPendingActivities()) == 1 && parked.GetPendingActivities()[0].GetAttempt() > 3
		}, patience, 20*time.Millisecond, "a worker has tried for a while")

		s.startDatabase()
		require.Eventually(t, sent(5), patience, 20*time.Millisecond)
		var received time.Time
		require.NoError(t, r.store.Pool().QueryRow(`SELECT received_at FROM interactions WHERE contact_id = $1`, contacts[0].ContactID).Scan(&received))
		latest, wasParked := r.handedOver("A", contacts[0].Phone)
		require.True(t, wasParked)
		require.False(t, received.After(latest), "it counts from when it was parked")
	})

	t.Run("Temporal away: stored, answered when it is back", func(t *testing.T) {
		s.stopTemporal()
		require.Equal(t, intake.StatusOK, r.insist(t, "B", contacts[1].Phone).said)
		require.Eventually(t, func() bool { return r.count(`SELECT count(*) FROM interactions WHERE campaign_id = $1`, id) == 2 }, patience, 20*time.Millisecond)

		s.startTemporal()
		require.Eventually(t, sent(6), patience, 20*time.Millisecond)
	})

	t.Run("both away: refused, delivered again, answered", func(t *testing.T) {
		s.stopTemporal()
		s.stopDatabase()
		code, _, err := r.post(replyWebhook("C", contacts[2].Phone))
		require.NoError(t, err)
		require.Equal(t, http.StatusServiceUnavailable, code)
		_, err = r.simulator.Reply(simulator.ReplyRequest{Phone: contacts[2].Phone, Type: "text", Text: "Oui"})
		require.NoError(t, err)
		require.Eventually(t, func() bool { return r.refused.Load() >= 2 }, patience, 20*time.Millisecond, "the provider has tried")

		s.startDatabase()
		s.startTemporal()
		require.Eventually(t, sent(7), patience, 20*time.Millisecond)
	})

	t.Run("Temporal away when the worker begins: the worker waits for it", func(t *testing.T) {
		stopWorker()
		s.stopTemporal()
		r.startWorker()
		require.Equal(t, intake.StatusOK, r.insist(t, "D", contacts[3].Phone).said)

		s.startTemporal()
		require.Eventually(t, sent(8), patience, 20*time.Millisecond)
	})

	stats, err := r.store.CampaignStats(t.Context(), id)
	require.NoError(t, err)
	require.EqualValues(t, 4, stats.Interactions)
	require.Eventually(t, func() bool {
		return r.count(`SELECT count(*) FROM recipients WHERE campaign_id = $1 AND state = 'message_2_sent'`, id) == 4
	}, patience, 20*time.Millisecond)
	r.requireLedger(id)
	require.Eventually(t, func() bool { // acknowledgements of the last Message 2 may still come
		return r.countAll(`SELECT count(*) FROM webhook_events WHERE processed_at IS NULL`) == 0
	}, patience, 20*time.Millisecond)
}
