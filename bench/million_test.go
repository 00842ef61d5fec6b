package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/devstack"
)

const (
	// each of the paths is asked for some hundred times in every phase
	lookedAtFor   = 30 * time.Second
	acksPerSecond = 50
)

// BenchmarkAPIOfALargeCampaign measures what people look at while a campaign to
// everybody runs: CONTACTS recipients (1,000,000) in every state, with their
// messages and replies. Four times: with a warm cache, while acknowledgements
// change messages, with Redis stopped, and both at once.
func BenchmarkAPIOfALargeCampaign(b *testing.B) {
	s := startServers(b)
	redis, err := devstack.StartRedis("")
	require.NoError(b, err)
	b.Cleanup(redis.Stop)
	r := startRelance(s, startProvider(b), func(environment map[string]string) {
		environment["REDIS_URL"], environment["SEND_LIMIT"] = redis.URL(), "1000" // what is reserved and counted is of the usual size
	})
	contacts := contactsWanted(b)
	r.fill(contacts)
	large := r.toEverybody()
	looks := r.looks(large)
	for i := range 2 * len(looks) {
		require.NoError(b, looks[i%len(looks)].look())
	}
	acks := r.acknowledgements(large)
	at := steady(requestsPerSecond, lookedAtFor)
	look := func(i int) error { return looks[i%len(looks)].look() }
	settle()

	quiet := at.run(look)
	changing, acked := r.lookWhile(at, look, acks[:len(acks)/2])
	redis.Stop()
	cold := at.run(look)
	coldChanging, ackedCold := r.lookWhile(at, look, acks[len(acks)/2:])

	table := results.add(fmt.Sprintf("Large campaign: %d requests a second for %s each, about a running campaign of %d recipients; acknowledgements: %d a second",
		requestsPerSecond, lookedAtFor, contacts, acksPerSecond))
	table.addLoad("GET, cache warm", quiet, warmTarget)
	table.addLoad("GET, acknowledgements coming in", changing, coldTarget)
	table.addLoad("GET, Redis stopped", cold, coldTarget)
	table.addLoad("GET, Redis stopped, acknowledgements", coldChanging, coldTarget)
	table.addLoad("acknowledgement answered", acked, webhookTarget)
	table.addLoad("acknowledgement answered, Redis stopped", ackedCold, webhookTarget)
	tableOfLooks(looks, quiet, changing, cold, coldChanging)
	report(b, cold.latencies, quiet.latencies)
	for _, l := range []load{quiet, changing, cold, coldChanging, acked, ackedCold} {
		require.NoError(b, l.failure())
	}
	r.requireExact(large)
}

// tableOfLooks tells of each path how long it took in each phase.
func tableOfLooks(looks []look, phases ...load) {
	table := results.add("of them", "p50 / p99 ms", "cache warm", "acknowledgements", "Redis stopped", "both")
	for i, l := range looks {
		cells := make([]string, len(phases))
		for p, phase := range phases {
			var own latencies
			for n := i; n < len(phase.latencies); n += len(looks) {
				own = append(own, phase.latencies[n])
			}
			s := own.summary()
			cells[p] = fmt.Sprintf("%.1f / %.1f", milliseconds(s.p50), milliseconds(s.p99))
		}
		table.add(l.name, cells...)
	}
}

// look is one thing that is looked at.
type look struct {
	name string
	look func() error
}

func (r *relance) looks(large uuid.UUID) []look {
	campaign := "/campaigns/" + large.String()
	messages := "/messages?campaign_id=" + large.String()
	var looks []look
	for _, path := range []string{
		campaign + "/stats", "/messages/stats", "/monitoring", "/campaigns", campaign,
		campaign + "/recipients", campaign + "/recipients?state=pending", campaign + "/recipients?state=message_1_sent",
		campaign + "/recipients?state=late_interaction", campaign + "/recipients?state=admitted",
		messages, messages + "&status=failed", messages + "&status=read", messages + "&status=unknown",
		messages + "&type=message_2", messages + "&type=message_2&status=failed",
		"/messages", "/messages?type=message_2", "/messages?status=failed", "/messages?status=unknown&type=message_1",
	} {
		looks = append(looks, look{"GET " + strings.ReplaceAll(path, large.String(), "…"),
			func() error { return r.request(http.MethodGet, path, nil) }})
	}
	for _, path := range []string{campaign + "/events", "/events"} {
		looks = append(looks, look{"the state of " + strings.ReplaceAll(path, large.String(), "…"),
			func() error { return r.firstState(path) }})
	}
	plan := fmt.Appendf(nil, `{"name":"Next","category_ids":[%q],"message_1":"Hello","message_2":"Thank you","expected_reply_rate":0.3}`,
		r.ids(`SELECT id FROM categories ORDER BY name DESC LIMIT 1`)[0])
	return append(looks, look{"POST /campaigns/forecast", func() error { return r.request(http.MethodPost, "/campaigns/forecast", plan) }})
}

