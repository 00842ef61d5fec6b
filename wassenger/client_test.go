package wassenger

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	secretToken = "tok-6b1f0f9c2d"
	device      = "64a1b2c3d4e5f60718293a4b"
)

var outgoing = Outgoing{Phone: contact, Text: "Bonjour Ana <3", Reference: reference}

func newClient(t *testing.T, baseURL string, change ...func(*Options)) *Client {
	t.Helper()
	o := Options{BaseURL: baseURL, Token: secretToken, DeviceID: device}
	for _, c := range change {
		c(&o)
	}
	client, err := New(o)
	require.NoError(t, err)
	t.Cleanup(client.http.CloseIdleConnections)
	return client
}

// serve starts a provider that answers every request in one way.
func serve(t *testing.T, status int, body string, headers ...string) *httptest.Server {
	t.Helper()
	return serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func serveFunc(t *testing.T, handle http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return server
}

// refused asserts that the error is of this package and of the class.
func refused(t *testing.T, err error, want Class) *Error {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, want, e.Class, "%v", err)
	assertTellsNothing(t, err)
	return e
}

func assertTellsNothing(t *testing.T, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		for _, secret := range []string{secretToken, contact[1:], "39 98 11 22", "Bonjour"} {
			assert.NotContains(t, err.Error(), secret)
		}
	}
}

const recorded = `{"id":"60d6aaaabbbbccccddddeeee","waId":"3EB0AABBCCDDEEFF0011","phone":"+33639981122","wid":"33639981122@c.us",
	"status":"queued","deliveryStatus":"queued","createdAt":"2026-01-02T03:04:05.250Z","message":"Bonjour Ana","retry":{"count":0}}`

func TestSendPostsDocumentedFieldsOnly(t *testing.T) {
	var request *http.Request
	var body string
	server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		request, body = r, string(raw)
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, recorded)
	})
	client := newClient(t, server.URL+"/v1/")

	got, err := client.Send(t.Context(), outgoing)
	require.NoError(t, err)
	assert.Equal(t, Accepted{
		ProviderID: ourID, WAID: ourWAID, Phone: contact,
		CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 250e6, time.UTC),
	}, got)
	assert.Equal(t, "POST /v1/messages", request.Method+" "+request.URL.String())
	assert.Equal(t, secretToken, request.Header.Get("Token"))
	assert.Equal(t, "application/json", request.Header.Get("Content-Type"))
	assert.Equal(t, int64(len(body)), request.ContentLength)
	assert.JSONEq(t, `{"phone":"+33639981122","message":"Bonjour Ana <3","device":"64a1b2c3d4e5f60718293a4b",
		"reference":"0198c2a0-0000-7000-8000-000000000001","priority":"normal"}`, body)

	urgent := outgoing
	urgent.Urgent, urgent.Text, urgent.MediaURL = true, "", "https://example.com/a.jpg"
	_, err = client.Send(t.Context(), urgent)
	require.NoError(t, err)
	assert.JSONEq(t, `{"phone":"+33639981122","device":"64a1b2c3d4e5f60718293a4b","reference":"0198c2a0-0000-7000-8000-000000000001",
		"priority":"high","media":{"url":"https://example.com/a.jpg"}}`, body)
}

func TestAMessageWithoutPhoneOrReferenceIsNotSent(t *testing.T) {
	client := newClient(t, "http://provider.invalid")
	_, err := client.Send(t.Context(), Outgoing{Phone: contact, Text: "Bonjour"})
	refused(t, err, Rejected)
	_, err = client.Send(t.Context(), Outgoing{Reference: reference, Text: "Bonjour"})
	refused(t, err, Rejected)
	_, _, err = client.FindByReference(t.Context(), "")
	refused(t, err, Rejected)
}

func TestASuccessThatCannotBeReadIsUnknown(t *testing.T) {
	for name, body := range map[string]string{
		"empty":       "",
		"HTML":        "<html>OK</html>",
		"cut off":     recorded[:40],
		"no id":       `{"waId":"3EB0AABBCCDDEEFF0011"}`,
		"array":       "[" + recorded + "]",
		"string":      `"ok"`,
		"beyond 1MiB": `{"id":"x","message":"` + strings.Repeat("Bonjour", maxAnswer/7+1) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newClient(t, serve(t, 200, body).URL).Send(t.Context(), outgoing)
			assert.Equal(t, 200, refused(t, err, Unknown).Status)
		})
	}
	t.Run("body shorter than announced", func(t *testing.T) {
		_, err := newClient(t, serve(t, 200, recorded, "Content-Length", "5000").URL).Send(t.Context(), outgoing)
		assert.ErrorIs(t, refused(t, err, Unknown), io.ErrUnexpectedEOF)
	})
}

