package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
)

type erasure struct {
	ContactID   uuid.UUID  `json:"contact_id"`
	ErasedAt    time.Time  `json:"erased_at"`
	CompletedAt *time.Time `json:"completed_at"`
}

// later sets the database's clock ahead and lets a worker finish erasures.
func (s *server) later(ahead time.Duration) {
	s.t.Helper()
	_, err := s.store.Pool().Exec(fmt.Sprintf(`CREATE OR REPLACE FUNCTION relance_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS
		$$ SELECT clock_timestamp() + interval '%d seconds' $$`, int(ahead.Seconds())))
	require.NoError(s.t, err)
	_, err = s.store.FinishErasures(s.t.Context())
	require.NoError(s.t, err)
}

func TestErasingAContactLeavesNothingThatTheAPIStillTells(t *testing.T) {
	s := takingIn(t)
	once := header{"Idempotency-Key", uuid.NewString()}
	made := object{"phone": "+33639980001", "name": "Camille Erased"}
	c := read[contact](s.call("POST", "/contacts", made, once), 201)
	k := s.category("Friends")
	s.call("POST", "/categories/"+k.ID.String()+"/contacts", object{"contact_ids": []uuid.UUID{c.ID}})
	id := s.launched("Spring", c.ID)
	s.sent(id, c.ID, campaign.Message1)
	hook := "/webhooks/wassenger?token=" + webhookToken
	replied := func(id, body string) string {
		return fmt.Sprintf(`{"event":"message:in:new","data":{"id":%q,"type":"text","flow":"inbound","fromNumber":"+33639980001","body":%q}}`, id, body)
	}
	require.Equal(t, 200, s.call("POST", hook, replied("A1", "what Camille answered"), nobody).status)

	path := "/contacts/" + c.ID.String()
	told := s.call("GET", path+"/personal-data", nil)
	require.Equal(t, 200, told.status)
	assert.Equal(t, `attachment; filename="personal-data-`+c.ID.String()+`.json"`, told.header.Get("Content-Disposition"))
	for _, word := range []string{"Camille Erased", "+33639980001", "what Camille answered", "Friends", id.String()} {
		assert.Contains(t, string(told.body), word)
	}

	first := read[erasure](s.call("POST", path+"/erase", nil), 200)
	assert.Equal(t, c.ID, first.ContactID)
	assert.Nil(t, first.CompletedAt)
	s.call("GET", path, nil).problem(404)
	s.call("GET", path+"/personal-data", nil).problem(404)
	assert.EqualValues(t, 0, read[category](s.call("GET", "/categories/"+k.ID.String(), nil), 200).ContactCount)
	assert.Equal(t, 200, s.call("POST", hook, replied("A2", "and wrote again"), nobody).status)
	s.later(2 * time.Minute)
	again := read[erasure](s.call("POST", path+"/erase", nil), 200)
	assert.Equal(t, first.ErasedAt, again.ErasedAt)
	assert.NotNil(t, again.CompletedAt)
	s.call("POST", "/contacts", made, once).problem(404) // and does not bring Camille back
	s.call("POST", "/contacts/"+uuid.NewString()+"/erase", nil).problem(404)

	for _, list := range []string{"/contacts", "/campaigns/" + id.String() + "/recipients", "/messages", path + "/timeline", "/audit", "/monitoring"} {
		answered := string(s.call("GET", list, nil).body)
		for _, word := range []string{"Camille Erased", "3639980001", "Camille answered", "wrote again"} {
			assert.NotContains(t, answered, word, list)
		}
	}
	var raw int
	require.NoError(t, s.store.Pool().QueryRow(`SELECT count(*) FROM webhook_events`).Scan(&raw))
	assert.Zero(t, raw)
	assert.Equal(t, []auditEntry{
		{Action: "post-contacts-id-erase", SubjectID: &c.ID}, {Action: "post-contacts-id-erase", SubjectID: &c.ID}, {Action: "get-contacts-id-personal-data", SubjectID: &c.ID},
	}, s.actions("-contacts-id-"))
}

// actions are who did what lately, of actions with a part of a name.
func (s *server) actions(part string) []auditEntry {
	s.t.Helper()
	var found []auditEntry
	for _, e := range s.audit("") {
		if e.SubjectID != nil && e.Outcome == "done" && strings.Contains(e.Action, part) {
			found = append(found, auditEntry{Action: e.Action, SubjectID: e.SubjectID})
		}
	}
	return found
}
