package api_test

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

// launched starts a campaign to one contact and has the store admit it.
func (s *server) launched(name string, contactID uuid.UUID) uuid.UUID {
	s.t.Helper()
	id := read[startedCampaign](s.call("POST", "/campaigns/start", meantFor(object{"name": name, "contact_ids": []uuid.UUID{contactID}})), 202).Campaign.ID
	_, err := s.store.FreezeAudience(s.t.Context(), id)
	require.NoError(s.t, err)
	admission, err := s.store.Admit(s.t.Context(), id, 1, 1, 100)
	require.NoError(s.t, err)
	require.Equal(s.t, []uuid.UUID{contactID}, admission.Contacts)
	return id
}

func (s *server) sent(campaignID, contactID uuid.UUID, messageType campaign.MessageType) {
	s.t.Helper()
	claim, err := s.store.Claim(s.t.Context(), store.MessageKey{CampaignID: campaignID, ContactID: contactID, Type: messageType})
	require.NoError(s.t, err)
	require.Equal(s.t, store.Granted, claim.Verdict)
	_, err = s.store.SettleSent(s.t.Context(), store.Acceptance{MessageID: claim.MessageID, WAID: "w-" + claim.MessageID.String()})
	require.NoError(s.t, err)
	for _, status := range []campaign.MessageStatus{campaign.MessageDelivered, campaign.MessageRead} {
		_, err = s.store.Apply(s.t.Context(), campaign.Event{
			Kind: campaign.EventAck, Name: "message:out:ack", Status: status, At: time.Now(), Reference: claim.MessageID.String(),
		}, s.now())
		require.NoError(s.t, err)
	}
}

// now is the database's clock.
func (s *server) now() (at time.Time) {
	s.t.Helper()
	require.NoError(s.t, s.store.Pool().QueryRow(`SELECT relance_now()`).Scan(&at))
	return at
}

func (s *server) replied(phone, event string, with campaign.InteractionType) {
	s.t.Helper()
	_, err := s.store.Apply(s.t.Context(), campaign.Event{
		Kind: campaign.EventReply, Name: "message:in:new", Key: event, Phone: phone, Interaction: with, Body: "Oui",
	}, s.now())
	require.NoError(s.t, err)
}

// answeredThenLate is a contact who replied in time to one campaign, and to
// another a day too late.
func (s *server) answeredThenLate() (who contact, answered, late uuid.UUID) {
	s.t.Helper()
	who = s.contact("+33639980001")
	answered = s.launched("Spring", who.ID)
	s.sent(answered, who.ID, campaign.Message1)
	s.replied(who.Phone, "in time", campaign.Voice)
	s.sent(answered, who.ID, campaign.Message2)

	late = s.launched("Summer", who.ID)
	s.sent(late, who.ID, campaign.Message1)
	_, err := s.store.Pool().Exec(`UPDATE recipients SET window_ends_at = relance_now() WHERE campaign_id = $1`, late)
	require.NoError(s.t, err)
	s.replied(who.Phone, "late", campaign.Text)
	read[contact](s.call("POST", "/contacts/"+who.ID.String()+"/opt-out", nil), 200)
	return who, answered, late
}

