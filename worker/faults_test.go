package worker_test

import (
	"context"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/wassenger/simulator"
)

// faulty are rules in which nothing but the provider goes wrong.
func faulty() campaign.Rules {
	r := shrunk()
	r.ReplyWindow, r.Deadline = 8*time.Second, 4*time.Minute // time enough to look up what is unclear
	return r
}

// faultyContacts is the size of a campaign that meets faults: 300 in `make soak`.
var faultyContacts = func() int {
	if os.Getenv("RELANCE_SOAK") != "" {
		return 300
	}
	return 40
}()

// Every fault that the provider can have, one at a time: no message is doubled,
// none is lost silently, and every recipient ends as the ledger proves.
func TestEveryFaultOfTheProviderLeavesAnExactLedger(t *testing.T) {
	for name, faults := range map[string]simulator.Faults{
		"slow":                    {Latency: simulator.Delay{Min: 50 * time.Millisecond, Max: 800 * time.Millisecond}},
		"times out after":         {TimeoutAfterAccept: 0.1},
		"times out before":        {TimeoutBeforeAccept: 0.1},
		"5xx after accepting":     {ErrorAfterAccept: 0.2},
		"5xx before accepting":    {ErrorBeforeAccept: 0.2},
		"429":                     {RateLimited: 0.2, RetryAfterSeconds: 1},
		"reset after accepting":   {ResetAfterAccept: 0.2},
		"reset before accepting":  {ResetBeforeAccept: 0.2},
		"numbers not on WhatsApp": {UnknownNumbers: 0.2},
		"look-ups fail":           {ErrorAfterAccept: 0.2, LookUpFailure: 0.5},
		"look-ups lag":            {ErrorAfterAccept: 0.2, LookUpLag: simulator.Delay{Max: 300 * time.Millisecond}},
		"halted":                  {Halted: 0.01, HaltStatus: 402},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t, faulty(), func(c *simulator.Config) { lively(c); c.Faults = faults })
			r.startWorker()
			id := r.launch(faultyContacts)
			r.background("the admin", func(ctx context.Context) error { return r.resumeWheneverPaused(ctx, id) })
			stats := r.awaitEnd(id)
			r.requireLedger(id)
			require.Positive(t, stats.States[campaign.Message2Sent])
		})
	}
}

func TestFaultsMixedAtRandomLeaveAnExactLedger(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	share := func(most float64) float64 { return random.Float64() * most }
	r := start(t, faulty(), func(c *simulator.Config) {
		lively(c)
		c.Seed = seed
		c.Faults = simulator.Faults{
			Latency:            simulator.Delay{Max: time.Duration(share(float64(200 * time.Millisecond)))},
			TimeoutAfterAccept: share(0.05), TimeoutBeforeAccept: share(0.05),
			ErrorAfterAccept: share(0.1), ErrorBeforeAccept: share(0.1),
			RateLimited: share(0.1), RetryAfterSeconds: 1,
			ResetAfterAccept: share(0.05), ResetBeforeAccept: share(0.05),
			Halted: share(0.01), HaltStatus: 401, UnknownNumbers: share(0.1),
			LookUpFailure: share(0.3), LookUpLag: simulator.Delay{Max: time.Duration(share(float64(300 * time.Millisecond)))},
		}
	})
	r.startWorker()
	id := r.launch(max(faultyContacts, 100))
	r.background("the admin", func(ctx context.Context) error { return r.resumeWheneverPaused(ctx, id) })
	r.awaitEnd(id)
	r.requireLedger(id)
}

func TestMessagesWaitWithoutUsingAttemptsWhileTheProviderIsAway(t *testing.T) {
	t.Parallel()
	r := start(t, faulty(), lively)
	require.NoError(t, r.simulator.Refuse(true))
	r.startWorker()
	id := r.launch(530)
	require.Eventually(t, func() bool {
		return r.count(`SELECT count(*) FROM recipients WHERE campaign_id = $1 AND state = 'admitted'`, id) == 500
	}, patience, 20*time.Millisecond, "two waves")
	require.Eventually(t, func() bool {
		return r.count(`SELECT count(*) FROM messages WHERE campaign_id = $1 AND error <> ''`, id) > 10
	}, patience, 20*time.Millisecond, "several have tried")
	require.Zero(t, r.count(`SELECT count(*) FROM messages WHERE campaign_id = $1 AND attempts > 1`, id), "at most the one under way")
	require.Equal(t, 30, r.count(`SELECT count(*) FROM recipients WHERE campaign_id = $1 AND state = 'pending'`, id), "no third wave before one has left")

	require.NoError(t, r.simulator.Refuse(false))

	stats := r.awaitEnd(id)
	r.requireLedger(id)
	require.EqualValues(t, 530, stats.ByType[campaign.Message1].Sent)
}

func (r *relance) count(query string, id uuid.UUID) (n int) {
	r.t.Helper()
	require.NoError(r.t, r.store.Pool().QueryRow(query, id).Scan(&n))
	return n
}

// resumeWheneverPaused is an admin who sees to it that a halted device can send again.
func (r *relance) resumeWheneverPaused(ctx context.Context, id uuid.UUID) error {
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		c, err := r.store.Campaign(ctx, id)
		if err != nil || c.Status != campaign.Paused {
			continue // asked again at the next tick
		}
		if err := r.store.Resume(ctx, id); err == nil {
			_ = r.engine.TellDecided(ctx, id) // the dispatcher repeats it
		}
	}
}
