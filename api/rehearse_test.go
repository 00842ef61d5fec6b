package api_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type rehearsed struct {
	Contacts       int
	ReplyRate      float64        `json:"reply_rate"`
	ReplyAfter     string         `json:"reply_after"`
	Seed           int            `json:"seed"`
	Message1       int            `json:"message_1"`
	Message2       int            `json:"message_2"`
	NotReached     int            `json:"not_reached"`
	CompletesAt    time.Time      `json:"completes_at"`
	FinalStates    map[string]int `json:"final_states"`
	PeakQuotaUse   int            `json:"peak_quota_use"`
	HourSeconds    float64        `json:"hour_seconds"`
	LastMessage1At *time.Time     `json:"last_message_1_at"`
	Hours          []struct {
		Hour            int
		At              time.Time
		Message1        int            `json:"message_1"`
		Message2        int            `json:"message_2"`
		Replies         int            `json:"replies"`
		WaitingForQuota int            `json:"waiting_for_quota"`
		RefusedForQuota int            `json:"refused_for_quota"`
		FinalStates     map[string]int `json:"final_states"`
	}
}

func TestARehearsalPlaysACampaignHourByHourAndKeepsNothing(t *testing.T) {
	s := serve(t)
	category := s.category("Audience")
	s.importCSV("?category_id="+category.ID.String(), manyRows(600))
	scheduled := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	body := meantFor(object{
		"category_ids": []uuid.UUID{category.ID}, "expected_reply_rate": 1, "reply_after": "2h-3h", "seed": 7, "scheduled_at": scheduled,
	})

	r := read[rehearsed](s.call("POST", "/campaigns/rehearse", body), 200)

	assert.Equal(t, []int{600, 600, 600, 0, 7}, []int{r.Contacts, r.Message1, r.Message2, r.NotReached, r.Seed})
	assert.Equal(t, "2h-3h", r.ReplyAfter)
	assert.Equal(t, map[string]int{"message_2_sent": 600}, r.FinalStates)
	require.Greater(t, len(r.Hours), 24)
	assert.Equal(t, scheduled, r.Hours[0].At)
	assert.Equal(t, []int{500, 100}, []int{r.Hours[0].Message1, r.Hours[1].WaitingForQuota})
	assert.Equal(t, 500, r.Hours[2].Message2+r.Hours[3].Message2)
	assert.Equal(t, r, read[rehearsed](s.call("POST", "/campaigns/rehearse", body), 200), "the same seed, the same rehearsal")
	assert.Empty(t, read[page[object]](s.call("GET", "/campaigns", nil), 200).Items)
	assert.Empty(t, s.engine.started)
}

func TestARehearsalKnowsWhatTheQuotaHoldsAlready(t *testing.T) {
	s := serve(t)
	s.running(2) // one Message 1 is out, and may be answered
	category := s.category("Audience")
	s.importCSV("?category_id="+category.ID.String(), manyRows(510))

	r := read[rehearsed](s.call("POST", "/campaigns/rehearse", meantFor(object{"category_ids": []uuid.UUID{category.ID}})), 200)

	assert.Equal(t, 499, r.Hours[0].Message1)
}

func TestARehearsalNamesWhatIsWrongWithIt(t *testing.T) {
	s := serve(t)
	nobody := s.category("Nobody")
	refused := func(change object) problem {
		return s.call("POST", "/campaigns/rehearse", meantFor(change)).problem(422)
	}
	assert.ElementsMatch(t, []string{"body.name", "body.category_ids"}, refused(object{"name": ""}).locations())
	assert.Equal(t, []string{"body.reply_after"}, refused(object{"category_ids": []uuid.UUID{nobody.ID}, "reply_after": "soon"}).locations())
	assert.Equal(t, []string{"body.category_ids"}, refused(object{"category_ids": []uuid.UUID{uuid.New()}}).locations())

	many := s.category("Many")
	s.importCSV("?category_id="+many.ID.String(), manyRows(5001))
	p := refused(object{"category_ids": []uuid.UUID{many.ID}})
	assert.Equal(t, []string{"body.category_ids"}, p.locations())
	assert.Contains(t, p.Errors[0].Message, "at most 5000 can be rehearsed here: name fewer, ask POST /campaigns/forecast")

	empty := read[rehearsed](s.call("POST", "/campaigns/rehearse", meantFor(object{"category_ids": []uuid.UUID{nobody.ID}})), 200)
	assert.Zero(t, empty.Contacts)
	assert.InDelta(t, 0.3, empty.ReplyRate, 1e-9)
	assert.Equal(t, "median 30m spread 4", empty.ReplyAfter)
}
