package bench

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
)

// campaignFloor is the least that a campaign which everybody answers can take on
// this Temporal: [noOpCampaign], its activities remote or local.
func campaignFloor(s *servers, name string, contacts int, local bool) course {
	s.b.Helper()
	ctx := s.b.Context()
	c := s.dial()
	n := &noOpCampaign{noOps: noOps{ran: make([][2]time.Time, contacts)}, name: name, local: local}
	stop := s.startWorkers(c, []any{n.Campaign, n.Wave, n.Contact}, []any{n.Note, n.Admit})
	defer stop()
	settle()

	f := course{contacts: contacts, replied: contacts}
	used, begun := cpuUsed(), time.Now()
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: name, TaskQueue: floorQueue}, n.Campaign, contacts)
	require.NoError(s.b, err)
	await(s.b, "the first activities", n.allSent)
	s.awaitRest()
	f.cpu = cpuUsed().since(used)
	f.message1 = latest(slices.Values(n.moments(0))).Sub(begun)

	settle()
	used = cpuUsed()
	signals := atFullSpeed(contacts, connections, func(i int) error {
		return c.SignalWorkflow(ctx, n.contactID(i), "", floorSignal, nil)
	})
	require.NoError(s.b, signals.failure())
	require.NoError(s.b, run.Get(ctx, nil))
	f.finished = time.Since(signals.begun)
	f.cpu = f.cpu.and(cpuUsed().since(used))
	answered := n.moments(1)
	f.message2 = latest(slices.Values(answered)).Sub(signals.begun)
	for i, at := range answered {
		f.answers = append(f.answers, at.Sub(signals.due(i)))
	}
	return f
}

// moments are when each contact's first or second activity ran.
func (n *noOpCampaign) moments(activity int) []time.Time {
	at := make([]time.Time, len(n.ran))
	for i := range n.ran {
		at[i] = n.ran[i][activity]
	}
	return at
}
