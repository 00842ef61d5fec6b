package bench

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/relance/relance/workflows"
)

const (
	starts      = 20
	startTarget = 50 * time.Millisecond
)

// BenchmarkStart measures how soon POST /campaigns/start is answered for an
// audience of 100,000. Only the API runs: nothing of what follows is in the way.
func BenchmarkStart(b *testing.B) {
	contacts := sized(100_000)
	s := startServers(b)
	r := prepareRelance(s, startProvider(b))
	r.start("api")
	everybody := r.category("Everybody", 0, contacts)
	r.exec(`INSERT INTO categories (id, name) SELECT gen_random_uuid(), 'Also ' || n FROM generate_series(1, $1) n`, starts)
	others := r.ids(`SELECT id FROM categories WHERE name LIKE 'Also %'`)
	// Each start is for another category, whose members are among everybody.
	r.exec(`INSERT INTO contact_categories (contact_id, category_id)
		SELECT k.id, c.id FROM categories c CROSS JOIN (SELECT id FROM contacts LIMIT 100) k WHERE c.name LIKE 'Also %'`)
	r.exec(`VACUUM ANALYZE`)
	settle()

	l := atFullSpeed(starts, 1, func(i int) error {
		return r.request(http.MethodPost, "/campaigns/start", fmt.Appendf(nil,
			`{"name":"Benchmark","category_ids":[%q,%q],"message_1":"Hello {{name}}","message_2":"Thank you"}`, everybody, others[i]))
	})

	table := results.add(fmt.Sprintf("Start: POST /campaigns/start, %d times one after another, each for %d contacts", starts, contacts))
	table.addLoad("answered", l, startTarget)
	b.ReportMetric(milliseconds(l.latencies.summary().p99), "p99-ms")
	b.ReportMetric(0, "ns/op")
	require.NoError(b, l.failure())
	temporal := s.dial()
	for _, id := range r.ids(`SELECT id FROM campaigns`) {
		_, exists := r.sizeOf(temporal, workflows.CampaignID(id))
		require.True(b, exists, "a campaign's workflow was not started")
	}
	require.Equal(b, starts, count(b, r.db, `SELECT count(*) FROM campaigns`))
}
