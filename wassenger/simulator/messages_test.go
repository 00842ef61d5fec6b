package simulator_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/wassenger/simulator"
)

func TestAnAcceptedMessageIsAnsweredInTheProvidersShape(t *testing.T) {
	s := newSimulator(t, config())
	a := serve(t, s)
	got := a.call("POST", "/v1/messages", object{
		"phone": ana, "message": "Bonjour Ana", "device": deviceID, "reference": "ref-1", "priority": "high",
		"media": object{"url": "https://example.org/a.jpg"}, "retries": 2,
	})
	require.Equal(t, http.StatusCreated, got.status)
	var record object
	got.decode(t, &record)
	assert.Regexp(t, "^[0-9a-f]{24}$", record["id"])
	assert.Regexp(t, "^3EB0[0-9A-F]{14,28}$", record["waId"])
	assert.Equal(t, "33639980001@c.us", record["wid"])
	assert.Equal(t, "queued", record["status"])
	assert.Equal(t, "queued", record["deliveryStatus"])
	assert.Equal(t, "ref-1", record["reference"])
	assert.Equal(t, deviceID, record["device"])
	assert.Equal(t, object{"max": 2.0, "count": 0.0}, record["retry"])

	ledger := s.Ledger()
	require.Len(t, ledger.Messages, 1)
	m := ledger.Messages[0]
	assert.Equal(t, record["id"], m.ID)
	assert.Equal(t, record["waId"], m.WaID)
	assert.Equal(t, simulator.Message{
		At: m.At, ID: m.ID, WaID: m.WaID, Reference: "ref-1", Phone: ana, Text: "Bonjour Ana",
		MediaURL: "https://example.org/a.jpg", Priority: "high", Retries: 2,
	}, m)
	created, err := time.Parse(time.RFC3339, record["createdAt"].(string))
	require.NoError(t, err)
	assert.WithinDuration(t, m.At, created, time.Millisecond)
}

func TestAnInvalidMessageIsRefusedAndStaysOutOfTheLedger(t *testing.T) {
	s := newSimulator(t, config())
	a := serve(t, s)
	with := func(key string, value any) object {
		m := message(ana, "ref")
		m[key] = value
		return m
	}
	without := func(key string) object {
		m := message(ana, "ref")
		delete(m, key)
		return m
	}
	for name, c := range map[string]struct {
		body   any
		status int
		code   string
	}{
		"an unknown key":                {with("replyTo", "x"), 400, "validation"},
		"an unknown key of media":       {with("media", object{"url": "https://a.org/b", "caption": "c"}), 400, "validation"},
		"a key that is not played":      {with("deliverAt", "2030-01-01T00:00:00Z"), 400, "validation"},
		"no phone":                      {without("phone"), 400, "phone:invalid"},
		"a phone without plus":          {with("phone", "33639980001"), 400, "phone:invalid"},
		"a phone with spaces":           {with("phone", "+33 6 39 98 00 01"), 400, "phone:invalid"},
		"a phone that begins with 0":    {with("phone", "+0639980001"), 400, "phone:invalid"},
		"a number as phone":             {with("phone", 33639980001), 400, "validation"},
		"no device":                     {without("device"), 400, "device:invalid"},
		"a device that is no id":        {with("device", "main"), 400, "device:invalid"},
		"somebody else's device":        {with("device", strings.Repeat("0", 24)), 404, "device:invalid"},
		"neither text nor media":        {without("message"), 400, "validation"},
		"a text longer than WhatsApp's": {with("message", strings.Repeat("é", 4097)), 400, "validation"},
		"an unknown priority":           {with("priority", "highest"), 400, "validation"},
		"too many retries":              {with("retries", 101), 400, "validation"},
		"media of two sources":          {with("media", object{"url": "https://a.org/b", "file": deviceID}), 400, "validation"},
		"two expirations":               {with("expiration", object{"seconds": 60, "duration": "1h"}), 400, "validation"},
		"no JSON":                       {"phone=+33639980001", 400, ""},
		"two JSON values":               {"{}{}", 400, ""},
	} {
		got := a.call("POST", "/v1/messages", c.body)
		assert.Equal(t, c.status, got.status, "%s: %s", name, got.body)
		var problem struct {
			Status    int
			Message   string
			ErrorCode string
		}
		got.decode(t, &problem)
		assert.Equal(t, c.status, problem.Status, name)
		assert.Equal(t, c.code, problem.ErrorCode, name)
		assert.NotEmpty(t, problem.Message, name)
	}
	assert.Empty(t, s.Ledger().Messages)
}

func TestATextOf4096CharactersIsAccepted(t *testing.T) {
	a := serve(t, newSimulator(t, config()))
	m := message(ana, "ref")
	m["message"] = strings.Repeat("é", 4096)
	assert.Equal(t, http.StatusCreated, a.call("POST", "/v1/messages", m).status)
}

