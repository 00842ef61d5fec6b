package proof

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// books reads what Relance has recorded.
func (r *run) books() (b books) {
	require.NoError(r, r.store.FoldStats(r.Context()))
	var deadline, started, completed sql.NullTime
	require.NoError(r, r.store.Pool().QueryRowContext(r.Context(), `
		SELECT status, started_at, deadline_at, completed_at, sent_count, delivered_count, read_count, failed_count, interaction_count
		FROM campaigns WHERE id = $1`, r.campaign).
		Scan(&b.status, &started, &deadline, &completed, &b.sent, &b.delivered, &b.read, &b.failed, &b.said))
	b.completed, b.activities = sinceLaunch(completed), r.worked
	b.stale = r.stale
	// The deadline counts from when the audience was frozen, microseconds after the launch.
	require.Less(r, sinceLaunch(started), time.Second)
	r.past.deadline += sinceLaunch(started)
	require.Equal(r, r.past.deadline, sinceLaunch(deadline))

	b.entries = make([]entry, len(r.plan.contacts))
	n := 0
	r.each(`
		SELECT r.contact_id, r.state, r.state_reason, r.finished_at, m1.sent_at, m2.sent_at, m1.n, m2.n
		FROM recipients r,
		     LATERAL (SELECT min(sent_at) AS sent_at, count(*) AS n FROM messages
		              WHERE campaign_id = r.campaign_id AND contact_id = r.contact_id AND message_type = 'message_1') m1,
		     LATERAL (SELECT min(sent_at) AS sent_at, count(*) AS n FROM messages
		              WHERE campaign_id = r.campaign_id AND contact_id = r.contact_id AND message_type = 'message_2') m2
		WHERE r.campaign_id = $1`, func(rows *sql.Rows) error {
		var id uuid.UUID
		var e entry
		var finished, sent1, sent2 sql.NullTime
		err := rows.Scan(&id, &e.state, &e.reason, &finished, &sent1, &sent2, &e.rows[message1], &e.rows[message2])
		e.finished, e.sent = sinceLaunch(finished), [2]time.Duration{sinceLaunch(sent1), sinceLaunch(sent2)}
		b.entries[contactNumber(id)] = e
		n++
		return err
	})
	require.Equal(r, len(b.entries), n, "everybody is in the books once")
	r.each(`SELECT contact_id, split_part(event_key, '|', 3), interaction_type, received_at, within_24h FROM interactions
		WHERE campaign_id = $1 ORDER BY received_at`, func(rows *sql.Rows) error {
		var id uuid.UUID
		var i interaction
		var at sql.NullTime
		err := rows.Scan(&id, &i.key, &i.kind, &at, &i.inTime)
		i.at = sinceLaunch(at)
		e := &b.entries[contactNumber(id)]
		e.interactions = append(e.interactions, i)
		return err
	})
	return b
}

// lookAtTotals notes whether the totals of a campaign that is over take in what
// still happens to its messages, once the dispatcher has folded them.
func (r *run) lookAtTotals() {
	var stored, counted int
	err := r.store.FoldStats(context.Background())
	if err != nil {
		r.stale = err.Error()
		return
	}
	err = r.store.Pool().QueryRow(`SELECT c.sent_count, (SELECT count(sent_at) FROM messages WHERE campaign_id = c.id)
		FROM campaigns c WHERE id = $1 AND completed_at IS NOT NULL`, r.campaign).Scan(&stored, &counted)
	if err == nil && stored != counted && r.stale == "" {
		r.stale = fmt.Sprintf("at %v: %d stored, %d sent", r.since(), stored, counted)
	}
}

// windowEnds is when the books say that a contact's window ends.
func (r *run) windowEnds(who int) time.Duration {
	ends := never
	r.each(`SELECT contact_id, window_ends_at FROM recipients WHERE campaign_id = $1`, func(rows *sql.Rows) error {
		var id uuid.UUID
		var at sql.NullTime
		err := rows.Scan(&id, &at)
		if contactNumber(id) == who {
			ends = sinceLaunch(at)
		}
		return err
	})
	return ends
}

func (r *run) each(query string, read func(rows *sql.Rows) error) {
	rows, err := r.store.Pool().QueryContext(r.Context(), query, r.campaign)
	require.NoError(r, err)
	defer rows.Close()
	for rows.Next() {
		require.NoError(r, read(rows))
	}
	require.NoError(r, rows.Err())
}

func contactNumber(id uuid.UUID) (n int) {
	fmt.Sscanf(id.String()[24:], "%012d", &n)
	return n - 1
}

func sinceLaunch(at sql.NullTime) time.Duration {
	if !at.Valid {
		return never
	}
	return at.Time.Sub(launch)
}
