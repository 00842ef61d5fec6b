package main

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/wassenger"
)

func TestRegisteringMakesOneWebhookHoweverOften(t *testing.T) {
	a := newAccount(t)
	out, err := relance(t, "webhook", "register", "--url", "https://relance.example.com")
	require.NoError(t, err)
	assert.Contains(t, out, "Registered "+hookAddress+"?token=… as webhook ")
	assert.Contains(t, out, "Set WEBHOOK_HMAC_SECRET to "+signingSecret)
	assert.Contains(t, out, "It is active")
	listed := a.webhooks()
	require.Len(t, listed, 1)
	want := wassenger.Webhook{
		ID: listed[0].ID, Name: "Relance", URL: hookAddress + "?token=" + escapedToken,
		Events: wassenger.SubscribedEvents, DeviceID: thisNumber, Status: wassenger.WebhookActive,
	}
	assert.Equal(t, want, listed[0])

	for _, address := range []string{"https://relance.example.com/", "https://RELANCE.example.com:443" + webhookPath, hookAddress + "?token=other"} {
		out, err = relance(t, "webhook", "register", "--url", address)
		require.NoError(t, err)
		assert.Contains(t, out, "Webhook "+want.ID+" existed")
		assert.NotContains(t, out, "WEBHOOK_HMAC_SECRET")
		listed = a.webhooks()
		require.Len(t, listed, 1)
		assert.Equal(t, want.ID, listed[0].ID)
	}
}

// While a token is changed both are taken in, and so no webhook is refused.
func TestOfTwoTokensTheFirstIsRegisteredAndBothAreGood(t *testing.T) {
	a := newAccount(t)
	_, err := relance(t, "webhook", "register", "--url", hookAddress)
	require.NoError(t, err)
	t.Setenv("WEBHOOK_TOKEN", "the-next-token-of-all, "+webhookToken)
	_, err = relance(t, "webhook", "status")
	require.NoError(t, err, "nothing is wrong with the old one yet")
	_, err = relance(t, "webhook", "register", "--url", hookAddress)
	require.NoError(t, err)
	listed := a.webhooks()
	require.Len(t, listed, 1)
	assert.Equal(t, hookAddress+"?token=the-next-token-of-all", listed[0].URL)
	_, err = relance(t, "webhook", "status")
	require.NoError(t, err)
}

func TestRegisteringMendsTheWebhookThatLeadsThere(t *testing.T) {
	a := newAccount(t)
	other := a.has(wassenger.Webhook{Name: "CRM", URL: "https://crm.example.com/hook", Events: []string{"message:in:new"}})
	old := a.has(wassenger.Webhook{Name: "by hand", URL: hookAddress + "?token=old&tenant=7", Events: []string{"message:in:new", "chat:update"}})
	a.disable(old.ID)
	out, err := relance(t, "webhook", "register", "--url", hookAddress+"?tenant=7")
	require.NoError(t, err)
	assert.Contains(t, out, "It was disabled and is enabled again.")
	listed := a.webhooks()
	require.Len(t, listed, 2)
	other.Secret = ""
	assert.Equal(t, other, listed[0])
	assert.Equal(t, wassenger.Webhook{
		ID: old.ID, Name: "Relance", URL: hookAddress + "?tenant=7&token=" + escapedToken,
		Events: wassenger.SubscribedEvents, DeviceID: thisNumber, Status: wassenger.WebhookActive,
	}, listed[1])
}

func TestOfSeveralWebhooksThatLeadThereTheNumbersOwnIsMended(t *testing.T) {
	a := newAccount(t)
	a.has(wassenger.Webhook{Name: "all", URL: hookAddress + "?token=1", Events: wassenger.SubscribedEvents})
	own := a.has(wassenger.Webhook{Name: "own", URL: hookAddress + "?token=2", Events: wassenger.SubscribedEvents, DeviceID: thisNumber})
	out, err := relance(t, "webhook", "register", "--url", hookAddress)
	require.NoError(t, err)
	assert.Contains(t, out, "2 webhooks lead to this URL")
	assert.Contains(t, out, "Webhook "+own.ID+" existed")
	assert.Equal(t, hookAddress+"?token=1", a.webhooks()[0].URL)
}

func TestAWebhookOfAnotherNumberIsTakenOverAndSaidSo(t *testing.T) {
	listed := `[{"id":"1","url":"` + hookAddress + `?token=old","device":"` + otherNumber + `","status":"active"}]`
	atProvider(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			listed = fmt.Sprintf(`[{"id":"1","url":"%s?token=%s","device":"%s","status":"pending",
				"events":["message:in:new","message:reaction","message:out:sent","message:out:ack","message:out:failed"]}]`, hookAddress, escapedToken, thisNumber)
		}
		_, _ = io.WriteString(w, listed)
	}))
	out, err := relance(t, "webhook", "register", "--url", hookAddress)
	assert.Contains(t, out, "It was for the number "+otherNumber+" before.")
	require.EqualError(t, err, "the provider has not activated webhook 1 yet: look again in a minute")
}

func TestWhatTheProviderDidNotTellIsSaid(t *testing.T) {
	answers := func(listed, created string, status int) {
		atProvider(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				_, _ = io.WriteString(w, listed)
				return
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, created)
		}))
	}
	answers(`[]`, `{}`, 409)
	_, err := relance(t, "webhook", "register", "--url", hookAddress)
	require.ErrorContains(t, err, "but does not list it: remove it in the provider's console")

	answers(`[]`, `<html>`, 502)
	_, err = relance(t, "webhook", "register", "--url", hookAddress)
	require.ErrorContains(t, err, "may have succeeded; register again to find out")

	answers(`[]`, `{"id":"1"}`, 201)
	t.Setenv("WEBHOOK_HMAC_SECRET", "shared")
	out, err := relance(t, "webhook", "register", "--url", hookAddress)
	require.EqualError(t, err, "the provider accepted webhook 1 but does not list it: see `relance webhook status`")
	assert.Contains(t, out, "told no signing secret, but WEBHOOK_HMAC_SECRET is set")
}
