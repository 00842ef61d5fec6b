package fleet

import (
	"bytes"
	"net/http"
	"time"

	"github.com/google/uuid"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/wassenger/simulator"
)

// recipient is what the database has of a contact.
type recipient struct {
	state      campaign.RecipientState
	windowEnds time.Time
	inTime     bool // a reply is recorded as one
}

func (f *fleet) recipients(id uuid.UUID) map[string]recipient {
	f.t.Helper()
	rows, err := f.db.QueryContext(f.t.Context(), `
		SELECT r.phone, r.state, r.window_ends_at, EXISTS (
		       SELECT FROM interactions i WHERE i.campaign_id = r.campaign_id AND i.contact_id = r.contact_id AND i.within_24h)
		FROM recipients r WHERE r.campaign_id = $1`, id)
	require.NoError(f.t, err)
	defer func() { require.NoError(f.t, rows.Close()) }()
	all := map[string]recipient{}
	for rows.Next() {
		var phone string
		var r recipient
		require.NoError(f.t, rows.Scan(&phone, &r.state, &r.windowEnds, &r.inTime))
		all[phone] = r
	}
	require.NoError(f.t, rows.Err())
	return all
}

// requireLedger holds every contact against what truly happened: one Message 1
// for each, one Message 2 for each who replied in time, and for nobody else.
func (f *fleet) requireLedger(id uuid.UUID) {
	f.t.Helper()
	letters, replies := f.provider.letters(), f.provider.replies()
	recipients := f.recipients(id)
	require.Len(f.t, recipients, f.size.contacts)
	require.Len(f.t, letters, f.size.contacts, "nobody else was sent anything")
	answered, close := 0, 0
	for phone, r := range recipients {
		left := letters[phone]
		require.Len(f.t, left.first, 1, "Message 1")
		// The window begins when the message left, as far as Relance could know: at its
		// claim, where an acknowledgement or a reply was there before the answer.
		require.WithinDuration(f.t, left.first[0].At.Add(f.size.replyWindow), r.windowEnds, providerTimeout)

		surely, possibly := false, false
		for _, reply := range replies[phone] {
			surely = surely || reply.takenIn.Before(r.windowEnds)
			possibly = possibly || reply.said.Before(r.windowEnds)
		}
		if surely != possibly { // on its way when the window ended: the database saw which came first
			close++
			surely = r.inTime
		}
		require.Equal(f.t, surely, r.inTime, "whether the reply was in time")
		switch {
		case surely:
			answered++
			require.Len(f.t, left.second, 1, "Message 2 of somebody who replied in time")
			require.Equal(f.t, campaign.Message2Sent, r.state)
		case len(replies[phone]) > 0:
			require.Empty(f.t, left.second, "Message 2 of somebody who replied too late")
			require.Equal(f.t, campaign.LateInteraction, r.state)
		default:
			require.Empty(f.t, left.second, "Message 2 of somebody who did not reply")
			require.Equal(f.t, campaign.NoInteraction, r.state)
		}
	}
	f.t.Logf("%d contacts, %d answered, %d replies on their way when the window ended", len(recipients), answered, close)
	require.Positive(f.t, answered)
}

// requireEveryKind: what is true of replies is true of every type of them.
func (p *provider) requireEveryKind() {
	p.t.Helper()
	kinds := map[simulator.ReplyType]bool{}
	for _, reply := range p.simulator.Ledger().Replies {
		kinds[reply.Type] = true
	}
	require.Len(p.t, kinds, len(simulator.ReplyTypes), "replies of every type")
}

// providerTimeout is how long a request to the provider may take.
const providerTimeout = 10 * time.Second

// said is a reply: when the contact sent it, and by when Relance had taken it in.
type said struct{ said, takenIn time.Time }

func (p *provider) replies() map[string][]said {
	p.t.Helper()
	ledger := p.simulator.Ledger()
	takenIn := map[string]time.Time{}
	for _, webhook := range ledger.Webhooks {
		if webhook.ReplyID == "" || webhook.First2xxAt == nil {
			continue
		}
		if earlier, ok := takenIn[webhook.ReplyID]; !ok || webhook.First2xxAt.Before(earlier) {
			takenIn[webhook.ReplyID] = *webhook.First2xxAt
		}
	}
	all := map[string][]said{}
	reacted := map[[3]string]bool{}
	for _, reply := range ledger.Replies {
		// The same reaction to the same message again is the same event: nothing tells it
		// from a webhook that came twice.
		reaction := [3]string{reply.Phone, reply.QuotedWaID, reply.Text}
		if reply.Type == simulator.ReplyReaction {
			if reacted[reaction] {
				continue
			}
			reacted[reaction] = true
		}
		at, ok := takenIn[reply.ID]
		require.True(p.t, ok, "a reply was not taken in")
		all[reply.Phone] = append(all[reply.Phone], said{reply.At, at})
	}
	return all
}

