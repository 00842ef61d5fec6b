package main

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/wassenger"
)

func TestStatusIsGoodOnlyIfOneWebhookBringsRelanceEverything(t *testing.T) {
	const (
		events   = `"events":["message:in:new","message:reaction","message:out:sent","message:out:ack","message:out:failed","chat:update"]`
		register = "run `relance webhook register --url " + hookAddress + "`"
	)
	hook := func(address, rest string) string { return `[{"id":"1","url":"` + address + `",` + rest + `}]` }
	own := `"device":"` + thisNumber + `",` + events + `,`
	for _, c := range []struct{ name, listed, want string }{
		{"of this number", hook(hookAddress+"?token="+escapedToken, own+`"status":"active"`), ""},
		{"of the account", hook(hookAddress+"?token="+escapedToken, events+`,"status":"active"`), ""},
		{"elsewhere, by its token", hook("https://h.org/x?token="+escapedToken, own+`"status":"active"`), ""},
		{"token in a header", hook(hookAddress, own+`"status":"active"`), ""},
		{"no webhook", `[]`, "no webhook of this number leads to Relance: run `relance webhook register --url https://<its public host>`"},
		{"of another number", hook(hookAddress+"?token="+escapedToken, events+`,"device":"`+otherNumber+`","status":"active"`), "no webhook of this number"},
		{"somebody else's", hook("https://crm.example.com/s3cret", own+`"status":"active"`), "no webhook of this number"},
		{"wrong token", hook(hookAddress+"?token=old", own+`"status":"active"`), "a token that is not WEBHOOK_TOKEN, so Relance refuses what it brings: " + register},
		{"event missing", hook(hookAddress, `"events":["message:in:new","message:out:sent","message:out:failed"],"status":"active"`), "does not tell of message:reaction, message:out:ack: " + register},
		{"disabled", hook(hookAddress, own+`"status":"disabled"`), "relance webhook status --enable"},
		{"pending", hook(hookAddress, own+`"status":"pending"`), "look again in a minute"},
		{"not told", hook(hookAddress, own+`"name":"n"`), "does not say that webhook 1 is active"},
	} {
		t.Run(c.name, func(t *testing.T) {
			atProvider(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, c.listed) }))
			out, err := relance(t, "webhook", "status")
			assert.NotContains(t, out, "s3cret")
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestStatusShowsWhatConcernsTheNumber(t *testing.T) {
	a := newAccount(t)
	crm := a.has(wassenger.Webhook{Name: "CRM", URL: "https://crm.example.com/s3cret", Events: []string{"message:in:new"}})
	own := a.has(wassenger.Webhook{Name: "own", URL: hookAddress + "?token=" + escapedToken, Events: []string{"message:in:new", "message:reaction", "message:out:sent", "message:out:ack"}, DeviceID: thisNumber})
	a.disable(own.ID)
	out, err := relance(t, "webhook", "status")
	require.Error(t, err)
	assert.Equal(t, `WEBHOOK                   STATUS    FOR          URL                                                     LACKS
`+crm.ID+`  active    all numbers  https://crm.example.com/…                               not Relance's
`+own.ID+`  disabled  this number  https://relance.example.com/webhooks/wassenger?token=…  message:out:failed
`, out)
}

func TestStatusEnablesWhatIsOursAndWouldBeTakenIn(t *testing.T) {
	a := newAccount(t)
	var own wassenger.Webhook
	for _, w := range []wassenger.Webhook{
		{Name: "CRM", URL: "https://crm.example.com/hook"}, {Name: "old", URL: hookAddress + "?token=old"}, {Name: "own", URL: hookAddress + "?token=" + escapedToken},
	} {
		w.Events = wassenger.SubscribedEvents
		own = a.has(w)
		a.disable(own.ID)
	}
	out, err := relance(t, "webhook", "status", "--enable")
	require.NoError(t, err)
	assert.Contains(t, out, "Enabled webhook "+own.ID+".\n")
	for _, w := range a.webhooks() {
		assert.Equal(t, w.ID == own.ID, w.Status == wassenger.WebhookActive, w.Name)
	}
}
