package api_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestContactsAreCreatedReadReplacedAndDeleted(t *testing.T) {
	s := serve(t)
	vip := s.category("VIP")

	answered := s.call("POST", "/contacts", object{
		"phone": "06 39 98 00 01", "country": "FR", "name": " Camille ", "attributes": object{"city": "Lyon"}, "category_ids": []uuid.UUID{vip.ID},
	})
	created := read[contact](answered, 201)
	assert.Equal(t, "+33639980001", created.Phone)
	assert.Equal(t, "Camille", created.Name)
	assert.Equal(t, map[string]string{"city": "Lyon"}, created.Attributes)
	assert.Equal(t, []uuid.UUID{vip.ID}, created.CategoryIDs)
	assert.Nil(t, created.OptedOutAt)
	assert.True(t, strings.HasSuffix(created.CreatedAt, "Z"), created.CreatedAt)
	assert.Equal(t, "/contacts/"+created.ID.String(), answered.header.Get("Location"))

	path := "/contacts/" + created.ID.String()
	assert.Equal(t, created, read[contact](s.call("GET", path, nil), 200))
	replaced := read[contact](s.call("PUT", path, object{
		"phone": "+33639980002", "name": "Dominique", "attributes": object{}, "category_ids": []uuid.UUID{},
	}), 200)
	assert.Equal(t, "+33639980002", replaced.Phone)
	assert.Empty(t, replaced.Attributes)
	assert.Empty(t, replaced.CategoryIDs)
	assert.Zero(t, read[category](s.call("GET", "/categories/"+vip.ID.String(), nil), 200).ContactCount)

	assert.Equal(t, 204, s.call("DELETE", path, nil).status)
	s.call("GET", path, nil).problem(404)
	s.call("DELETE", path, nil).problem(404)
	s.call("PUT", path, object{"phone": "+33639980002", "name": "", "attributes": object{}, "category_ids": []uuid.UUID{}}).problem(404)
}

func TestAPhoneNumberBelongsToOneContact(t *testing.T) {
	s := serve(t)
	s.contact("+33639980001")
	other := s.contact("+33639980002")

	p := s.call("POST", "/contacts", object{"phone": "0639980001", "country": "fr"}).problem(409)
	assert.Equal(t, []string{"body.phone"}, p.locations())
	p = s.call("PUT", "/contacts/"+other.ID.String(), object{
		"phone": "+33639980001", "name": "", "attributes": object{}, "category_ids": []uuid.UUID{},
	}).problem(409)
	assert.Equal(t, []string{"body.phone"}, p.locations())
}

func TestAContactThatCannotBeStoredNamesItsFields(t *testing.T) {
	s := serve(t)
	tooLong := strings.Repeat("x", 201)
	for name, c := range map[string]struct {
		body object
		at   []string
	}{
		"no phone":              {object{"name": "A"}, []string{"body.phone"}},
		"blank phone":           {object{"phone": " "}, []string{"body.phone"}},
		"national phone":        {object{"phone": "0639980001"}, []string{"body.phone"}},
		"unknown country":       {object{"phone": "0639980001", "country": "XX"}, []string{"body.country"}},
		"long name, bad phone":  {object{"phone": "x", "name": tooLong}, []string{"body.phone", "body.name"}},
		"NUL in name":           {object{"phone": "+33639980001", "name": "a\x00b"}, []string{"body.name"}},
		"NUL in attribute":      {object{"phone": "+33639980001", "attributes": object{"a": "\x00"}}, []string{"body.attributes.a"}},
		"NUL in attribute name": {object{"phone": "+33639980001", "attributes": object{"\x00": "a"}}, []string{"body.attributes"}},
		"attribute called name": {object{"phone": "+33639980001", "attributes": object{"name": "a"}}, []string{"body.attributes"}},
		"attribute unreadable":  {object{"phone": "+33639980001", "attributes": object{"a b": "a"}}, []string{"body.attributes"}},
		"attribute no text":     {object{"phone": "+33639980001", "attributes": object{"a": 1}}, []string{"body.attributes.a"}},
		"misspelt field":        {object{"phone": "+33639980001", "categories": []string{}}, []string{"body.categories"}},
		"category no id":        {object{"phone": "+33639980001", "category_ids": []string{"x"}}, []string{"body.category_ids[0]"}},
		"no such category":      {object{"phone": "+33639980001", "category_ids": []uuid.UUID{uuid.New()}}, []string{"body.category_ids"}},
	} {
		t.Run(name, func(t *testing.T) {
			s.t = t
			assert.ElementsMatch(t, c.at, s.call("POST", "/contacts", c.body).problem(422).locations())
		})
	}
	s.t = t
	assert.Empty(t, read[page[contact]](s.call("GET", "/contacts", nil), 200).Items)
}

