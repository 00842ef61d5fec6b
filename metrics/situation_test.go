package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/devstack/testenv"
	"github.com/relance/relance/metrics"
	"github.com/relance/relance/migrations"
	"github.com/relance/relance/store"
)

func TestMain(m *testing.M) { testenv.Main(m) }

const device = "64a1b2c3d4e5f60718293a4b"

func open(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), testenv.Database(t, migrations.UpAt), store.Options{DeviceID: device, Rules: campaign.DefaultRules()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func twoWorkers(context.Context) (int, time.Time, error) { return 2, time.Now(), nil }

// scrape gives every series of a registry with its value, but for the metrics
// that every process has.
func scrape(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	require.NoError(t, err)
	values := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			name := strings.TrimPrefix(family.GetName(), "relance_")
			for _, pair := range metric.GetLabel() {
				if pair.GetName() != "device" {
					name += " " + pair.GetValue()
				}
			}
			values[name] = metric.GetGauge().GetValue()
		}
	}
	return values
}

func TestTheSituationIsToldAsItIs(t *testing.T) {
	s := open(t)
	contacts := make(store.UUIDs, 3)
	for i := range contacts {
		contacts[i] = uuid.New()
		_, err := s.Pool().Exec(`INSERT INTO contacts (id, phone) VALUES ($1, $2)`, contacts[i], fmt.Sprintf("+3363998000%d", i))
		require.NoError(t, err)
	}
	now := time.Now()
	c := store.Campaign{Name: "Test", Status: campaign.Scheduled, ScheduledAt: &now, Message1: "Hello", Message2: "Thanks", ContactIDs: contacts}
	require.NoError(t, s.CreateCampaign(t.Context(), &c))
	_, err := s.FreezeAudience(t.Context(), c.ID)
	require.NoError(t, err)
	admission, err := s.Admit(t.Context(), c.ID, 1, 2, 10)
	require.NoError(t, err)
	require.Len(t, admission.Contacts, 2)
	claim, err := s.Claim(t.Context(), store.MessageKey{CampaignID: c.ID, ContactID: admission.Contacts[0], Type: campaign.Message1})
	require.NoError(t, err)
	_, err = s.SettleSent(t.Context(), store.Acceptance{MessageID: claim.MessageID, ProviderID: "p"})
	require.NoError(t, err)
	_, err = s.Apply(t.Context(), campaign.Event{Kind: campaign.EventReply, Key: "k", Phone: claim.Phone, Interaction: campaign.Text}, time.Now())
	require.NoError(t, err)
	_, err = s.Pool().Exec(`UPDATE recipients SET replied_at = replied_at - interval '90 seconds' WHERE state = 'replied'`)
	require.NoError(t, err)
	event, err := s.KeepWebhook(t.Context(), "late", []byte("{}"), time.Time{})
	require.NoError(t, err)
	_, err = s.Pool().Exec(`UPDATE webhook_events SET received_at = received_at - interval '10 minutes' WHERE id = $1`, event.ID)
	require.NoError(t, err)

	registry := prometheus.NewRegistry()
	metrics.NewSituation(registry, s, twoWorkers)
	got := scrape(t, registry)
	assert.InDelta(t, 90, got["backlog_oldest_answer_age_seconds"], 30)
	assert.InDelta(t, 600, got["backlog_oldest_webhook_age_seconds"], 30)
	delete(got, "backlog_oldest_answer_age_seconds")
	delete(got, "backlog_oldest_webhook_age_seconds")
	assert.Equal(t, map[string]float64{
		"database_up": 1, "temporal_up": 1, "workers_polling": 2, "device_halted": 0,
		// One left, one is owed, one is admitted and may provoke another.
		"quota_limit_messages": 1000, "quota_used_messages": 1, "quota_left_messages": 999, "quota_reserved_messages": 3,
		"backlog_answers": 1, "backlog_webhooks": 1,
		"campaigns running": 1, "campaigns draft": 0, "campaigns scheduled": 0, "campaigns paused": 0, "campaigns completed": 0, "campaigns cancelled": 0,
	}, got)
	problems, err := testutil.GatherAndLint(registry)
	require.NoError(t, err)
	assert.Empty(t, problems)
}

func TestWhatCannotBeAskedIsAbsentNotZero(t *testing.T) {
	s := open(t)
	registry := prometheus.NewRegistry()
	metrics.NewSituation(registry, s, func(context.Context) (int, time.Time, error) { return 0, time.Time{}, errors.New("connection refused") })
	got := scrape(t, registry)
	assert.Equal(t, 0.0, got["temporal_up"])
	assert.NotContains(t, got, "workers_polling")
	assert.Contains(t, got, "quota_used_messages")

	require.NoError(t, s.Close())
	registry = prometheus.NewRegistry()
	metrics.NewSituation(registry, s, twoWorkers)
	assert.Equal(t, map[string]float64{"database_up": 0, "temporal_up": 1, "workers_polling": 2}, scrape(t, registry))
}

func TestAStormOfScrapesLooksOnce(t *testing.T) {
	s := open(t)
	var looks atomic.Int64
	registry := prometheus.NewRegistry()
	metrics.NewSituation(registry, s, func(context.Context) (int, time.Time, error) {
		looks.Add(1)
		return 1, time.Now(), nil
	})
	var storm sync.WaitGroup
	for range 50 {
		storm.Go(func() {
			families, err := registry.Gather()
			assert.NoError(t, err)
			assert.NotEmpty(t, families)
		})
	}
	storm.Wait()
	assert.EqualValues(t, 1, looks.Load())
}