func TestARefusalTellsItsReasonAndNothingPrivate(t *testing.T) {
	tests := []struct {
		name    string
		status  int
		body    string
		class   Class
		code    string
		message string
		number  bool
	}{
		{"bad number", 400, `{"status":400,"message":"Phone +33 6 39 98 11 22 is invalid","errorCode":"phone:invalid"}`, Rejected, "phone:invalid", "Phone +… is invalid", true},
		{"not on WhatsApp", 404, `{"exists":false,"phone":"+33639981122"}`, Rejected, "", "", true},
		{"not found", 404, `{"message":"Not found"}`, Rejected, "", "Not found", false},
		{"exists", 404, `{"exists":true}`, Rejected, "", "", false},
		{"other spelling", 422, `{"error":"text 'Bonjour Ana <3' refused","code":"message:long"}`, Rejected, "message:long", "text '…' refused", false},
		{"device", 404, `{"message":"Device not found","errorCode":"device:notfound"}`, Halted, "device:notfound", "Device not found", false},
		{"key echoed", 401, `{"message":"Bad key tok-6b1f0f9c2d"}`, Halted, "", "Bad key …", false},
		{"code that is a number", 400, `{"errorCode":"33639981122"}`, Rejected, "", "", false},
		{"code that is a text", 400, `{"errorCode":"Bonjour Ana"}`, Rejected, "", "", false},
		{"HTML", 502, `<html><body>Bad gateway for +33639981122</body></html>`, Unknown, "", "", false},
		{"nothing", 500, ``, Unknown, "", "", false},
		{"array", 400, `["Bonjour"]`, Rejected, "", "", false},
		{"endless", 400, strings.Repeat("Bonjour", maxAnswer/7+1), Rejected, "", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newClient(t, serve(t, tt.status, tt.body).URL).Send(t.Context(), outgoing)
			e := refused(t, err, tt.class)
			assert.Equal(t, tt.status, e.Status)
			assert.Equal(t, tt.code, e.Code)
			assert.Equal(t, tt.message, e.Message)
			assert.Equal(t, tt.number, e.InvalidNumber)
		})
	}
}

func TestAfterTooManyRequestsTheProviderSaysHowLongToWait(t *testing.T) {
	send := func(headers ...string) time.Duration {
		_, err := newClient(t, serve(t, 429, "", headers...).URL).Send(t.Context(), outgoing)
		return refused(t, err, Retry).RetryAfter
	}
	assert.Equal(t, 7*time.Second, send("Retry-After", "7"))
	assert.Equal(t, time.Minute, send())
	assert.Equal(t, time.Minute, send("Retry-After", "soon"))
}

func TestARedirectIsNeverFollowed(t *testing.T) {
	var followed atomic.Int32
	other := serveFunc(t, func(http.ResponseWriter, *http.Request) { followed.Add(1) })
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := serve(t, status, "", "Location", other.URL)
		own := func(o *Options) { o.HTTPClient = &http.Client{Transport: newTransport()} }
		for _, client := range []*Client{newClient(t, server.URL), newClient(t, server.URL, own)} {
			_, err := client.Send(t.Context(), outgoing)
			assert.Equal(t, status, refused(t, err, Unknown).Status)
			_, _, err = client.FindByReference(t.Context(), reference)
			refused(t, err, Unknown)
		}
	}
	assert.Zero(t, followed.Load())
}

func TestALookUpFindsTheOldestMessageWithExactlyThisReference(t *testing.T) {
	var query string
	answer := ""
	server := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		query = r.Method + " " + r.URL.String()
		_, _ = io.WriteString(w, answer)
	})
	client := newClient(t, server.URL)
	at := func(second int) time.Time { return time.Date(2026, 1, 2, 3, 4, second, 0, time.UTC) }

	answer = `[{"id":"3","reference":"` + reference + `"},
		{"id":"2","reference":"` + reference + `","createdAt":"2026-01-02T03:04:07Z"},
		{"id":"0","reference":"` + reference + `0","createdAt":"2026-01-02T03:04:01Z"},
		{"id":"1","reference":"` + reference + `","createdAt":"2026-01-02T03:04:05Z","wid":"33639981122@c.us",
		 "status":"queued","deliveryStatus":"failed","failureReason":"no such number"}]`
	got, found, err := client.FindByReference(t.Context(), reference)
	require.NoError(t, err)
	assert.True(t, found)
	assert.Equal(t, Accepted{ProviderID: "1", Phone: contact, CreatedAt: at(5), Failed: true, FailureReason: "no such number"}, got)
	assert.Equal(t, "GET /messages?reference="+reference, query)

	answer = `[]`
	got, found, err = client.FindByReference(t.Context(), reference)
	require.NoError(t, err)
	assert.False(t, found)
	assert.Equal(t, Accepted{}, got)
}

