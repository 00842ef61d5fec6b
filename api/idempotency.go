package api

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"github.com/relance/relance/store"
)

const (
	keyHeader  = "Idempotency-Key"
	longestKey = 255
)

const keyMetadata = "idempotency"

// takesKey makes a route honour Idempotency-Key, as
// draft-ietf-httpapi-idempotency-key-header has it:
//
//   - without a key nothing changes;
//   - the same user, key and request within 24 hours get the first answer again,
//     byte by byte; nothing is done a second time;
//   - another request with the key is a 422, one whose first is under way a 409;
//   - answers of 500 and more, and those that ask to come again (408, 429), are
//     not stored: the next request with the key runs.
//
// What runs again after an answer of 500 and more, or takes over from a process
// that died with the key (after [store.IdempotencyHold]), may meet what the first
// run has done. A campaign gets the id that the first run gave it, so there is
// one; contacts, categories and users are unique, so the answer is a 409; a start
// or a retry finds the campaign's state changed. Only a test message can leave
// twice.
//
// Imports take no key: their bodies are streamed and cannot be compared, and a
// repeated import changes nothing that the first did not.
func takesKey(op *huma.Operation) {
	op.Metadata[keyMetadata] = "answer"
	longest := longestKey
	op.Parameters = append(op.Parameters, &huma.Param{
		Name: keyHeader, In: "header", Example: `"8e03978e-40d5-43dd-bc93-6894a57f9324"`,
		Schema: &huma.Schema{Type: huma.TypeString, MaxLength: &longest},
		Description: "Makes it safe to send the request again: within 24 hours the same key and request get the first answer, " +
			"and nothing is done twice. Make a new one, such as a UUID, for each new request.",
	})
}

// takesKeyForSecret is takesKey where the answer holds a secret, which is not
// stored: the request sent again is a 409 that names what the first one made.
func takesKeyForSecret(op *huma.Operation) {
	takesKey(op)
	op.Metadata[keyMetadata] = "secret"
}

// honourKey runs a request with an Idempotency-Key once. It comes after
// authentication: keys belong to users.
func (a *API) honourKey(ctx huma.Context, next func(huma.Context)) {
	c := humagin.Unwrap(ctx)
	keys := c.Request.Header.Values(keyHeader)
	if ctx.Operation().Metadata[keyMetadata] == nil || len(keys) == 0 {
		next(ctx)
		return
	}
	key, err := parseKey(keys)
	if err != nil {
		a.refuse(ctx, err)
		return
	}
	body, whole := readAhead(ctx)
	if !whole {
		next(ctx) // which reads as far, and says what is wrong
		return
	}
	deciding, cancel := context.WithTimeout(ctx.Context(), requestTimeout)
	defer cancel()
	hash := sha256.Sum256([]byte(key))
	claim, answered, err := a.store.ClaimKey(deciding, callerID(ctx.Context()), hash[:], fingerprint(key, c.Request, body))
	switch {
	case err != nil:
		a.refuse(ctx, keyProblem(err))
	case answered != nil && answered.ContentType == "" && answered.Status == http.StatusNotFound:
		a.refuse(ctx, problem(http.StatusNotFound, "What this request made was about a person whose data have been erased since."))
	case answered != nil:
		replay(c, *answered)
	default:
		a.runOnce(ctx, claim, next)
	}
}

// parseKey reads a key as the string of a structured field, which the draft asks
// for, or bare, which many clients send.
func parseKey(values []string) (string, error) {
	key := strings.TrimSpace(values[0])
	if quoted := strings.HasPrefix(key, `"`); quoted && len(key) > 1 && strings.HasSuffix(key, `"`) {
		key = key[1 : len(key)-1]
	}
	plain := func(r rune) bool { return r > ' ' && r <= '~' && r != '"' && r != '\\' }
	if len(values) != 1 || key == "" || len(key) > longestKey || strings.ContainsFunc(key, func(r rune) bool { return !plain(r) }) {
		return "", invalid("header."+keyHeader, "must be one string of 1 to %d letters, digits and signs, without spaces, such as a UUID", longestKey)
	}
	return key, nil
}

// readAhead reads a body and leaves it to be read again. It is not whole when it
// is too large or cannot be read, which is the next reader's to say.
func readAhead(ctx huma.Context) (body []byte, whole bool) {
	request, op := humagin.Unwrap(ctx).Request, ctx.Operation()
	_ = ctx.SetReadDeadline(time.Now().Add(op.BodyReadTimeout)) // not every connection has one
	rest := request.Body
	body, err := io.ReadAll(io.LimitReader(rest, op.MaxBodyBytes))
	again := io.Reader(bytes.NewReader(body))
	whole = err == nil && int64(len(body)) < op.MaxBodyBytes
	if !whole {
		again = io.MultiReader(again, failing{err}, rest)
	}
	request.Body = struct {
		io.Reader
		io.Closer
	}{again, rest}
	return body, whole
}

