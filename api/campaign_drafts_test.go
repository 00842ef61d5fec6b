package api_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestADraftCanBeChangedStartedOrDeleted(t *testing.T) {
	s := serve(t)
	a, b := s.contact("+33639980001").ID, s.contact("+33639980002").ID
	made := s.call("POST", "/campaigns", meantFor(object{"contact_ids": []uuid.UUID{a}, "expected_reply_rate": 0.1}))
	draft := read[object](made, 201)
	path := "/campaigns/" + draft["id"].(string)
	assert.Equal(t, path, made.header.Get("Location"))
	assert.Equal(t, "draft", draft["status"])
	assert.NotNil(t, draft["created_by"])
	assert.Empty(t, s.engine.started)

	changed := read[object](s.call("PUT", path, meantFor(object{"name": "Summer", "contact_ids": []uuid.UUID{a, b}})), 200)
	assert.Equal(t, "Summer", changed["name"])
	assert.Nil(t, changed["expected_reply_rate"], "PUT replaces")
	assert.Equal(t, draft["id"], changed["id"])

	started := read[startedCampaign](s.call("POST", path+"/start", nil), 202)
	assert.EqualValues(t, 2, started.Forecast.Contacts)
	_, err := s.store.FreezeAudience(t.Context(), started.Campaign.ID)
	require.NoError(t, err)
	s.call("PUT", path, meantFor(object{"contact_ids": []uuid.UUID{a}})).problem(409)
	s.call("DELETE", path, nil).problem(409)

	other := read[object](s.call("POST", "/campaigns", meantFor(object{"contact_ids": []uuid.UUID{a}})), 201)["id"].(string)
	assert.Equal(t, 204, s.call("DELETE", "/campaigns/"+other, nil).status)
	s.call("GET", "/campaigns/"+other, nil).problem(404)
	s.call("DELETE", "/campaigns/"+other, nil).problem(404)
	s.call("PUT", "/campaigns/"+other, meantFor(object{"contact_ids": []uuid.UUID{a}})).problem(404)
}

func TestADraftWithATimeToComeStartsThen(t *testing.T) {
	s := serve(t)
	c := s.contact("+33639980001").ID
	later := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	id := read[object](s.call("POST", "/campaigns", meantFor(object{"contact_ids": []uuid.UUID{c}, "scheduled_at": later})), 201)["id"].(string)

	started := read[startedCampaign](s.call("POST", "/campaigns/"+id+"/start", nil), 202)

	assert.Equal(t, "scheduled", started.Campaign.Status)
	assert.True(t, later.Equal(started.Campaign.ScheduledAt))
	assert.Empty(t, s.engine.started)
	sooner := later.Add(-time.Minute)
	changed := read[object](s.call("PUT", "/campaigns/"+id, meantFor(object{"contact_ids": []uuid.UUID{c}, "scheduled_at": sooner})), 200)
	assert.Equal(t, sooner.Format(time.RFC3339), changed["scheduled_at"], "what waits for its start can still be moved")
	kept := read[object](s.call("PUT", "/campaigns/"+id, meantFor(object{"contact_ids": []uuid.UUID{c}})), 200)
	assert.Equal(t, sooner.Format(time.RFC3339), kept["scheduled_at"])
	assert.Equal(t, "scheduled", kept["status"])
}

func TestADraftThatCannotBeNamesItsFields(t *testing.T) {
	s := serve(t)
	c := s.contact("+33639980001").ID
	assert.ElementsMatch(t, []string{"body.name", "body.message_1"},
		s.call("POST", "/campaigns", meantFor(object{"name": " ", "message_1": "{{", "contact_ids": []uuid.UUID{c}})).problem(422).locations())
	assert.Equal(t, []string{"body.contact_ids"}, s.call("POST", "/campaigns", meantFor(object{"contact_ids": []uuid.UUID{uuid.New()}})).problem(422).locations())
	assert.Equal(t, []string{"body.scheduled_at"},
		s.call("POST", "/campaigns", meantFor(object{"contact_ids": []uuid.UUID{c}, "scheduled_at": time.Now().Add(-time.Hour)})).problem(422).locations())
}
