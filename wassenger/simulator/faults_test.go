package simulator_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/wassenger/simulator"
)

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func TestEveryFaultShowsOnTheClientAndInTheLedger(t *testing.T) {
	for _, c := range []struct {
		fault    simulator.Fault
		statuses []int
		fails    func(error) bool
		accepted bool
	}{
		{fault: simulator.NoFault, statuses: []int{201}, accepted: true},
		{fault: simulator.TimeoutAfterAccept, fails: isTimeout, accepted: true},
		{fault: simulator.TimeoutBeforeAccept, fails: isTimeout},
		{fault: simulator.ErrorAfterAccept, statuses: []int{500, 502}, accepted: true},
		{fault: simulator.ErrorBeforeAccept, statuses: []int{503}},
		{fault: simulator.RateLimited, statuses: []int{429}},
		{fault: simulator.ResetAfterAccept, fails: isReset, accepted: true},
		{fault: simulator.ResetBeforeAccept, fails: isReset},
		{fault: simulator.Halted, statuses: []int{403}},
	} {
		t.Run(string(c.fault), func(t *testing.T) {
			s := newSimulator(t, config())
			a := serve(t, s)
			a.client.Timeout = time.Second
			require.NoError(t, s.FailNext(c.fault, 1))
			got, err := a.try("POST", "/v1/messages", message(ana, "ref"))
			if c.fails != nil {
				require.Error(t, err)
				assert.True(t, c.fails(err), "%v", err)
			} else {
				require.NoError(t, err)
				assert.Contains(t, c.statuses, got.status)
			}
			accepted := 0
			if c.accepted {
				accepted = 1
			}
			assert.Len(t, s.Ledger().Messages, accepted)
			assert.Len(t, a.list("?reference=ref"), accepted)

			a.send(luc, "next") // one request only was to go wrong
			assert.Len(t, s.Ledger().Messages, accepted+1)
		})
	}
}

func TestAServerErrorAfterAcceptingIsHTML(t *testing.T) {
	s := newSimulator(t, config())
	a := serve(t, s)
	require.NoError(t, s.FailNext(simulator.ErrorAfterAccept, 1))
	got := a.call("POST", "/v1/messages", message(ana, "ref"))
	assert.Equal(t, "text/html", got.header.Get("Content-Type"))
	assert.False(t, json.Valid(got.body))
}

func TestRateLimitingMayNameAPause(t *testing.T) {
	s := newSimulator(t, config())
	a := serve(t, s)
	require.NoError(t, s.SetFaults(simulator.Faults{RateLimited: 1, RetryAfterSeconds: 7}))
	assert.Equal(t, "7", a.call("POST", "/v1/messages", message(ana, "ref")).header.Get("Retry-After"))
	require.NoError(t, s.SetFaults(simulator.Faults{RateLimited: 1}))
	assert.NotContains(t, a.call("POST", "/v1/messages", message(ana, "ref")).header, "Retry-After")
}

func TestAnOfflineDeviceShowsItAndRefusesEverySend(t *testing.T) {
	s := newSimulator(t, config())
	a := serve(t, s)
	for _, status := range []int{401, 402, 403} {
		require.NoError(t, s.SetFaults(simulator.Faults{DeviceOffline: true, HaltStatus: status}))
		assert.Equal(t, status, a.call("POST", "/v1/messages", message(ana, "ref")).status)
		assert.Contains(t, string(a.call("GET", "/v1/devices/"+deviceID, nil).body), `"session":{"status":"offline"}`)
	}
	assert.Empty(t, a.list("?reference=ref"), "look-ups still work")
	require.NoError(t, s.SetFaults(simulator.Faults{}))
	a.send(ana, "ref")
}

func TestAShareOfNumbersIsAlwaysUnknown(t *testing.T) {
	cfg := config()
	cfg.Faults = simulator.Faults{UnknownNumbers: 0.3, UnknownPhones: []string{ana}}
	a := serve(t, newSimulator(t, cfg))
	unknown := 0
	for n := range 200 {
		phone := fmt.Sprintf("+3363998%04d", 100+n)
		first := a.call("POST", "/v1/messages", message(phone, "first")).status
		assert.Equal(t, first, a.call("POST", "/v1/messages", message(phone, "again")).status)
		if first == http.StatusBadRequest {
			unknown++
		}
	}
	assert.InDelta(t, 60, unknown, 30)
	got := a.call("POST", "/v1/messages", message(ana, "ref"))
	assert.Equal(t, http.StatusBadRequest, got.status)
	assert.Contains(t, string(got.body), `"errorCode":"phone:invalid"`)
}

func TestFaultsHappenInTheirShares(t *testing.T) {
	cfg := config()
	cfg.Faults = simulator.Faults{ErrorBeforeAccept: 0.2, RateLimited: 0.3, ErrorAfterAccept: 0.1}
	s := newSimulator(t, cfg)
	a := serve(t, s)
	counts := map[int]int{}
	for n := range 1000 {
		counts[a.call("POST", "/v1/messages", message(ana, fmt.Sprint(n))).status]++
	}
	assert.InDelta(t, 200, counts[503], 60)
	assert.InDelta(t, 300, counts[429], 70)
	assert.InDelta(t, 100, counts[500]+counts[502], 50)
	assert.Len(t, s.Ledger().Messages, counts[201]+counts[500]+counts[502])
}