// firstState watches until the state has come.
func (r *relance) firstState(path string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+path, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+adminToken)
	response, err := r.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "data: {") {
			return nil
		}
	}
	return errors.New("no state came: " + response.Status)
}

// lookWhile looks while acknowledgements come in.
func (r *relance) lookWhile(at schedule, look func(int) error, acks [][]byte) (looked, acked load) {
	var both sync.WaitGroup
	both.Go(func() {
		acked = steady(acksPerSecond, lookedAtFor).run(func(i int) error { return post(r.http, r.webhookURL(), acks[i]) })
	})
	looked = at.run(look)
	both.Wait()
	return looked, acked
}

// toEverybody is a campaign that runs: three of five contacts are through with
// it, as many as the quota lets have their window open, and the others wait. Nobody is
// owed an answer, so nothing but the load changes it.
func (r *relance) toEverybody() uuid.UUID {
	r.b.Helper()
	var started struct{ ID uuid.UUID }
	r.call("/campaigns", "application/json", fmt.Sprintf(`{"name":"Everybody","category_ids":[%q],"message_1":"Hello {{name}}","message_2":"Thank you"}`,
		r.ids(`SELECT id FROM categories ORDER BY name LIMIT 1`)[0]), &started)
	for _, query := range []string{
		`UPDATE campaigns SET status = 'running', started_at = now() - interval '40 hours', deadline_at = now() + interval '8 hours',
		        total_contacts = (SELECT count(*) FROM contacts) WHERE id = $1`,
		`INSERT INTO recipients (campaign_id, contact_id, device_id, position, phone, variables, state, state_reason, wave,
		                         message_1_sent_at, window_ends_at, replied_at, finished_at)
		 SELECT campaign_id, contact_id, device_id, n, phone, jsonb_build_object('name', name), state, CASE state WHEN 'failed' THEN 'refused' ELSE '' END,
		        CASE WHEN state <> 'pending' THEN n / 1000 END, sent_at, sent_at + interval '24 hours',
		        CASE WHEN state = 'message_2_sent' THEN sent_at + interval '30 minutes' END,
		        CASE WHEN state NOT IN ('pending', 'message_1_sent') THEN coalesce(sent_at, started_at) + interval '40 minutes' END
		 FROM (SELECT *, CASE WHEN state IN ('pending', 'failed') THEN NULL
		                      WHEN n <= 0.6 * audience THEN started_at + interval '14 hours' * (n / (0.6 * audience))
		                      ELSE now() - interval '23 hours' + interval '22 hours' * ((n - 0.6 * audience) / 500) END AS sent_at
		       FROM (SELECT c.id AS campaign_id, c.device_id, c.started_at, c.total_contacts AS audience, k.id AS contact_id, k.phone, k.name, k.n,
		                    CASE WHEN k.n > 0.6 * c.total_contacts + 500 THEN 'pending'
		                         WHEN k.n % 1000 < 5 THEN 'failed'
		                         WHEN k.n % 1000 < 250 THEN 'message_2_sent'
		                         WHEN k.n > 0.6 * c.total_contacts THEN 'message_1_sent'
		                         WHEN k.n % 1000 < 260 THEN 'late_interaction'
		                         ELSE 'no_interaction' END AS state
		             FROM campaigns c, (SELECT id, phone, name, row_number() OVER (ORDER BY id) AS n FROM contacts) k WHERE c.id = $1) placed) r`,
		`INSERT INTO messages (id, campaign_id, contact_id, device_id, message_type, status, attempts, claimed_at, counted_at, sent_at,
		                       delivered_at, read_at, failed_at, provider_id, wa_id, created_at, error)
		 SELECT id, campaign_id, contact_id, device_id, type,
		        CASE WHEN state = 'pending' THEN 'pending' WHEN state = 'failed' THEN 'failed'
		             WHEN type = 'message_1' AND state IN ('no_interaction', 'late_interaction') THEN 'no_interaction'
		             WHEN read_at IS NOT NULL THEN 'read' WHEN delivered_at IS NOT NULL THEN 'delivered' ELSE 'sent' END,
		        CASE WHEN state = 'pending' THEN 0 ELSE 1 END, coalesce(sent_at, failed_at), sent_at, sent_at, delivered_at, read_at, failed_at,
		        CASE WHEN sent_at IS NOT NULL THEN 'p' || id END, CASE WHEN sent_at IS NOT NULL THEN 'w' || id END, made_at,
		        CASE WHEN state = 'failed' THEN 'the number is not on WhatsApp' ELSE '' END
		 FROM (SELECT gen_random_uuid() AS id, r.*, m.type, m.made_at, m.sent_at,
		              CASE WHEN r.position % 10 > 1 THEN m.sent_at + interval '2 seconds' END AS delivered_at,
		              CASE WHEN r.position % 10 > 4 THEN m.sent_at + interval '3 minutes' END AS read_at,
		              CASE WHEN r.state = 'failed' THEN r.finished_at END AS failed_at
		       FROM recipients r JOIN campaigns c ON c.id = r.campaign_id,
		            LATERAL (SELECT 'message_1' AS type, c.started_at + interval '10 microseconds' * r.position AS made_at, r.message_1_sent_at AS sent_at
		                     UNION ALL SELECT 'message_2', r.replied_at, r.replied_at + interval '3 seconds' WHERE r.replied_at IS NOT NULL) m
		       WHERE r.campaign_id = $1) s`,
		`INSERT INTO interactions (id, campaign_id, contact_id, interaction_type, received_at, within_24h, event_key)
		 SELECT gen_random_uuid(), campaign_id, contact_id, 'text', coalesce(replied_at, window_ends_at + interval '1 hour'), replied_at IS NOT NULL, contact_id::text
		 FROM recipients WHERE campaign_id = $1 AND state IN ('message_2_sent', 'late_interaction')`,
	} {
		r.exec(query, started.ID)
	}
	r.exec(`VACUUM ANALYZE`)
	return started.ID
}

