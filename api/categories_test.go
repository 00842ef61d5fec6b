package api_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCategoriesAreCreatedRenamedAndDeleted(t *testing.T) {
	s := serve(t)
	created := s.category(" VIP ")
	assert.Equal(t, "VIP", created.Name)
	path := "/categories/" + created.ID.String()
	assert.Equal(t, created, read[category](s.call("GET", path, nil), 200))
	assert.Equal(t, "Very important", read[category](s.call("PUT", path, object{"name": "Very important"}), 200).Name)

	member := s.contact("+33639980001", created.ID)
	assert.Equal(t, 204, s.call("DELETE", path, nil).status)
	s.call("GET", path, nil).problem(404)
	s.call("PUT", path, object{"name": "x"}).problem(404)
	s.call("DELETE", path, nil).problem(404)
	assert.Empty(t, read[contact](s.call("GET", "/contacts/"+member.ID.String(), nil), 200).CategoryIDs)
}

func TestCategoryNamesAreUniqueWhateverTheirCase(t *testing.T) {
	s := serve(t)
	s.category("VIP")
	other := s.category("Other")
	assert.Equal(t, []string{"body.name"}, s.call("POST", "/categories", object{"name": "vip"}).problem(409).locations())
	assert.Equal(t, []string{"body.name"}, s.call("PUT", "/categories/"+other.ID.String(), object{"name": "Vip"}).problem(409).locations())
	for _, bad := range []any{"", "  ", "a\x00", strings.Repeat("x", 101), 7, nil} {
		assert.Equal(t, []string{"body.name"}, s.call("POST", "/categories", object{"name": bad}).problem(422).locations())
	}
}

func TestMembersAreAddedOnceAndRemoved(t *testing.T) {
	s := serve(t)
	vip := s.category("VIP")
	path := "/categories/" + vip.ID.String() + "/contacts"
	a, b := s.contact("+33639980001"), s.contact("+33639980002", vip.ID)

	both := object{"contact_ids": []uuid.UUID{a.ID, b.ID, a.ID}}
	assert.EqualValues(t, 2, read[category](s.call("POST", path, both), 200).ContactCount)
	nobodys := uuid.New()
	p := s.call("POST", path, object{"contact_ids": []uuid.UUID{nobodys}}).problem(422)
	require.Equal(t, []string{"body.contact_ids"}, p.locations())
	assert.Contains(t, p.Errors[0].Message, nobodys.String())

	assert.EqualValues(t, 1, read[category](s.call("DELETE", path, object{"contact_ids": []uuid.UUID{a.ID, nobodys}}), 200).ContactCount)
	s.call("POST", "/categories/"+uuid.NewString()+"/contacts", both).problem(404)
	s.call("DELETE", "/categories/"+uuid.NewString()+"/contacts", both).problem(404)
	s.call("POST", path, object{"contact_ids": []uuid.UUID{}}).problem(422)
}

func TestCategoriesAreListedByNameInPages(t *testing.T) {
	s := serve(t)
	for _, name := range []string{"delta", "Alpha", "charlie", "Bravo", "écho"} {
		s.category(name)
	}
	var names []string
	for path := "/categories?limit=2"; ; {
		got := read[page[category]](s.call("GET", path, nil), 200)
		assert.EqualValues(t, 5, *got.Total)
		for _, c := range got.Items {
			names = append(names, c.Name)
		}
		if got.NextCursor == nil {
			break
		}
		path = "/categories?limit=2&cursor=" + url.QueryEscape(*got.NextCursor)
	}
	assert.ElementsMatch(t, []string{"Alpha", "Bravo", "charlie", "delta", "écho"}, names)
	assert.Equal(t, []string{"Alpha", "Bravo", "charlie", "delta"}, names[:4])
	s.call("GET", "/categories?cursor=x!", nil).problem(422)
}

func TestACategoryThatACampaignAwaitsIsNotDeleted(t *testing.T) {
	s := serve(t)
	vip := s.category("VIP")
	s.contact("+33639980001", vip.ID)
	read[object](s.call("POST", "/campaigns/start", object{"name": "x", "message_1": "a", "message_2": "b", "category_ids": []uuid.UUID{vip.ID}}), 202)
	s.call("DELETE", "/categories/"+vip.ID.String(), nil).problem(409)
}