// failing is a reader that ends with an error, if there is one.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

// fingerprint tells requests apart. The key, of which the database has a hash
// only, is mixed in: bodies may hold passwords, which a plain hash of the rest
// would let one guess.
func fingerprint(key string, request *http.Request, body []byte) []byte {
	sum := sha256.Sum256(body)
	mac := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(mac, "%s\n%s\n%s\n%x", request.Method, request.URL.Path, request.URL.RawQuery, sum)
	return mac.Sum(nil)
}

func keyProblem(err error) error {
	switch {
	case errors.Is(err, store.ErrKeyReused):
		p := special(keyReused, "This Idempotency-Key was used for another request.")
		p.Errors = []*huma.ErrorDetail{{Location: "header." + keyHeader, Message: "must be new for a new request"}}
		return p
	case errors.Is(err, store.ErrKeyInFlight):
		return retryAfter(time.Second, special(keyInFlight, "A request with this Idempotency-Key has not been answered yet."))
	}
	return err
}

// replay answers as before.
func replay(c *gin.Context, answer store.StoredAnswer) {
	if answer.Location != "" {
		c.Header("Location", answer.Location)
	}
	c.Data(answer.Status, answer.ContentType, answer.Body)
}

// runOnce runs a request and stores its answer before the caller gets it.
func (a *API) runOnce(ctx huma.Context, claim *store.KeyClaim, next func(huma.Context)) {
	c := humagin.Unwrap(ctx)
	held := &heldAnswer{ResponseWriter: c.Writer}
	c.Writer = held
	defer func() { // after a panic too
		c.Writer = held.ResponseWriter
		a.settleKey(ctx, claim, held)
		if held.complete && held.body.Len() > 0 {
			_, _ = c.Writer.Write(held.body.Bytes()) // a caller who is gone comes again
		}
	}()
	next(huma.WithContext(ctx, store.WithMadeID(ctx.Context(), claim.MadeID)))
	held.complete = true
}

// settleKey stores an answer, or lets the next request with the key run. When
// that fails the key is held until it is taken over.
func (a *API) settleKey(ctx huma.Context, claim *store.KeyClaim, held *heldAnswer) {
	settling, cancel := context.WithTimeout(context.WithoutCancel(ctx.Context()), settleTimeout)
	defer cancel()
	var err error
	if held.complete && final(held.Status()) {
		answer := store.StoredAnswer{
			Status: held.Status(), ContentType: held.Header().Get("Content-Type"), Location: held.Header().Get("Location"), Body: held.body.Bytes(),
		}
		if ctx.Operation().Metadata[keyMetadata] == "secret" && answer.Status < http.StatusBadRequest {
			answer = withoutSecret(answer)
		}
		err = a.store.AnswerKey(settling, claim, answer)
	} else {
		err = a.store.ReleaseKey(settling, claim)
	}
	if err != nil {
		a.logger.ErrorContext(settling, "An idempotency key could not be settled.", "request_id", requestID(settling), "error", err)
	}
}

// settleTimeout is how long what follows an answer may take, whatever became of the request.
const settleTimeout = 5 * time.Second

// final tells whether an answer stays true when the request is sent again.
func final(status int) bool {
	return status < http.StatusInternalServerError &&
		status != http.StatusRequestTimeout && status != http.StatusTooManyRequests && status != statusClientClosed
}

// withoutSecret is what a request is answered that was sent again although its
// answer was shown once.
func withoutSecret(answer store.StoredAnswer) store.StoredAnswer {
	var made struct{ ID string }
	_ = json.Unmarshal(answer.Body, &made) // it is our own
	p := problem(http.StatusConflict, "This Idempotency-Key has made "+made.ID+
		", whose secret was shown once and is not stored. If it got lost, revoke that and make another with a new key.")
	body, _ := json.Marshal(p) // of plain fields
	return store.StoredAnswer{Status: p.Status, ContentType: problemJSON, Body: body}
}

// heldAnswer keeps an answer's body back until it has been stored.
type heldAnswer struct {
	gin.ResponseWriter
	body     bytes.Buffer
	complete bool
}

func (h *heldAnswer) Write(data []byte) (int, error)       { return h.body.Write(data) }
func (h *heldAnswer) WriteString(text string) (int, error) { return h.body.WriteString(text) }

// Unwrap lets http.ResponseController reach the connection.
func (h *heldAnswer) Unwrap() http.ResponseWriter { return h.ResponseWriter }
