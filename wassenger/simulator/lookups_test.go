package simulator_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/wassenger/simulator"
)

func (a *api) list(query string) []object {
	a.t.Helper()
	got := a.call("GET", "/v1/messages"+query, nil)
	require.Equal(a.t, http.StatusOK, got.status, string(got.body))
	listed := []object{}
	got.decode(a.t, &listed)
	return listed
}

func references(listed []object) []string {
	refs := []string{}
	for _, m := range listed {
		refs = append(refs, m["reference"].(string))
	}
	return refs
}

func TestLookUpsFindAMessageByItsReference(t *testing.T) {
	a := serve(t, newSimulator(t, config()))
	a.send(ana, "one")
	sent := a.send(luc, "two")
	listed := a.list("?reference=two&device=" + deviceID)
	require.Len(t, listed, 1)
	assert.Equal(t, sent["id"], listed[0]["id"])
	assert.Equal(t, sent["createdAt"], listed[0]["createdAt"])
	assert.Empty(t, a.list("?reference=three"))
	assert.Empty(t, a.list("?reference=two&device=000000000000000000000000"))
	assert.Equal(t, []string{"two"}, references(a.list("?phone=%2B33639980002")))
}

func TestAnEmptyLookUpIsAnEmptyArray(t *testing.T) {
	a := serve(t, newSimulator(t, config()))
	assert.JSONEq(t, "[]", string(a.call("GET", "/v1/messages?reference=none", nil).body))
}

func TestLookUpsAreNewestFirstAndPaged(t *testing.T) {
	a := serve(t, newSimulator(t, config()))
	for n := range 25 {
		a.send(ana, fmt.Sprint(n))
	}
	listed := references(a.list(""))
	require.Len(t, listed, 20)
	assert.Equal(t, "24", listed[0])
	assert.Equal(t, []string{"4", "3", "2", "1", "0"}, references(a.list("?page=1")))
	assert.Equal(t, []string{"18", "17", "16"}, references(a.list("?size=3&page=2")))
	assert.Equal(t, []string{"0", "1"}, references(a.list("?size=2&sort=date:asc")))
}

func TestALookUpByAMistypedFilterIsRefused(t *testing.T) {
	a := serve(t, newSimulator(t, config()))
	for _, query := range []string{"?references=x", "?size=0", "?size=101", "?page=-1", "?sort=size", "?createdAfter=now"} {
		assert.Equal(t, http.StatusBadRequest, a.call("GET", "/v1/messages"+query, nil).status, query)
	}
}

func TestTheStatusOfAMessageFollowsItsContact(t *testing.T) {
	cfg := config()
	cfg.Contacts = simulator.Behaviour{Read: 1, ReadDelay: simulator.Delay{Min: 30 * time.Millisecond}}
	a := serve(t, newSimulator(t, cfg))
	id := a.send(ana, "ref")["id"].(string)
	status := func() any {
		var record object
		a.call("GET", "/v1/messages/"+id, nil).decode(t, &record)
		return record["deliveryStatus"]
	}
	assert.Contains(t, []any{"delivered", "read"}, status())
	require.Eventually(t, func() bool { return status() == "read" }, soon, tick)
	assert.Equal(t, http.StatusNotFound, a.call("GET", "/v1/messages/unknown", nil).status)
}

func TestALaggingLookUpFindsNothingAtFirst(t *testing.T) {
	cfg := config()
	cfg.Faults.LookUpLag = simulator.Delay{Min: 150 * time.Millisecond}
	a := serve(t, newSimulator(t, cfg))
	began := time.Now()
	id := a.send(ana, "ref")["id"].(string)
	if listed := a.list("?reference=ref"); time.Since(began) < 150*time.Millisecond {
		assert.Empty(t, listed)
	}
	assert.Equal(t, http.StatusOK, a.call("GET", "/v1/messages/"+id, nil).status, "by id nothing lags")
	require.Eventually(t, func() bool { return len(a.list("?reference=ref")) == 1 }, soon, tick)
	assert.GreaterOrEqual(t, time.Since(began), 150*time.Millisecond)
}

func TestFailingLookUpsAreAnswered503(t *testing.T) {
	cfg := config()
	cfg.Faults.LookUpFailure = 1
	a := serve(t, newSimulator(t, cfg))
	id := a.send(ana, "ref")["id"].(string)
	assert.Equal(t, http.StatusServiceUnavailable, a.call("GET", "/v1/messages?reference=ref", nil).status)
	assert.Equal(t, http.StatusServiceUnavailable, a.call("GET", "/v1/messages/"+id, nil).status)
}
