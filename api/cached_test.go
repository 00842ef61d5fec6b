package api_test

import (
	"fmt"
	"log/slog"
	"net/url"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/api"
	"github.com/relance/relance/cache"
)

// cached serves with a Redis.
func cached(t *testing.T) (*server, *miniredis.Miniredis) {
	redis := miniredis.RunT(t)
	c, err := cache.New("redis://"+redis.Addr()+"?read_timeout=10s", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return serve(t, func(o *api.Options) { o.Cache = c }), redis
}

func (s *server) names(path string) []string {
	s.t.Helper()
	names := []string{}
	for _, item := range read[page[struct{ Name string }]](s.call("GET", path, nil), 200).Items {
		names = append(names, item.Name)
	}
	return names
}

func TestListsComeFromTheCacheWhileNothingChanges(t *testing.T) {
	s, redis := cached(t)
	s.contact("+33639980001")
	s.category("VIP")
	for _, path := range []string{"/contacts", "/categories", "/contacts?q=cam"} {
		want := s.names(path)
		_, err := s.store.Pool().Exec(`UPDATE contacts SET name = 'Behind the back'; UPDATE categories SET name = 'behind the back ' || random()`)
		require.NoError(t, err)
		assert.Equal(t, want, s.names(path), path)
		redis.FastForward(cache.CategoriesTTL + time.Second)
		assert.NotEqual(t, want, s.names(path), path)
		_, err = s.store.Pool().Exec(`UPDATE contacts SET name = 'Camille'; UPDATE categories SET name = 'VIP'`)
		require.NoError(t, err)
		redis.FlushAll()
	}
	for _, name := range redis.Keys() {
		assert.Regexp(t, "^cache:(stats|categories|contacts):", name)
		assert.NotContains(t, name, "cam", "what was searched for stays out of the keys")
	}
}

func TestEveryChangeIsInTheNextList(t *testing.T) {
	s, redis := cached(t)
	vip := s.category("VIP")
	var c contact
	id := func() string { return c.ID.String() }
	for _, change := range []struct {
		name string
		make func()
		see  func() any
		want any
	}{
		{"create contact", func() { c = s.contact("+33639980001") }, func() any { return s.names("/contacts") }, []string{"Camille"}},
		{"replace contact", func() {
			s.call("PUT", "/contacts/"+id(), object{"phone": c.Phone, "name": "New", "attributes": object{}, "category_ids": []uuid.UUID{}})
		}, func() any { return s.names("/contacts") }, []string{"New"}},
		{"opt out", func() { s.call("POST", "/contacts/"+id()+"/opt-out", nil) }, func() any { return len(s.names("/contacts?opted_out=true")) }, 1},
		{"opt in", func() { s.call("POST", "/contacts/"+id()+"/opt-in", nil) }, func() any { return len(s.names("/contacts?opted_out=true")) }, 0},
		{"add to category", func() {
			s.call("POST", "/categories/"+vip.ID.String()+"/contacts", object{"contact_ids": []uuid.UUID{c.ID}})
		}, func() any { return s.counts() }, "VIP:1 "},
		{"remove from category", func() {
			s.call("DELETE", "/categories/"+vip.ID.String()+"/contacts", object{"contact_ids": []uuid.UUID{c.ID}})
		}, func() any { return s.counts() }, "VIP:0 "},
		{"import", func() { s.importCSV("?category_id="+vip.ID.String(), "phone,name\n+33639980002,Imported\n") }, func() any { return s.counts() }, "VIP:1 "},
		{"rename category", func() { s.call("PUT", "/categories/"+vip.ID.String(), object{"name": "Top"}) }, func() any { return s.counts() }, "Top:1 "},
		{"delete contact", func() { s.call("DELETE", "/contacts/"+id(), nil) }, func() any { return s.names("/contacts") }, []string{"Imported"}},
		{"create category", func() { s.category("Zoo") }, func() any { return s.counts() }, "Top:1 Zoo:0 "},
		{"delete category", func() { s.call("DELETE", "/categories/"+vip.ID.String(), nil) }, func() any { return s.counts() }, "Zoo:0 "},
	} {
		change.see() // into the cache
		change.make()
		assert.Equal(t, change.want, change.see(), change.name)
	}
	assert.NotEmpty(t, redis.Keys())
}

// counts shows the list of categories as "name:count ".
func (s *server) counts() string {
	s.t.Helper()
	var shown string
	for _, c := range read[page[category]](s.call("GET", "/categories", nil), 200).Items {
		shown += fmt.Sprintf("%s:%d ", c.Name, c.ContactCount)
	}
	return shown
}

func TestProperty2_TheAPIAnswersFreshAndRightWhenRedisGoesAway(t *testing.T) {
	s, redis := cached(t)
	s.contact("+33639980001")
	id := s.running(3)
	stats := "/campaigns/" + id.String() + "/stats"
	before := s.names("/contacts")
	read[object](s.call("GET", stats, nil), 200)

	redis.Close()
	for i := range 5 {
		s.contact(fmt.Sprintf("+3363998001%d", i))
		assert.Len(t, s.names("/contacts"), len(before)+i+1)
		assert.Equal(t, "VIP:3 ", s.counts())
		assert.EqualValues(t, 3, read[object](s.call("GET", stats, nil), 200)["total_contacts"])
	}
	assert.Equal(t, "unreachable", read[object](s.call("GET", "/readyz", nil), 200)["redis"])

	require.NoError(t, redis.Restart())
	assert.Len(t, s.names("/contacts"), len(before)+5, "though Redis holds what was kept before")
	assert.Equal(t, "ok", read[object](s.call("GET", "/readyz", nil), 200)["redis"])
}

func TestProperty15_StatsAreAtMostTwoSecondsBehind(t *testing.T) {
	s, redis := cached(t)
	id := s.running(3)
	for _, path := range []string{"/campaigns/" + id.String() + "/stats", "/messages/stats"} {
		delivered := func() any { return read[object](s.call("GET", path, nil), 200)["messages_delivered"] }
		assert.EqualValues(t, 0, delivered(), path)
		_, err := s.store.Pool().Exec(`UPDATE messages SET status = 'delivered', delivered_at = now() WHERE status = 'sent'`)
		require.NoError(t, err)
		redis.FastForward(cache.StatsTTL)
		assert.EqualValues(t, 1, delivered(), path)
		_, err = s.store.Pool().Exec(`UPDATE messages SET status = 'sent', delivered_at = NULL WHERE status = 'delivered'`)
		require.NoError(t, err)
	}
	assert.LessOrEqual(t, cache.StatsTTL, 5*time.Second)
}

func TestCachedPagesKeepTheirCursors(t *testing.T) {
	s, _ := cached(t)
	s.importCSV("", manyRows(5))
	for range 2 {
		first := read[page[contact]](s.call("GET", "/contacts?limit=3", nil), 200)
		rest := read[page[contact]](s.call("GET", "/contacts?limit=3&cursor="+url.QueryEscape(*first.NextCursor), nil), 200)
		assert.Len(t, first.Items, 3)
		assert.Len(t, rest.Items, 2)
		assert.Nil(t, rest.NextCursor)
	}
}