func TestPagesShowEveryContactOnceNewestFirst(t *testing.T) {
	s := serve(t)
	var rows strings.Builder
	rows.WriteString("phone\n")
	for i := range 25 {
		fmt.Fprintf(&rows, "+336399800%02d\n", i)
	}
	s.importCSV("", rows.String()) // all with the same created_at

	var phones []string
	path := "/contacts?limit=7"
	for pages := 0; ; pages++ {
		require.Less(t, pages, 5)
		got := read[page[contact]](s.call("GET", path, nil), 200)
		for _, c := range got.Items {
			phones = append(phones, c.Phone)
		}
		if got.NextCursor == nil {
			break
		}
		assert.Len(t, got.Items, 7)
		path = "/contacts?limit=7&cursor=" + url.QueryEscape(*got.NextCursor)
		if pages == 1 {
			s.contact("+33639989999") // a newcomer does not disturb the pages that follow
		}
	}
	var want []string
	for i := range 25 {
		want = append(want, fmt.Sprintf("+336399800%02d", 24-i))
	}
	assert.Equal(t, want, phones)
}

func TestContactsAreFoundByNameNumberCategoryAndOptOut(t *testing.T) {
	s := serve(t)
	vip := s.category("VIP")
	s.importCSV("", "phone,name\n+33639980011,Anne-Sophie\n+33639980012,Benoît 100%\n+33639980013,Chloé\n")
	d := s.contact("+33639980014", vip.ID)
	read[contact](s.call("POST", "/contacts/"+d.ID.String()+"/opt-out", nil), 200)

	for query, want := range map[string][]string{
		"q=sophie":                           {"+33639980011"},
		"q=100%25":                           {"+33639980012"},
		"q=_":                                nil,
		"q=06+39+98+00+13":                   {"+33639980013"},
		"q=%2B33639980013":                   {"+33639980013"},
		"q=980011":                           {"+33639980011"},
		"category_id=" + vip.ID.String():     {"+33639980014"},
		"category_id=" + uuid.NewString():    nil,
		"opted_out=true":                     {"+33639980014"},
		"opted_out=false&q=39":               {"+33639980013", "+33639980012", "+33639980011"},
		"opted_out=true&q=camille&limit=200": {"+33639980014"},
	} {
		t.Run(query, func(t *testing.T) {
			s.t = t
			got := read[page[contact]](s.call("GET", "/contacts?"+query, nil), 200)
			var phones []string
			for _, c := range got.Items {
				phones = append(phones, c.Phone)
			}
			assert.Equal(t, want, phones)
			assert.Equal(t, int64(len(want)), *got.Total)
		})
	}
}

func TestATotalIsToldWhereItIsKnownWithoutCounting(t *testing.T) {
	s := serve(t)
	vip := s.category("VIP")
	s.importCSV("?category_id="+vip.ID.String(), "phone\n+33639980011\n+33639980012\n+33639980013\n")

	assert.EqualValues(t, 3, *read[page[contact]](s.call("GET", "/contacts", nil), 200).Total)
	assert.Nil(t, read[page[contact]](s.call("GET", "/contacts?limit=2", nil), 200).Total)
	assert.EqualValues(t, 3, *read[page[contact]](s.call("GET", "/contacts?limit=2&category_id="+vip.ID.String(), nil), 200).Total)
}

func TestListsRefuseSenselessParameters(t *testing.T) {
	s := serve(t)
	for query, at := range map[string]string{
		"limit=0": "query.limit", "limit=201": "query.limit", "limit=x": "query.limit",
		"cursor=x": "query.cursor", "cursor=bnVsbA%3D": "query.cursor",
		"category_id=x": "query.category_id", "opted_out=maybe": "query.opted_out", "q=%00": "query.q", "q=%ff": "query.q",
	} {
		t.Run(query, func(t *testing.T) {
			s.t = t
			assert.Equal(t, []string{at}, s.call("GET", "/contacts?"+query, nil).problem(422).locations())
		})
	}
}

func TestOptingOutIsRememberedFromTheFirstTime(t *testing.T) {
	s := serve(t)
	c := s.contact("+33639980001")
	path := "/contacts/" + c.ID.String()
	out := read[contact](s.call("POST", path+"/opt-out", nil), 200)
	require.NotNil(t, out.OptedOutAt)
	assert.Equal(t, out, read[contact](s.call("POST", path+"/opt-out", nil), 200))
	assert.Nil(t, read[contact](s.call("POST", path+"/opt-in", nil), 200).OptedOutAt)
	s.call("POST", "/contacts/"+uuid.NewString()+"/opt-out", nil).problem(404)
}
