package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/wassenger"
	"github.com/relance/relance/wassenger/simulator"
)

const (
	webhookToken  = "0123456789abcdef/+" // has to be escaped in a URL
	escapedToken  = "0123456789abcdef%2F%2B"
	signingSecret = "what the provider signs with"
	thisNumber    = "64a1b2c3d4e5f60718293a4b"
	otherNumber   = "64a1b2c3d4e5f60718293a4c"
	hookAddress   = "https://relance.example.com/webhooks/wassenger"
)

// atProvider points the commands at a provider.
func atProvider(t *testing.T, handler http.Handler) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	for variable, value := range map[string]string{
		"WASSENGER_BASE_URL": server.URL + "/v1", "WASSENGER_TOKEN": "token", "WASSENGER_DEVICE_ID": thisNumber,
		"WEBHOOK_TOKEN": webhookToken, "WEBHOOK_HMAC_SECRET": "",
	} {
		t.Setenv(variable, value)
	}
}

// account is a simulated provider's and a client of its own to look into it.
type account struct {
	*wassenger.Client
	*simulator.Simulator
	t *testing.T
}

func newAccount(t *testing.T) account {
	t.Helper()
	s, err := simulator.New(simulator.Config{
		Token: "token", DeviceID: thisNumber, DevicePhone: "+33639989999", WebhookSecret: signingSecret,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	atProvider(t, s.Handler())
	c, err := readConfig(processEnvironment(), needProvider)
	require.NoError(t, err)
	client, err := c.provider()
	require.NoError(t, err)
	return account{client, s, t}
}

func (a account) has(w wassenger.Webhook) wassenger.Webhook {
	a.t.Helper()
	created, err := a.CreateWebhook(a.t.Context(), w, "")
	require.NoError(a.t, err)
	return created
}

func (a account) webhooks() []wassenger.Webhook {
	a.t.Helper()
	listed, err := a.Client.Webhooks(a.t.Context())
	require.NoError(a.t, err)
	return listed
}

// disable does what the provider does after failures.
func (a account) disable(id string) {
	a.t.Helper()
	r := httptest.NewRequest(http.MethodPatch, "/v1/webhooks/"+id, bytes.NewBufferString(`{"active":false}`))
	r.Header.Set("Token", "token")
	w := httptest.NewRecorder()
	a.Handler().ServeHTTP(w, r)
	require.Equal(a.t, http.StatusOK, w.Code)
}

// relance runs a command and returns what it printed. No command tells the token.
func relance(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := relanceTo(t.Context(), &out, args...)
	return out.String(), untold(t, out.String(), err)
}

func relanceTo(ctx context.Context, out io.Writer, args ...string) error {
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(out)
	return root.ExecuteContext(ctx)
}

func untold(t *testing.T, out string, err error) error {
	t.Helper()
	for _, secret := range []string{webhookToken, escapedToken} {
		assert.NotContains(t, out, secret)
		if err != nil {
			assert.NotContains(t, err.Error(), secret)
		}
	}
	return err
}

func TestAnAddressThatNobodyShouldRegisterIsRefused(t *testing.T) {
	newAccount(t)
	for address, why := range map[string]string{
		"relance.example.com":                                "must be an address",
		"https://":                                           "must be an address",
		"https://:8080":                                      "must be an address",
		"ftp://relance.example.com":                          "must be an address",
		"https://a:b@relance.example.com":                    "must hold neither",
		"https://relance.example.com/#x":                     "must hold neither",
		"http://relance.example.com":                         "must begin with https",
		"https://relance.example.com/\x7f?t=" + webhookToken: "must be an address",
	} {
		for _, command := range []string{"register", "sample"} {
			_, err := relance(t, "webhook", command, "--url", address)
			require.ErrorContains(t, err, "--url "+why, address)
		}
	}
	for _, address := range []publicAddress{
		{"http://localhost:8080", false}, {"http://127.0.0.1", false}, {"http://[::1]:80/x", false}, {"http://relance.example.com", true},
	} {
		_, err := address.parse()
		require.NoError(t, err, address.url)
	}
}

func TestEveryCommandSaysWhichVariableIsMissing(t *testing.T) {
	for variable, commands := range map[string][][]string{
		"WASSENGER_DEVICE_ID": {{"register", "--url", hookAddress}, {"status"}, {"sample", "--url", hookAddress}},
		"WEBHOOK_TOKEN":       {{"register", "--url", hookAddress}, {"status"}},
	} {
		for _, command := range commands {
			newAccount(t)
			t.Setenv(variable, "")
			_, err := relance(t, append([]string{"webhook"}, command...)...)
			require.ErrorContains(t, err, variable+" is missing")
		}
	}
}

func TestARefusalIsToldInTheProvidersWords(t *testing.T) {
	atProvider(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusPaymentRequired)
		_, _ = io.WriteString(w, `{"message":"Upgrade your plan"}`)
	}))
	for _, command := range [][]string{{"register", "--url", hookAddress}, {"status"}} {
		_, err := relance(t, append([]string{"webhook"}, command...)...)
		require.EqualError(t, err, "listing the webhooks: wassenger: list webhooks: halted: HTTP 402 (Upgrade your plan)")
	}
}

func TestAURLIsShownWithoutWhatMayBeSecret(t *testing.T) {
	for raw, want := range map[string]string{
		hookAddress:                         hookAddress,
		hookAddress + "?token=x":            hookAddress + "?token=…",
		hookAddress + "?token=x&a=b":        hookAddress + "?token=…&…",
		hookAddress + "?x":                  hookAddress + "?…",
		"https://u:p@h.org/a%2Fb?token=x#f": "https://h.org/a%2Fb?token=…",
		"https://h.org/\x7f":                "…",
	} {
		assert.Equal(t, want, masked(raw))
	}
	assert.Equal(t, "https://h.org:81/…", hostOnly("https://u:p@h.org:81/secret?x"))
	assert.Equal(t, "…", hostOnly("secret"))
}