func TestFaultsAreDrawnTheSameForASeed(t *testing.T) {
	statuses := func(seed uint64) (got []int) {
		cfg := config()
		cfg.Seed, cfg.Faults.RateLimited = seed, 0.5
		a := serve(t, newSimulator(t, cfg))
		for range 50 {
			got = append(got, a.call("POST", "/v1/messages", message(ana, "ref")).status)
		}
		return got
	}
	assert.Equal(t, statuses(7), statuses(7))
	assert.NotEqual(t, statuses(7), statuses(8))
}

func TestTheNextRequestsGoWrongInTurn(t *testing.T) {
	s := newSimulator(t, config())
	a := serve(t, s)
	require.NoError(t, s.SetFaults(simulator.Faults{RateLimited: 1, Next: []simulator.Next{
		{Fault: simulator.ErrorBeforeAccept, Requests: 2}, {Fault: simulator.LookUpFailure, Requests: 1},
		{Fault: simulator.NoFault, Requests: 1},
	}}))
	var got []int
	for range 4 {
		got = append(got, a.call("POST", "/v1/messages", message(ana, "ref")).status)
	}
	assert.Equal(t, []int{503, 503, 201, 429}, got)
	assert.Equal(t, []simulator.Next{{Fault: simulator.LookUpFailure, Requests: 1}}, s.Faults().Next)
	assert.Equal(t, http.StatusServiceUnavailable, a.call("GET", "/v1/messages", nil).status)
	assert.Equal(t, http.StatusOK, a.call("GET", "/v1/messages", nil).status)
}

func TestLatencyDelaysEveryAnswer(t *testing.T) {
	cfg := config()
	cfg.Faults.Latency = simulator.Delay{Min: 40 * time.Millisecond, Max: 50 * time.Millisecond}
	a := serve(t, newSimulator(t, cfg))
	for _, call := range []func(){func() { a.send(ana, "ref") }, func() { a.list("") }} {
		began := time.Now()
		call()
		assert.GreaterOrEqual(t, time.Since(began), 40*time.Millisecond)
	}
}

func TestAClientThatLosesPatienceDuringLatencyHasSentItsMessage(t *testing.T) {
	cfg := config()
	cfg.Faults.Latency = simulator.Delay{Min: 100 * time.Millisecond}
	s := newSimulator(t, cfg)
	a := serve(t, s)
	a.client.Timeout = 30 * time.Millisecond
	_, err := a.try("POST", "/v1/messages", message(ana, "ref"))
	require.Error(t, err)
	require.Eventually(t, func() bool { return len(s.Ledger().Messages) == 1 }, soon, tick)
}

func TestFaultsAreShownAndReplacedByTheAdminCall(t *testing.T) {
	s := newSimulator(t, config())
	a := serve(t, s)
	got := a.call("PUT", "/simulator/faults", `{"rate_limited":1,"retry_after_seconds":3,
		"latency":{"min":"1ms","max":"2ms"},"look_up_lag":{"min":"1s","exponential":true},
		"unknown_phones":["+33639980009"],"next":[{"fault":"error_before_accept","requests":1}]}`)
	require.Equal(t, http.StatusOK, got.status, string(got.body))
	assert.Equal(t, simulator.Faults{
		RateLimited: 1, RetryAfterSeconds: 3,
		Latency:       simulator.Delay{Min: time.Millisecond, Max: 2 * time.Millisecond},
		LookUpLag:     simulator.Delay{Min: time.Second, Exponential: true},
		UnknownPhones: []string{"+33639980009"},
		Next:          []simulator.Next{{Fault: simulator.ErrorBeforeAccept, Requests: 1}},
	}, s.Faults())
	assert.JSONEq(t, string(got.body), string(a.call("GET", "/simulator/faults", nil).body))
	assert.Equal(t, 503, a.call("POST", "/v1/messages", message(ana, "ref")).status)
	assert.Equal(t, 429, a.call("POST", "/v1/messages", message(ana, "ref")).status)

	require.Equal(t, http.StatusOK, a.call("PUT", "/simulator/faults", `{}`).status)
	assert.Equal(t, simulator.Faults{UnknownPhones: s.Faults().UnknownPhones, Next: s.Faults().Next}, s.Faults())
	a.send(ana, "ref")
}

func TestSenselessFaultsAreRefusedAndChangeNothing(t *testing.T) {
	s := newSimulator(t, config())
	a := serve(t, s)
	for _, body := range []string{
		`{"rate_limit":1}`, `{"rate_limited":2}`, `{"rate_limited":0.6,"halted":0.6}`, `{"latency":{"min":"soon"}}`,
		`{"next":[{"fault":"flood","requests":1}]}`, `{"refuse_connections":true}`, `[]`,
	} {
		assert.Equal(t, http.StatusBadRequest, a.call("PUT", "/simulator/faults", body).status, body)
	}
	a.send(ana, "ref")
}
