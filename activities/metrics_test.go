package activities_test

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/activities"
	"github.com/relance/relance/campaign"
	"github.com/relance/relance/wassenger/simulator"
)

// shows holds one metric of a registry against its text form, without its help.
func shows(t *testing.T, registry *prometheus.Registry, name, want string) {
	t.Helper()
	expected := "# HELP " + name + " Messages brought to an end by this process: sent, failed for good, or of unknown outcome.\n# TYPE " + name + " counter\n"
	for line := range strings.SplitSeq(strings.TrimSpace(want), "\n") {
		expected += name + strings.TrimSpace(line) + "\n"
	}
	assert.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(expected), name))
}

func TestMessagesAreCountedByWhatBecameOfThem(t *testing.T) {
	registry := prometheus.NewRegistry()
	metrics := activities.NewMetrics(registry)
	run := func(s sender) {
		worker := s.worker(nil)
		worker.Metrics = metrics
		s.untilDone(worker)
		s.untilDone(worker) // repeated, as Temporal may
	}

	s := newSender(t)
	require.NoError(t, s.simulator.FailNext(simulator.ErrorAfterAccept, 1))
	run(s)
	s.reply()
	s.in.Type = campaign.Message2
	run(s)
	refused := newSender(t)
	require.NoError(t, refused.simulator.SetFaults(simulator.Faults{UnknownPhones: []string{"+33639980000"}}))
	run(refused)

	shows(t, registry, "relance_messages_total", `
		{outcome="failed",type="message_1"} 1
		{outcome="failed",type="message_2"} 0
		{outcome="sent",type="message_1"} 1
		{outcome="sent",type="message_2"} 1
		{outcome="unknown",type="message_1"} 0
		{outcome="unknown",type="message_2"} 0`)
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		if family.GetName() == "relance_answer_latency_seconds" {
			histogram := family.GetMetric()[0].GetHistogram()
			assert.EqualValues(t, 1, histogram.GetSampleCount())
			assert.Positive(t, histogram.GetSampleSum())
			assert.Less(t, histogram.GetSampleSum(), 5.0)
		}
	}
	problems, err := testutil.GatherAndLint(registry)
	require.NoError(t, err)
	assert.Empty(t, problems)
}