// acknowledgements are of messages that have left and not been delivered yet.
func (r *relance) acknowledgements(large uuid.UUID) [][]byte {
	r.b.Helper()
	wanted := 2 * acksPerSecond * int(lookedAtFor.Seconds())
	var acks [][]byte
	for _, id := range r.ids(fmt.Sprintf(`SELECT id FROM messages WHERE campaign_id = '%s' AND status = 'sent' LIMIT %d`, large, wanted)) {
		acks = append(acks, fmt.Appendf(nil, `{"id":"ack-%[1]s","object":"message","event":"message:out:ack","device":{"id":%[2]q},
			"data":{"id":"w%[1]s","reference":%[1]q,"flow":"outbound","ack":"read"}}`, id, device))
	}
	require.Len(r.b, acks, wanted, "too few contacts for so many acknowledgements")
	return acks
}

// requireExact holds the statistics against counting the rows.
func (r *relance) requireExact(large uuid.UUID) {
	r.b.Helper()
	r.await("statistics that are what counting says", func() error {
		return r.expect(0, `
			WITH counted AS (
			    SELECT count(sent_at) AS sent, count(delivered_at) AS delivered, count(read_at) AS read FROM messages WHERE campaign_id = $1),
			told AS (
			    SELECT sum(n) FILTER (WHERE what LIKE '%.sent') AS sent, sum(n) FILTER (WHERE what LIKE '%.delivered') AS delivered,
			           sum(n) FILTER (WHERE what LIKE '%.read') AS read
			    FROM (SELECT what, n FROM campaign_stats WHERE campaign_id = $1 UNION ALL SELECT what, n FROM stat_changes WHERE campaign_id = $1) s)
			SELECT count(*) FROM counted, told WHERE (counted.*)::text <> (told.*)::text`, large)
	})
}
