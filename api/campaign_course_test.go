package api_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheCourseOfARunningCampaignSaysWhenItWillBeComplete(t *testing.T) {
	s := serve(t)
	id := s.running(5)

	a := s.call("GET", "/campaigns/"+id.String()+"/course", nil)
	s.asDocumented("GET", "/campaigns/{id}/course", a)
	course := read[object](a, 200)

	assert.Equal(t, 1.0, course["step_seconds"])
	require.Len(t, course["steps"], 1)
	assert.Equal(t, 1.0, course["steps"].([]any)[0].(object)["message_1"])
	assert.Equal(t, 3.0, course["waiting"])
	assert.Positive(t, course["message_1_per_hour"])
	// The quota has room for all: the last window ends a day from now.
	assert.WithinDuration(t, s.now().Add(24*time.Hour), moment(t, course["completes_at"]), time.Minute)
	s.call("GET", "/campaigns/"+uuid.NewString()+"/course", nil).problem(404)
}

func TestThePausedCampaignPromisesNoEnd(t *testing.T) {
	s := serve(t)
	id := s.running(5)
	s.call("POST", "/campaigns/"+id.String()+"/pause", nil)

	course := read[object](s.call("GET", "/campaigns/"+id.String()+"/course", nil), 200)

	assert.Nil(t, course["completes_at"])
	assert.Nil(t, course["message_1_per_hour"])
}

func TestRecipientsAreFoundByPartsOfNameAndNumber(t *testing.T) {
	s := serve(t)
	id := s.running(5)
	found := func(query string) (phones []any) {
		t.Helper()
		got := read[page[object]](s.call("GET", "/campaigns/"+id.String()+"/recipients?"+query, nil), 200)
		assert.Nil(t, got.Total, "a part of the audience is not counted")
		for _, recipient := range got.Items {
			phones = append(phones, recipient["phone"])
		}
		return phones
	}
	assert.Equal(t, []any{"+33639000003"}, found("q=contact+3"))
	assert.Equal(t, []any{"+33639000004"}, found("q="+url.QueryEscape("06 39 00 00 04")))
	assert.Equal(t, []any{"+33639000003"}, found("state=pending&q=Contact+3"))
	assert.Empty(t, found("state=failed&q=Contact+3"))
	assert.Empty(t, found("q="+url.QueryEscape("100%")), "what means something to LIKE is plain text")
	assert.Equal(t, []string{"query.q"}, s.call("GET", "/campaigns/"+id.String()+"/recipients?q=%00", nil).problem(422).locations())
}
