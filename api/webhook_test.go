package api_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/relance/relance/api"
)

const (
	event         = `{"event":"message:in:new","data":{"fromNumber":"+33639980001","body":"  Oui "}}`
	webhookSecret = "a-webhook-secret"
)

var byToken = header{"X-Webhook-Token", webhookToken}

func sign(body, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

func TestWebhooksNeedTheTokenAndWithASecretTheSignature(t *testing.T) {
	plain := serve(t)
	signing := serve(t, func(o *api.Options) { o.WebhookHMACSecret = webhookSecret })
	rotating := serve(t, func(o *api.Options) { o.WebhookTokens = []string{"the-next-token", webhookToken} })
	renamed := serve(t, func(o *api.Options) { o.WebhookHMACSecret, o.WebhookHMACHeader = webhookSecret, "X-Signature" })
	right := sign(event, webhookSecret)
	signature := func(value string) header { return header{"X-Wassenger-Signature", value} }
	atEnd := "?token=" + url.QueryEscape(webhookToken)

	for name, c := range map[string]struct {
		server  *server
		query   string
		headers []header
		status  int
	}{
		"no token":                           {plain, "", nil, 401},
		"wrong header":                       {plain, "", []header{{"X-Webhook-Token", "wrong"}}, 401},
		"part of the token":                  {plain, "", []header{{"X-Webhook-Token", webhookToken[:5]}}, 401},
		"wrong query":                        {plain, "?token=wrong", nil, 401},
		"an admin's token":                   {plain, "", []header{{"Authorization", "Bearer " + adminToken}}, 401},
		"token in header":                    {plain, "", []header{byToken}, 200},
		"token in query":                     {plain, atEnd, nil, 200},
		"both right":                         {plain, atEnd, []header{byToken}, 200},
		"the next token":                     {rotating, "?token=the-next-token", nil, 200},
		"the last token":                     {rotating, atEnd, nil, 200},
		"the next and the last":              {rotating, "?token=the-next-token", []header{byToken}, 200},
		"neither":                            {rotating, "?token=the-next-token," + webhookToken, nil, 401},
		"right query, wrong header":          {plain, atEnd, []header{{"X-Webhook-Token", "wrong"}}, 401},
		"signature without a secret":         {plain, "", []header{byToken, signature("nonsense")}, 200},
		"unsigned":                           {signing, "", []header{byToken}, 401},
		"signed":                             {signing, "", []header{byToken, signature(right)}, 200},
		"signed with prefix":                 {signing, "", []header{byToken, signature("sha256=" + right)}, 200},
		"signed in capitals":                 {signing, "", []header{byToken, signature("SHA256=" + strings.ToUpper(right))}, 200},
		"signed by another":                  {signing, "", []header{byToken, signature(sign(event, "another"))}, 401},
		"signed another body":                {signing, "", []header{byToken, signature(sign(event+" ", webhookSecret))}, 401},
		"half a signature":                   {signing, "", []header{byToken, signature(right[:32])}, 401},
		"no hex":                             {signing, "", []header{byToken, signature("sha256=xyz")}, 401},
		"signed without token":               {signing, "", []header{signature(right)}, 401},
		"signed in a configured header":      {renamed, "", []header{byToken, {"X-Signature", right}}, 200},
		"signed in the header not looked at": {renamed, "", []header{byToken, signature(right)}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			c.server.t = t
			before := len(c.server.webhooks.received)
			a := c.server.call("POST", "/webhooks/wassenger"+c.query, event, append([]header{nobody}, c.headers...)...)
			if c.status != 200 {
				a.problem(c.status)
				assert.Len(t, c.server.webhooks.received, before, "nothing is taken in")
				return
			}
			assert.Equal(t, "ok", read[struct{ Status string }](a, 200).Status)
			assert.Equal(t, event, c.server.webhooks.received[before], "byte by byte")
		})
	}
}

func TestWebhooksAreAnsweredWithWhatBecameOfThem(t *testing.T) {
	s := serve(t)
	for _, status := range []string{"ok", "duplicate", "error_logged", "parked"} {
		s.webhooks.status = status
		assert.Equal(t, status, read[struct{ Status string }](s.call("POST", "/webhooks/wassenger", event, byToken), 200).Status)
	}
	s.webhooks.status = "error_logged"
	assert.Equal(t, 200, s.call("POST", "/webhooks/wassenger", "{ no JSON", byToken).status, "what it means is not decided here")
	s.webhooks.err = errors.New("dial tcp 10.0.0.7: connection refused")
	p := s.call("POST", "/webhooks/wassenger", event, byToken).problem(503)
	assert.NotContains(t, p.Detail, "10.0.0.7")
}

func TestWebhooksAreBoundedJSON(t *testing.T) {
	s := serve(t)
	whole := `"` + strings.Repeat("x", 1<<20-2) + `"`
	assert.Equal(t, 200, s.call("POST", "/webhooks/wassenger", whole, byToken).status)
	s.call("POST", "/webhooks/wassenger", whole+" ", byToken).problem(413)
	for _, contentType := range []string{"", "text/plain", "application/x-www-form-urlencoded", "nonsense;;"} {
		s.call("POST", "/webhooks/wassenger", event, byToken, header{"Content-Type", contentType}).problem(415)
	}
	assert.Equal(t, 200, s.call("POST", "/webhooks/wassenger", event, byToken, header{"Content-Type", "application/json; charset=utf-8"}).status)
}

type panicking struct{}

func (panicking) Receive(context.Context, []byte) (string, error) { panic("a secret inside") }

func TestAPanicIsAPlainProblem(t *testing.T) {
	s := serve(t, func(o *api.Options) { o.Webhooks = panicking{} })
	p := s.call("POST", "/webhooks/wassenger", event, byToken, header{"X-Request-ID", "from-the-proxy"}).problem(500)
	assert.NotContains(t, p.Detail, "secret")
	assert.Contains(t, p.Detail, "from-the-proxy")
	assert.Contains(t, s.log.String(), "a secret inside")
	assert.Equal(t, 200, s.call("GET", "/healthz", nil).status)
}
