package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/devstack/testenv"
	"github.com/relance/relance/migrations"
	"github.com/relance/relance/rehearsal"
	"github.com/relance/relance/store"
)

func TestRehearsalIsToldHourByHourWithHowItEnds(t *testing.T) {
	out, err := relance(t, "rehearse", "--contacts", "30", "--send-limit", "20", "--reply-rate", "1", "--reply-after", "3h",
		"--start", "2026-06-01T09:00:00+02:00", "--message-1", "Hello {{name}}, in {{city|town}}?")

	require.NoError(t, err)
	assert.Contains(t, out, "    Hello Camille, in town?\n")
	lines := map[string]string{}
	for line := range strings.Lines(out) {
		if first, _, ok := strings.Cut(line, " "); ok {
			lines[first] = strings.Join(strings.Fields(line), " ")
		}
	}
	assert.Equal(t, "0 Mon 09:00 10 · · 1 20 · "+strings.Repeat("█", 30), lines["0"])
	assert.Equal(t, "3 Mon 12:00 · 10 10 1 20 10 "+strings.Repeat("▒", 30), lines["3"])
	assert.Contains(t, lines, "4–23", "hours in which nothing happens share a line")
	assert.Contains(t, out, "20 Message 1s sent")
	assert.Contains(t, out, "The campaign completes on Wed 3 Jun 09:00:00 +0200, after 48h.")
	assert.Contains(t, out, "In the end: message_2_sent 20, not_sent 10.")
	assert.Contains(t, out, "10 contacts NOT reached before the deadline")
}

func TestRehearsalAsJSONHasTheNamesOfTheAPI(t *testing.T) {
	t.Setenv("SEND_LIMIT", "10")
	out, err := relance(t, "rehearse", "--contacts", "8", "--json", "--seed", "3")
	require.NoError(t, err)

	var result rehearsal.Result
	decoder := json.NewDecoder(strings.NewReader(out))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&result))
	assert.Equal(t, []int{8, 8, 0, 10}, []int{result.Contacts, result.Message1, result.NotReached, result.SendLimit})
	for _, name := range []string{`"refused_for_quota"`, `"last_message_1_at"`, `"completes_at"`, `"final_states"`, `"waiting_for_quota"`} {
		assert.Contains(t, out, name)
	}
}

func TestRehearsalNamesWhatIsWrong(t *testing.T) {
	for want, args := range map[string][]string{
		"name the audience":                     {},
		"one of them":                           {"--contacts", "3", "--category", "VIP"},
		"--contacts must be at least 1":         {"--contacts", "0"},
		"--reply-rate must be":                  {"--contacts", "3", "--reply-rate", "30"},
		"--reply-after must be":                 {"--contacts", "3", "--reply-after", "soon"},
		"--start must be":                       {"--contacts", "3", "--start", "tomorrow"},
		"--message-2 has braces":                {"--contacts", "3", "--message-2", "Hello {{name"},
		`SEND_LIMIT must be a whole number`:     {"--contacts", "3", "--send-limit", "many"},
		"REPLY_RESERVE must be between 0 and 1": {"--contacts", "3", "--reply-reserve", "2"},
		"SEND_HOURS must":                       {"--contacts", "3", "--send-hours", "by day"},
		"DATABASE_URL is missing":               {"--category", "VIP"},
	} {
		t.Setenv("DATABASE_URL", "")
		_, err := relance(t, append([]string{"rehearse"}, args...)...)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "\n")
	}
}

func TestACategorysSizeIsCountedByNameOrID(t *testing.T) {
	url := testenv.Database(t, migrations.UpAt)
	t.Setenv("DATABASE_URL", url)
	s, err := store.Open(t.Context(), url, store.Options{MaxConnections: 1})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	category, err := s.CreateCategory(t.Context(), "Customers")
	require.NoError(t, err)
	_, err = s.Pool().Exec(`WITH made AS (INSERT INTO contacts (id, phone, name, opted_out_at)
		SELECT gen_random_uuid(), '+3363998000' || n, '', CASE n WHEN 3 THEN now() END FROM generate_series(1, 3) n RETURNING id)
		INSERT INTO contact_categories (category_id, contact_id) SELECT $1, id FROM made`, category.ID)
	require.NoError(t, err)

	for _, named := range []string{"customers", category.ID.String()} {
		out, err := relance(t, "rehearse", "--category", named, "--reply-rate", "0")
		require.NoError(t, err)
		require.Contains(t, out, "2 contacts start at ", "who opted out is not counted")
	}
	_, err = relance(t, "rehearse", "--category", "Friends")
	require.ErrorContains(t, err, `no category is called "Friends"`)
	_, err = relance(t, "rehearse", "--category", "01a20523-5d05-7e21-ba5c-858b689f44f7")
	require.ErrorContains(t, err, "no category has the id 01a20523")
}

func TestStartIsReadInTheTimeZoneOfTheSendingHours(t *testing.T) {
	place := placeOf("08:00-20:00 Europe/Paris")
	now := time.Date(2026, 6, 1, 23, 30, 0, 0, time.UTC).In(place) // 01:30 on the second there
	at, err := startOf("14:30", now)
	require.NoError(t, err)
	require.Equal(t, "2026-06-02T14:30:00+02:00", at.Format(time.RFC3339))
	require.Equal(t, time.Local, placeOf(""))
}
