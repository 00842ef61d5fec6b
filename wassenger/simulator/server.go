package simulator

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxBody bounds what is read of one request, in bytes.
const maxBody = 1 << 20

// problem is a refusal in the provider's shape.
type problem struct {
	Status    int           `json:"status"`
	Message   string        `json:"message"`
	ErrorCode string        `json:"errorCode,omitempty"`
	Errors    []pathProblem `json:"errors,omitempty"`
}

type pathProblem struct {
	Path    string `json:"path"`
	Message string `json:"message"`
}

// invalid is a 400 about one key of a body or query.
func invalid(path, message string) *problem {
	return &problem{
		Status: http.StatusBadRequest, Message: "Bad request: invalid or missing value", ErrorCode: "validation",
		Errors: []pathProblem{{path, message}},
	}
}

func (s *Simulator) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for pattern, handle := range map[string]http.HandlerFunc{
		"POST /v1/messages":              s.postMessage,
		"GET /v1/messages":               s.getMessages,
		"GET /v1/messages/{id}":          s.getMessage,
		"GET /v1/chat/{device}/messages": s.getChatMessages,
		"GET /v1/devices":                s.getDevices,
		"GET /v1/devices/{id}":           s.getDevice,
		"GET /v1/webhooks":               s.getWebhooks,
		"POST /v1/webhooks":              s.postWebhook,
		"GET /v1/webhooks/{id}":          s.getWebhook,
		"PATCH /v1/webhooks/{id}":        s.patchWebhook,
		"DELETE /v1/webhooks/{id}":       s.deleteWebhook,
		"POST /v1/webhooks/{id}/enable":  s.enableWebhook,
		"/v1/": func(w http.ResponseWriter, r *http.Request) {
			reject(w, &problem{Status: http.StatusNotFound, Message: "No such endpoint"})
		},
	} {
		mux.Handle(pattern, s.guard(handle))
	}
	return mux
}

// guard delays a request and turns away those without the right key.
func (s *Simulator) guard(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if wait := s.faults.latency(); wait > 0 {
			s.pauseFor(r, wait)
		}
		if r.Header.Get("Token") != s.cfg.Token {
			reject(w, &problem{Status: http.StatusUnauthorized, Message: "Unauthorized: missing or wrong API key"})
			return
		}
		next(w, r)
	})
}

// pauseFor waits, unless the client goes away, the server ends or the simulator
// is closed: then it breaks the connection off without an answer.
func (s *Simulator) pauseFor(r *http.Request, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	case <-s.done:
		panic(http.ErrAbortHandler)
	}
}

// hang never answers. The body must have been read, or net/http does not notice
// that the client goes away.
func (s *Simulator) hang(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-s.done:
	}
	panic(http.ErrAbortHandler) // returning would answer 200
}

// reset ends the connection with a TCP reset where the server lets it.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, isTCP := conn.(interface{ SetLinger(sec int) error }); isTCP {
		_ = tcp.SetLinger(0) // unsent data is thrown away and the peer gets RST instead of FIN
	}
	_ = conn.Close()
}

func respond(w http.ResponseWriter, status int, body any) {
	content, err := json.Marshal(body)
	if err != nil {
		status, content = http.StatusInternalServerError, []byte(`{"status":500,"message":"Internal error"}`)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(append(content, '\n'))
}

func reject(w http.ResponseWriter, p *problem) { respond(w, p.Status, p) }

func readBody(r *http.Request) ([]byte, *problem) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, &problem{Status: http.StatusBadRequest, Message: "The body could not be read"}
	}
	if len(body) > maxBody {
		return nil, &problem{Status: http.StatusRequestEntityTooLarge, Message: "The body is larger than 1 MiB"}
	}
	return body, nil
}

// decodeStrictly reads one JSON object and refuses keys that into does not have.
func decodeStrictly(body []byte, into any) *problem {
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		if _, err = decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.New("more than one JSON value")
	}
	var mistyped *json.UnmarshalTypeError
	if errors.As(err, &mistyped) {
		return invalid(mistyped.Field, "must not be a "+mistyped.Value)
	}
	if _, key, found := strings.Cut(err.Error(), "unknown field "); found {
		return invalid(strings.Trim(key, `"`), "unknown key, additional properties are not allowed")
	}
	return &problem{Status: http.StatusBadRequest, Message: "Bad request: the body must be one JSON object: " + err.Error()}
}