// awaitAgreement waits until every API says of the campaign what the ledger says.
func (f *fleet) awaitAgreement(id uuid.UUID) {
	f.t.Helper()
	want := f.provider.stats(f.size.contacts)
	for _, api := range f.apis.all() {
		require.EventuallyWithT(f.t, func(t *assert.CollectT) {
			var found struct{ Status campaign.Status }
			require.NoError(t, f.get(api, "/campaigns/"+id.String(), &found))
			require.Equal(t, campaign.Completed, found.Status)
			var got stats
			require.NoError(t, f.get(api, "/campaigns/"+id.String()+"/stats", &got))
			for state, n := range got.States {
				if n == 0 {
					delete(got.States, state)
				}
			}
			if !f.provider.everybodyReads {
				got.MessagesRead = want.MessagesRead
			}
			require.Equal(t, want, got)
		}, patience, tick, api.name)
	}
}

// stats are what they have to be, by the ledger alone.
func (p *provider) stats(contacts int) stats {
	p.t.Helper()
	letters, replies := p.letters(), p.replies()
	s := stats{TotalContacts: contacts, States: map[campaign.RecipientState]int{}}
	for phone, left := range letters {
		s.ByType.Message1.Sent += len(left.first)
		s.ByType.Message2.Sent += len(left.second)
		s.Interactions += len(replies[phone])
		switch {
		case len(left.second) > 0:
			s.Replied++
			s.States[campaign.Message2Sent]++
		case len(replies[phone]) > 0:
			s.States[campaign.LateInteraction]++
		default:
			s.States[campaign.NoInteraction]++
		}
	}
	s.MessagesSent = s.ByType.Message1.Sent + s.ByType.Message2.Sent
	s.MessagesDelivered, s.MessagesRead = s.MessagesSent, s.MessagesSent // everybody reads
	return s
}

// requireQuotaKept holds the provider's own clock against the limit.
func (f *fleet) requireQuotaKept() {
	f.t.Helper()
	sent := f.provider.simulator.Ledger().Messages
	require.Greater(f.t, len(sent), 2*f.size.limit, "the limit had to hold somebody back")
	for i := f.size.limit; i < len(sent); i++ {
		require.Greater(f.t, sent[i].At.Sub(sent[i-f.size.limit].At), f.size.window,
			"messages %d to %d left within one window", i-f.size.limit, i)
	}
}

// requireWorkShared: who was there at the end has done something, whenever it came.
func (f *fleet) requireWorkShared() {
	f.t.Helper()
	var connections int
	require.NoError(f.t, f.db.QueryRowContext(f.t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()`).Scan(&connections))
	f.t.Logf("%d connections to the database", connections)
	for _, worker := range f.workers.all() {
		// Not messages: a wave's leave at once, and a few workers have all waves.
		worked := f.counted(worker, "temporal_workflow_task_queue_poll_succeed_total")
		f.t.Logf("%s worked on %.0f tasks of workflows", worker.name, worked)
		require.Positive(f.t, worked, worker.name)
	}
	for _, api := range f.apis.all() {
		taken := f.counted(api, "relance_webhooks_total")
		f.t.Logf("%s took %.0f webhooks", api.name, taken)
		require.Positive(f.t, taken, api.name)
	}
}

// counted adds up a process's counters of a name.
func (f *fleet) counted(p *process, name string) (sum float64) {
	f.t.Helper()
	families := f.metrics(p)
	require.Contains(f.t, families, name)
	for _, metric := range families[name].GetMetric() {
		sum += metric.GetCounter().GetValue()
	}
	return sum
}

// metrics is what a process tells Prometheus, by name.
func (f *fleet) metrics(p *process) map[string]*dto.MetricFamily {
	f.t.Helper()
	status, text, err := call(f.t.Context(), f.client, http.MethodGet, p.internal+"/metrics", "", "")
	require.NoError(f.t, err)
	require.Equal(f.t, http.StatusOK, status)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	require.NoError(f.t, err)
	return families
}