func TestTimelineTellsTheWholeStoryOfAContactOverTwoCampaigns(t *testing.T) {
	s := serve(t)
	who, answered, late := s.answeredThenLate()

	told := read[page[object]](s.call("GET", "/contacts/"+who.ID.String()+"/timeline", nil), 200)

	spring := object{"id": answered.String(), "name": "Spring"}
	summer := object{"id": late.String(), "name": "Summer"}
	want := []object{
		{"event": "created"},
		{"event": "sent", "campaign": spring, "message_type": "message_1"},
		{"event": "delivered", "campaign": spring, "message_type": "message_1"},
		{"event": "read", "campaign": spring, "message_type": "message_1"},
		{"event": "replied", "campaign": spring, "interaction_type": "voice", "within_24h": true},
		{"event": "answered", "campaign": spring, "message_type": "message_2"},
		{"event": "finished", "campaign": spring, "state": "message_2_sent"},
		{"event": "delivered", "campaign": spring, "message_type": "message_2"},
		{"event": "read", "campaign": spring, "message_type": "message_2"},
		{"event": "sent", "campaign": summer, "message_type": "message_1"},
		{"event": "delivered", "campaign": summer, "message_type": "message_1"},
		{"event": "read", "campaign": summer, "message_type": "message_1"},
		{"event": "replied", "campaign": summer, "interaction_type": "text", "within_24h": false},
		{"event": "finished", "campaign": summer, "state": "late_interaction"},
		{"event": "opted_out"},
	}
	var before time.Time
	for _, item := range told.Items {
		at, err := time.Parse("2006-01-02T15:04:05.999999Z", item["at"].(string))
		require.NoError(t, err, "RFC 3339 in UTC")
		assert.False(t, at.Before(before), "oldest first")
		before = at
		delete(item, "at")
	}
	assert.Equal(t, want, told.Items)
	assert.Nil(t, told.NextCursor)
}

func TestTimelineSaysWhyAMessageFailed(t *testing.T) {
	s := serve(t)
	id := s.running(2)
	refused := read[page[object]](s.call("GET", "/campaigns/"+id.String()+"/recipients?state=failed", nil), 200).Items[0]

	told := read[page[object]](s.call("GET", fmt.Sprintf("/contacts/%s/timeline", refused["contact_id"]), nil), 200)

	require.Len(t, told.Items, 3)
	assert.Equal(t, "failed", told.Items[1]["event"])
	assert.Equal(t, "blocked", told.Items[1]["error"])
	assert.Equal(t, "failed", told.Items[2]["state"])
	assert.Equal(t, "refused", told.Items[2]["reason"])
}

func TestTimelinePagesTellEveryEventOnce(t *testing.T) {
	s := serve(t)
	who, _, _ := s.answeredThenLate()
	path := "/contacts/" + who.ID.String() + "/timeline"
	whole := read[page[object]](s.call("GET", path, nil), 200).Items

	for _, limit := range []int{1, 2, 4, len(whole), 200} {
		var seen []object
		for next := fmt.Sprintf("%s?limit=%d", path, limit); ; {
			got := read[page[object]](s.call("GET", next, nil), 200)
			seen = append(seen, got.Items...)
			if got.NextCursor == nil {
				break
			}
			require.Len(t, got.Items, limit)
			next = fmt.Sprintf("%s?limit=%d&cursor=%s", path, limit, url.QueryEscape(*got.NextCursor))
		}
		assert.Equal(t, whole, seen)
	}
	for query, at := range map[string]string{"limit=201": "query.limit", "cursor=x": "query.cursor", "cursor=eyJSYW5rIjo5OTk5OX0": "query.cursor"} {
		assert.Equal(t, []string{at}, s.call("GET", path+"?"+query, nil).problem(422).locations())
	}
}

func TestTimelineOutlivesItsContactAndIsNobodyElses(t *testing.T) {
	s := serve(t)
	who, _, _ := s.answeredThenLate()
	path := "/contacts/" + who.ID.String() + "/timeline"
	s.call("GET", path, nil, nobody).problem(401)
	s.call("GET", "/contacts/"+uuid.NewString()+"/timeline", nil).problem(404)

	require.Equal(t, 204, s.call("DELETE", "/contacts/"+who.ID.String(), nil).status)

	told := read[page[object]](s.call("GET", path, nil), 200)
	assert.Len(t, told.Items, 13, "without its creation and its opting out")
	assert.Equal(t, "sent", told.Items[0]["event"])

	never := s.contact("+33639980002")
	require.Equal(t, 204, s.call("DELETE", "/contacts/"+never.ID.String(), nil).status)
	s.call("GET", "/contacts/"+never.ID.String()+"/timeline", nil).problem(404)
}
