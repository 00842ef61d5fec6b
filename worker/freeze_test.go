package worker_test

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	tlog "go.temporal.io/sdk/log"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/intake"
	"github.com/relance/relance/store"
	"github.com/relance/relance/wassenger"
	"github.com/relance/relance/wassenger/simulator"
	"github.com/relance/relance/worker"
)

// A worker process of its own, frozen (SIGSTOP) in the middle of sending for
// longer than its activities' timeout, while another takes over, and then
// thawed: nothing is sent twice. Takes more than a minute: part of `make soak`.
func TestFrozenWorkerProcessSendsNothingTwiceWhenItThaws(t *testing.T) {
	if os.Getenv("RELANCE_SOAK") == "" {
		t.Skip("takes over a minute: make soak")
	}
	r := start(t, faulty(), func(c *simulator.Config) {
		lively(c)
		c.Faults.Latency = simulator.Delay{Min: 20 * time.Millisecond, Max: 400 * time.Millisecond}
	})
	process := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	process.Env = append(os.Environ(), workerEnv+"=1", "DATABASE_URL="+r.databaseURL, "TEMPORAL_ADDRESS="+r.temporal,
		"TEMPORAL_NAMESPACE="+r.namespace, "PROVIDER=http://"+r.simulator.Addr()+"/v1")
	process.Stderr = os.Stderr
	require.NoError(t, process.Start())
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
	})
	id := r.launch(faultyContacts)
	require.Eventually(t, func() bool { return r.sentMessage1s(id) >= 10 }, patience, time.Millisecond)

	require.NoError(t, process.Process.Signal(syscall.SIGSTOP))
	inFlight := r.count(`SELECT count(*) FROM messages WHERE campaign_id = $1 AND status = 'sending'`, id)
	t.Logf("frozen with %d messages in flight", inFlight)
	r.startWorker()
	require.Eventually(t, func() bool {
		return r.count(`SELECT count(*) FROM messages WHERE campaign_id = $1 AND status IN ('pending', 'sending')`, id) == 0
	}, patience, 100*time.Millisecond, "the other worker brings every message to its end")
	require.NoError(t, process.Process.Signal(syscall.SIGCONT))

	stats := r.awaitEnd(id)
	require.EqualValues(t, faultyContacts, stats.ByType[campaign.Message1].Sent)
	r.requireLedger(id)
}

const workerEnv = "RELANCE_TEST_WORKER"

// workerProcess is what the test binary does when it is started as a worker.
func workerProcess() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	logger := slog.New(slog.DiscardHandler)
	s, err := store.Open(ctx, os.Getenv("DATABASE_URL"), store.Options{DeviceID: device, Rules: faulty()})
	if err != nil {
		return err
	}
	namespace := os.Getenv("TEMPORAL_NAMESPACE")
	c, err := client.Dial(client.Options{HostPort: os.Getenv("TEMPORAL_ADDRESS"), Namespace: namespace, Logger: tlog.NewStructuredLogger(logger)})
	if err != nil {
		return err
	}
	provider, err := wassenger.New(wassenger.Options{BaseURL: os.Getenv("PROVIDER"), Token: token, DeviceID: device, Timeout: time.Second})
	if err != nil {
		return err
	}
	engine := &worker.Engine{Client: c}
	r := relance{
		store: s, engine: engine, provider: provider, namespace: namespace, logger: logger, timeout: time.Second,
		intake: &intake.Intake{Store: s, Workflows: engine, Logger: logger},
	}
	return r.worker().Run(ctx)
}