func TestNothingIsAnsweredWithoutTheToken(t *testing.T) {
	s := newSimulator(t, config())
	for _, path := range []string{"/v1/messages", "/v1/messages/x", "/v1/devices", "/v1/webhooks", "/v1/nothing"} {
		for _, given := range []string{"", "wrong"} {
			req := httptest.NewRequest("GET", path, nil)
			req.Header.Set("Token", given)
			w := httptest.NewRecorder()
			s.Handler().ServeHTTP(w, req)
			assert.Equal(t, http.StatusUnauthorized, w.Code, path)
		}
	}
}

func TestTheSameReferenceTwiceIsTwoMessages(t *testing.T) {
	s := newSimulator(t, config())
	a := serve(t, s)
	first, second := a.send(ana, "ref"), a.send(ana, "ref")
	assert.NotEqual(t, first["id"], second["id"])
	assert.NotEqual(t, first["waId"], second["waId"])
	require.Len(t, s.Ledger().Messages, 2)
	assert.Equal(t, 1, s.Ledger().Messages[1].Before)
}

// witness looks into the ledger when the answer begins.
type witness struct {
	*httptest.ResponseRecorder
	s    *simulator.Simulator
	seen int
}

func (w *witness) WriteHeader(status int) {
	w.seen = len(w.s.Ledger().Messages)
	w.ResponseRecorder.WriteHeader(status)
}

func TestTheLedgerHoldsAMessageBeforeItIsAnswered(t *testing.T) {
	s := newSimulator(t, config())
	req := httptest.NewRequest("POST", "/v1/messages", strings.NewReader(
		`{"phone":"`+ana+`","message":"Bonjour","device":"`+deviceID+`","reference":"ref"}`))
	req.Header.Set("Token", token)
	w := &witness{ResponseRecorder: httptest.NewRecorder(), s: s}
	s.Handler().ServeHTTP(w, req)
	require.Equal(t, http.StatusCreated, w.Code)
	assert.Equal(t, 1, w.seen)
}

func TestAClosedSimulatorAcceptsNothing(t *testing.T) {
	s := newSimulator(t, config())
	a := serve(t, s)
	require.NoError(t, s.Close())
	assert.Equal(t, http.StatusServiceUnavailable, a.call("POST", "/v1/messages", message(ana, "ref")).status)
	assert.Empty(t, s.Ledger().Messages)
}

func TestTheDeviceIsShownAsTheProviderShowsIt(t *testing.T) {
	s := newSimulator(t, config())
	a := serve(t, s)
	var device struct {
		ID, Status string
		Session    struct{ Status string }
		Billing    struct{ Subscription struct{ Product string } }
	}
	a.call("GET", "/v1/devices/"+deviceID, nil).decode(t, &device)
	assert.Equal(t, deviceID, device.ID)
	assert.Equal(t, "operative", device.Status)
	assert.Equal(t, "online", device.Session.Status)
	assert.Equal(t, "io", device.Billing.Subscription.Product)
	var list []object
	a.call("GET", "/v1/devices", nil).decode(t, &list)
	assert.Len(t, list, 1)
	assert.Equal(t, http.StatusNotFound, a.call("GET", "/v1/devices/"+strings.Repeat("0", 24), nil).status)
}

func TestASenselessConfigurationIsNamed(t *testing.T) {
	for field, spoil := range map[string]func(*simulator.Config){
		"Token":         func(c *simulator.Config) { c.Token = "" },
		"DeviceID":      func(c *simulator.Config) { c.DeviceID = "main" },
		"DevicePhone":   func(c *simulator.Config) { c.DevicePhone = "0639989999" },
		"WebhookURL":    func(c *simulator.Config) { c.WebhookURL = "localhost:8080" },
		"Duplicate":     func(c *simulator.Config) { c.Delivery.Duplicate = 1.5 },
		"Reply":         func(c *simulator.Config) { c.Contacts.Reply = -0.1 },
		"ReplyTypes":    func(c *simulator.Config) { c.Contacts.ReplyTypes = map[simulator.ReplyType]float64{"fax": 1} },
		"halt_status":   func(c *simulator.Config) { c.Faults.HaltStatus = 418 },
		"together":      func(c *simulator.Config) { c.Faults.RateLimited, c.Faults.Halted = 0.6, 0.6 },
		"at least one":  func(c *simulator.Config) { c.Faults.Next = []simulator.Next{{Fault: simulator.RateLimited}} },
		"negative":      func(c *simulator.Config) { c.Faults.Latency.Min = -1 },
		"knows no faul": func(c *simulator.Config) { c.Faults.Next = []simulator.Next{{Fault: "flood", Requests: 1}} },
	} {
		cfg := config()
		spoil(&cfg)
		_, err := simulator.New(cfg)
		assert.ErrorContains(t, err, field)
	}
}
