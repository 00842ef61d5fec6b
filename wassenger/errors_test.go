package wassenger

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestEveryOutcomeHasItsClass(t *testing.T) {
	tests := []struct {
		name string
		outcome
		want Class
	}{
		{"bad request", outcome{Status: 400}, Rejected},
		{"bad phone", outcome{Status: 400, Code: "phone:invalid"}, Rejected},
		{"bad device", outcome{Status: 400, Code: "device:invalid"}, Halted},
		{"bad key", outcome{Status: 401}, Halted},
		{"no plan left", outcome{Status: 402}, Halted},
		{"key without the right", outcome{Status: 403}, Halted},
		{"not found", outcome{Status: 404}, Rejected},
		{"device not found", outcome{Status: 404, Code: "device:notfound"}, Halted},
		{"time-out told by a proxy", outcome{Status: 408}, Unknown},
		{"conflict", outcome{Status: 409}, Unknown},
		{"conflict about the device", outcome{Status: 409, Code: "device:busy"}, Unknown},
		{"too large", outcome{Status: 413}, Rejected},
		{"unprocessable", outcome{Status: 422}, Rejected},
		{"too many", outcome{Status: 429}, Retry},
		{"server error", outcome{Status: 500}, Unknown},
		{"bad gateway", outcome{Status: 502}, Unknown},
		{"unavailable", outcome{Status: 503}, Unknown},
		{"gateway time-out", outcome{Status: 504}, Unknown},
		{"proxy's own status", outcome{Status: 599}, Unknown},
		{"protocol switch", outcome{Status: 101}, Unknown},
		{"redirect", outcome{Status: 307}, Unknown},
		{"no connection", outcome{Sought: true}, Down},
		{"cancelled before a connection", outcome{Sought: true, Cancelled: true}, Retry},
		{"broken connection", outcome{Sought: true, Connected: true}, Unknown},
		{"cancelled after a connection", outcome{Sought: true, Connected: true, Cancelled: true}, Unknown},
		{"a transport that tells nothing", outcome{}, Unknown},
		{"a transport that tells nothing, cancelled", outcome{Cancelled: true}, Unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, classify(tt.outcome)) })
	}
}

func TestTheClassOfAForeignErrorIsUnknown(t *testing.T) {
	assert.Equal(t, Unknown, ClassOf(errors.New("anything")))
	assert.Equal(t, Unknown, ClassOf(context.Canceled))
	assert.Equal(t, Halted, ClassOf(fmt.Errorf("sending: %w", &Error{Class: Halted})))
	assert.Empty(t, ClassOf(nil))
}

func TestRetryAfterIsReadInBothForms(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"":                     0,
		"0":                    0,
		" 90 ":                 90 * time.Second,
		"-3":                   0,
		"1.5":                  0,
		"soon":                 0,
		"9223372036854775807":  maxRetryAfter,
		"18446744073709551616": 0,
		now.Add(2 * time.Minute).Format(http.TimeFormat):      2 * time.Minute,
		now.Add(-time.Minute).Format(http.TimeFormat):         0,
		now.Add(1000 * time.Hour).Format(http.TimeFormat):     maxRetryAfter,
		now.Add(30 * time.Second).Format(time.RFC850):         30 * time.Second,
		now.Add(30 * time.Second).Format(time.RFC3339):        0,
		now.Add(30*time.Second).Format(http.TimeFormat) + "x": 0,
	} {
		assert.Equal(t, want, retryAfter(header, now), header)
	}
}

func TestLongNumbersAreBlottedOutOfMessages(t *testing.T) {
	for message, want := range map[string]string{
		"phone +33 6 39 98-11.22 is invalid": "phone +… is invalid",
		"33639981122@c.us":                   "…@c.us",
		"error 12345 of 3 (of 4)":            "error 12345 of 3 (of 4)",
		"":                                   "",
	} {
		assert.Equal(t, want, redact(message, []string{"", "absent"}))
	}
	assert.Equal(t, "text '…' too long", redact("text 'Bonjour Ana' too long", []string{"Bonjour Ana"}))
}
