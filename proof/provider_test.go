package proof

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"
)

// fault is what becomes of one request to send.
type fault string

const (
	answers        fault = "takes it"
	refuses        fault = "refuses it"
	knowsNoNumber  fault = "knows no such number"
	throttles      fault = "answers 429"
	dropsUnseen    fault = "answers 503 without having taken it"
	resetsUnseen   fault = "resets the connection without having taken it"
	dropsTaken     fault = "takes it and answers 504"
	resetsTaken    fault = "takes it and resets the connection"
	takesNoRequest fault = "refuses the connection"
)

// failures are those after which the message is tried, or looked for, again.
var failures = []fault{throttles, dropsUnseen, resetsUnseen, dropsTaken, resetsTaken, takesNoRequest}

// provider is the stand-in: no sockets, no time of its own.
type provider struct {
	r *run
	// turn is held during a request: a wave's leave side by side.
	turn sync.Mutex
	// asked counts requests to send, also those that were refused a connection.
	asked   map[string]int
	records map[string]record // by reference
}

type record struct {
	ID        string    `json:"id"`
	WAID      string    `json:"waId"`
	Phone     string    `json:"phone"`
	Reference string    `json:"reference"`
	Status    string    `json:"status"`
	CreatedAt time.Time `json:"createdAt"`
	visible   time.Duration
}

var errReset = errors.New("connection reset by the stand-in")

// RoundTrip answers a request of the client's.
func (p *provider) RoundTrip(request *http.Request) (*http.Response, error) {
	trace := httptrace.ContextClientTrace(request.Context())
	trace.GetConn("provider")
	p.turn.Lock()
	defer p.turn.Unlock()
	if request.Method == http.MethodGet {
		trace.GotConn(httptrace.GotConnInfo{})
		return p.lookUp(request.URL.Query().Get("reference"))
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	var asked struct{ Phone, Message, Reference string }
	if err := json.Unmarshal(body, &asked); err != nil {
		return nil, err
	}
	who, message := p.r.contactOf(asked.Phone), message1
	if asked.Message == textOf[message2] {
		message = message2
	}
	what := p.fault(who, message, asked.Reference)
	p.asked[asked.Reference]++
	if what == takesNoRequest {
		return nil, errReset
	}
	trace.GotConn(httptrace.GotConnInfo{})
	return p.send(who, message, what, asked.Phone, asked.Reference)
}

func (p *provider) fault(who, message int, reference string) fault {
	if p.away() {
		return dropsUnseen
	}
	if planned := p.r.plan.contacts[who].faults[message]; p.asked[reference] < len(planned) {
		return planned[p.asked[reference]]
	}
	return answers
}

func (p *provider) away() bool {
	at := p.r.since()
	for _, o := range p.r.plan.outages {
		if o.from <= at && at < o.to {
			return true
		}
	}
	return false
}

func (p *provider) send(who, message int, what fault, phone, reference string) (*http.Response, error) {
	at := p.r.now()
	did := nothing
	switch what {
	case refuses:
		did = refused
	case knowsNoNumber:
		did = badNumber
	case answers, dropsTaken, resetsTaken:
		did = accepted
	}
	c := &p.r.past.contacts[who]
	c.requests[message] = append(c.requests[message], request{at: at, did: did, plain: what == answers})
	p.r.tell(who, at, "%s: the provider %s", nameOf[message], what)
	if did == accepted {
		p.take(who, message, at, phone, reference)
	}
	switch what {
	case refuses:
		return respond(http.StatusBadRequest, `{"status":400,"message":"no","errorCode":"message:invalid"}`), nil
	case knowsNoNumber:
		return respond(http.StatusBadRequest, `{"status":400,"message":"no","errorCode":"phone:invalid"}`), nil
	case throttles:
		answer := respond(http.StatusTooManyRequests, `{"status":429,"message":"slowly"}`)
		answer.Header.Set("Retry-After", "7")
		return answer, nil
	case dropsUnseen:
		return respond(http.StatusServiceUnavailable, `{}`), nil
	case dropsTaken:
		return respond(http.StatusGatewayTimeout, `{}`), nil
	case resetsUnseen, resetsTaken:
		return nil, errReset
	}
	return respond(http.StatusCreated, encoded(p.records[reference])), nil
}

// take keeps the first message with a reference. A second one is a message all
// the same, and the model's business.
func (p *provider) take(who, message int, at time.Duration, phone, reference string) {
	n := len(p.records) + 1
	if _, known := p.records[reference]; !known {
		p.records[reference] = record{
			ID: fmt.Sprintf("P%d", n), WAID: fmt.Sprintf("W%d", n), Phone: phone, Reference: reference, Status: "sent",
			CreatedAt: launch.Add(at), visible: at + p.r.plan.contacts[who].lag[message],
		}
	}
	p.r.messageArrives(who, message, at, p.records[reference])
}

func (p *provider) lookUp(reference string) (*http.Response, error) {
	if p.away() {
		return respond(http.StatusServiceUnavailable, `{}`), nil
	}
	if found, ok := p.records[reference]; ok && found.visible <= p.r.since() {
		return respond(http.StatusOK, "["+encoded(found)+"]"), nil
	}
	return respond(http.StatusOK, "[]"), nil
}

func encoded(r record) string {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func respond(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)),
	}
}