func TestALookUpThatProvesNothingIsAnError(t *testing.T) {
	for name, body := range map[string]string{
		"other messages": `[{"id":"1","reference":"another"},{"id":"2"}]`,
		"not a list":     `{"id":"1","reference":"` + reference + `"}`,
		"null":           `null`,
		"empty":          ``,
		"HTML":           `<html>`,
	} {
		t.Run(name, func(t *testing.T) {
			_, found, err := newClient(t, serve(t, 200, body).URL).FindByReference(t.Context(), reference)
			assert.False(t, found)
			refused(t, err, Unknown)
		})
	}
	_, found, err := newClient(t, serve(t, 404, `{}`).URL).FindByReference(t.Context(), reference)
	assert.False(t, found)
	refused(t, err, Rejected)
}

func TestADeviceIsOperativeWhenItIsHealthyAndOnline(t *testing.T) {
	for body, want := range map[string]DeviceState{
		`{"id":"x","status":"operative","session":{"status":"online"}}`:  {"operative", "online", true},
		`{"status":"ready","session":{"status":"online"}}`:               {"ready", "online", true},
		`{"status":"operative","session":{"status":"timeout"}}`:          {"operative", "timeout", false},
		`{"status":"disabled","session":{"status":"online"},"phone":{}}`: {"disabled", "online", false},
		`{"status":"operative"}`:                                         {"operative", "", false},
		`{"status":"operative","session":"online"}`:                      {"operative", "", false},
	} {
		got, err := newClient(t, serve(t, 200, body).URL).Device(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want, got, body)
	}
	_, err := newClient(t, serve(t, 200, `{}`).URL).Device(t.Context())
	refused(t, err, Unknown)
	_, err = newClient(t, serve(t, 401, `{}`).URL).Device(t.Context())
	refused(t, err, Halted)
}

func TestOptionsThatMakeNoSenseAreRefusedWithoutTellingThem(t *testing.T) {
	good := Options{BaseURL: "https://api.wassenger.com/v1", Token: secretToken, DeviceID: device}
	_, err := New(good)
	require.NoError(t, err)
	for name, change := range map[string]func(*Options){
		"BaseURL missing":          func(o *Options) { o.BaseURL = "" },
		"BaseURL relative":         func(o *Options) { o.BaseURL = "api.wassenger.com/v1" },
		"BaseURL of another kind":  func(o *Options) { o.BaseURL = "ftp://" + secretToken },
		"BaseURL unreadable":       func(o *Options) { o.BaseURL = "https://" + secretToken + "\x7f" },
		"BaseURL with password":    func(o *Options) { o.BaseURL = "https://a:" + secretToken + "@host" },
		"BaseURL with query":       func(o *Options) { o.BaseURL = "https://host?token=" + secretToken },
		"Token missing":            func(o *Options) { o.Token = "" },
		"Token with a line break":  func(o *Options) { o.Token = secretToken + "\n" },
		"DeviceID missing":         func(o *Options) { o.DeviceID = "" },
		"Timeout negative":         func(o *Options) { o.Timeout = -1 },
		"DeviceID with odd letter": func(o *Options) { o.DeviceID = "é" },
	} {
		o := good
		change(&o)
		_, err := New(o)
		require.Error(t, err, name)
		option, _, _ := strings.Cut(name, " ")
		assert.Contains(t, err.Error(), option)
		assertTellsNothing(t, err)
	}
}

func TestAnErrorReadsWell(t *testing.T) {
	body, err := json.Marshal(map[string]string{"errorCode": "phone:invalid", "message": "no"})
	require.NoError(t, err)
	_, err = newClient(t, serve(t, 400, string(body)).URL).Send(t.Context(), outgoing)
	assert.EqualError(t, err, "wassenger: send: rejected: HTTP 400 phone:invalid")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = newClient(t, "http://provider.invalid").Send(ctx, outgoing)
	assert.EqualError(t, err, "wassenger: send: retry: context canceled")
}

// Relance hands a medium's address on and never fetches it, so that nobody makes
// it ask addresses that only it can reach.
func TestAMediumIsNeverFetched(t *testing.T) {
	var fetched atomic.Int32
	other := serveFunc(t, func(http.ResponseWriter, *http.Request) { fetched.Add(1) })
	var sent newMessage
	provider := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&sent))
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":"1"}`)
	})
	withMedium := outgoing
	withMedium.MediaURL = other.URL + "/picture.jpg"
	_, err := newClient(t, provider.URL).Send(t.Context(), withMedium)
	require.NoError(t, err)
	require.Equal(t, withMedium.MediaURL, sent.Media.URL)
	require.Zero(t, fetched.Load())
}
