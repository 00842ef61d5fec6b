package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

const (
	// situationFor is how long a look at the situation serves further scrapes,
	situationFor = 5 * time.Second
	// and lookTimeout how long one may take.
	lookTimeout = 2 * time.Second
)

// Situation shows how the device, its backlog, its campaigns and its workers
// stand, looked at when it is scraped. What could not be asked is absent, not
// zero: only whether it could be asked is always there.
type Situation struct {
	store   *store.Store
	workers func(ctx context.Context) (polling int, lastSeen time.Time, err error)

	mutex sync.Mutex
	at    time.Time
	last  []prometheus.Metric
}

// NewSituation registers the situation of the store's device. workers asks
// Temporal how many workers poll.
func NewSituation(registry prometheus.Registerer, s *store.Store,
	workers func(ctx context.Context) (polling int, lastSeen time.Time, err error),
) {
	registry.MustRegister(&Situation{store: s, workers: workers})
}

var (
	databaseUp = describe("relance_database_up", "1 if the database answers, else 0.")
	temporalUp = describe("relance_temporal_up", "1 if Temporal answers, else 0.")

	workersPolling = describe("relance_workers_polling", "Workers that poll Temporal for every kind of task.")

	deviceHalted  = describe("relance_device_halted", "1 if the provider says that the device cannot send, else 0.", "device")
	quotaLimit    = describe("relance_quota_limit_messages", "Messages that may leave the device in any window.", "device")
	quotaUsed     = describe("relance_quota_used_messages", "Messages that left the device in the window that ends now, or may have.", "device")
	quotaLeft     = describe("relance_quota_left_messages", "Messages that may still leave the device now.", "device")
	quotaReserved = describe("relance_quota_reserved_messages", "Of what is left, what is held for admitted contacts and for answers.", "device")

	backlogWebhooks   = describe("relance_backlog_webhooks", "Webhooks that are stored and not applied.")
	backlogWebhookAge = describe("relance_backlog_oldest_webhook_age_seconds", "For how long the oldest of them has waited; 0 if there is none.")
	backlogAnswers    = describe("relance_backlog_answers", "Message 2s that are owed and have not left.", "device")
	backlogAnswerAge  = describe("relance_backlog_oldest_answer_age_seconds", "For how long the oldest of them has been owed; 0 if there is none.", "device")

	campaigns = describe("relance_campaigns", "Campaigns by status.", "status")
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// Describe lists everything that the situation may hold.
func (s *Situation) Describe(descriptions chan<- *prometheus.Desc) {
	for _, each := range []*prometheus.Desc{
		databaseUp, temporalUp, workersPolling, deviceHalted, quotaLimit, quotaUsed, quotaLeft, quotaReserved,
		backlogWebhooks, backlogWebhookAge, backlogAnswers, backlogAnswerAge, campaigns,
	} {
		descriptions <- each
	}
}

// Collect looks at the situation, unless that was done a moment ago. Scrapes that
// come while it is being looked at wait for that one look.
func (s *Situation) Collect(collected chan<- prometheus.Metric) {
	s.mutex.Lock()
	if time.Since(s.at) > situationFor {
		s.last = s.look()
		s.at = time.Now()
	}
	last := s.last
	s.mutex.Unlock()
	for _, each := range last {
		collected <- each
	}
}

// look asks the database and Temporal side by side.
func (s *Situation) look() []prometheus.Metric {
	ctx, cancel := context.WithTimeout(context.Background(), lookTimeout)
	defer cancel()
	var database, temporal []prometheus.Metric
	var both errgroup.Group
	both.Go(func() error { database = s.lookAtDatabase(ctx); return nil })
	both.Go(func() error { temporal = s.lookAtTemporal(ctx); return nil })
	_ = both.Wait() // what failed is told by what they return
	return append(database, temporal...)
}

func (s *Situation) lookAtDatabase(ctx context.Context) []prometheus.Metric {
	now, err := s.store.Monitor(ctx)
	if err != nil {
		return []prometheus.Metric{gauge(databaseUp, 0)}
	}
	counts, err := s.store.CampaignCounts(ctx)
	if err != nil {
		return []prometheus.Metric{gauge(databaseUp, 0)}
	}
	quota := s.store.Rules().Quota.Standing(now.Usage)
	found := []prometheus.Metric{
		gauge(databaseUp, 1),
		gauge(deviceHalted, truth(now.HaltedAt != nil), now.DeviceID),
		gauge(quotaLimit, float64(s.store.Rules().Quota.Limit), now.DeviceID),
		gauge(quotaUsed, float64(quota.Used), now.DeviceID),
		gauge(quotaLeft, float64(quota.Left), now.DeviceID),
		gauge(quotaReserved, float64(quota.Reserved), now.DeviceID),
		gauge(backlogWebhooks, float64(now.Backlog.Webhooks)),
		gauge(backlogWebhookAge, age(now.At, now.Backlog.OldestWebhookAt)),
		gauge(backlogAnswers, float64(now.Backlog.Answers), now.DeviceID),
		gauge(backlogAnswerAge, age(now.At, now.Backlog.OldestAnswerAt), now.DeviceID),
	}
	for _, status := range campaign.Statuses {
		found = append(found, gauge(campaigns, float64(counts[status]), string(status)))
	}
	return found
}

func (s *Situation) lookAtTemporal(ctx context.Context) []prometheus.Metric {
	polling, _, err := s.workers(ctx)
	if err != nil {
		return []prometheus.Metric{gauge(temporalUp, 0)}
	}
	return []prometheus.Metric{gauge(temporalUp, 1), gauge(workersPolling, float64(polling))}
}

func gauge(description *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(description, prometheus.GaugeValue, value, labels...)
}

func truth(holds bool) float64 {
	if holds {
		return 1
	}
	return 0
}

func age(now time.Time, since *time.Time) float64 {
	if since == nil {
		return 0
	}
	return max(now.Sub(*since).Seconds(), 0)
}
