package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/relance/relance/wassenger"
)

// providerDoctor looks at the provider, and at Relance as the provider sees it.
type providerDoctor struct {
	config   config
	clock    *providerClock
	provider *wassenger.Client
	leads    []wassenger.Webhook // the webhooks that may bring events of this number
	ours     *wassenger.Webhook  // the one that brings Relance everything
}

func (d *providerDoctor) examinations() []examination {
	return []examination{
		{name: "provider", run: d.reach, vital: true},
		{name: "provider clock", run: d.lookAtClock},
		{name: "device", run: d.device},
		{name: "webhook", run: d.webhook, vital: true},
		{name: "webhook reachable", run: d.reachable},
	}
}

// reach lists the webhooks, which needs nothing but a good token.
func (d *providerDoctor) reach(ctx context.Context) finding {
	if err := d.config.has(needProvider); err != nil {
		return fail("set it; .env.example explains it", "%s", oneLine(err))
	}
	d.clock = &providerClock{}
	var err error
	d.provider, err = wassenger.New(wassenger.Options{
		BaseURL: d.config.WassengerBaseURL, Token: d.config.WassengerToken, DeviceID: d.config.WassengerDeviceID,
		Timeout: providerTimeout, HTTPClient: &http.Client{Transport: d.clock},
	})
	if err != nil {
		return fail("correct WASSENGER_BASE_URL, WASSENGER_TOKEN or WASSENGER_DEVICE_ID", "%s", oneLine(err))
	}
	status := webhookStatus{provider: d.provider, config: d.config}
	if d.leads, err = status.list(ctx); err != nil {
		return fail(remedyAtProvider(err), "%s: %s", hostOf(d.config.WassengerBaseURL), oneLine(err))
	}
	return ok("%s accepts the token", hostOf(d.config.WassengerBaseURL))
}

func remedyAtProvider(err error) string {
	refused, _ := errors.AsType[*wassenger.Error](err)
	switch {
	case refused == nil || refused.Status == 0:
		return "check WASSENGER_BASE_URL, and that this machine may connect to it"
	case refused.Status == http.StatusUnauthorized:
		return "set WASSENGER_TOKEN to a valid API key, everywhere, and resume the campaigns that paused"
	case refused.Status == http.StatusPaymentRequired, refused.Status == http.StatusForbidden:
		return "look at the plan and at the permissions of the API key in the provider's console"
	}
	return "look at the provider's status page and console; messages wait meanwhile"
}

func (d *providerDoctor) lookAtClock(context.Context) finding {
	ahead, told := d.clock.ahead()
	if !told {
		return ok("the provider does not tell its time")
	}
	return skew("the provider's", ahead, 3*time.Second) // it tells whole seconds
}

func (d *providerDoctor) device(ctx context.Context) finding {
	state, err := d.provider.Device(ctx)
	if refused, is := errors.AsType[*wassenger.Error](err); is && (refused.Status == http.StatusNotFound || strings.HasPrefix(refused.Code, "device:")) {
		return fail("set WASSENGER_DEVICE_ID to the 24-character id of one of the account's numbers", "the account has no device with this id")
	}
	switch {
	case err != nil:
		return fail(remedyAtProvider(err), "%s", oneLine(plainly(err)))
	case !state.Operative:
		return fail("connect the number again in the provider's console (scan the QR code, or switch the phone on)",
			"it is %s and its session is %s", state.Status, state.Session)
	}
	return ok("%s and %s", state.Status, state.Session)
}

func (d *providerDoctor) webhook(context.Context) finding {
	if err := d.config.has(needWebhook); err != nil {
		return fail("set it as it is set for the API", "%s", oneLine(err))
	}
	status := webhookStatus{provider: d.provider, config: d.config}
	if err := status.verdict(d.leads); err != nil {
		says, remedy, _ := strings.Cut(oneLine(err), ": ")
		return fail(remedy, "%s", says)
	}
	for _, each := range d.leads {
		if status.isOurs(each) && fault(each, d.config.WebhookTokens) == nil {
			d.ours = &each
			return ok("%s brings everything", masked(each.URL))
		}
	}
	return fail("run `relance webhook status`", "none is ours") // verdict has found one
}

// reachable knocks at the webhook's address with a token that is none. Relance
// answers that with 401, and nothing is stored.
func (d *providerDoctor) reachable(ctx context.Context) finding {
	const (
		remedy = "see that the API runs and that this address leads to it from the internet, through every proxy and firewall"
		again  = "run `relance webhook register --url https://<public host of the API>`"
	)
	u, err := url.Parse(d.ours.URL)
	if err != nil {
		return fail(again, "its address cannot be read")
	}
	u.RawQuery = ""
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader("{}"))
	if err != nil {
		return fail(again, "its address cannot be read")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Webhook-Token", "asked by relance doctor")
	knocking := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := knocking.Do(request)
	if wrapped, is := errors.AsType[*url.Error](err); is {
		err = wrapped.Err // without the address
	}
	if err != nil {
		return fail(remedy, "%s does not answer: %s", u.Host, oneLine(err))
	}
	defer response.Body.Close()
	switch code := response.StatusCode; {
	case code == http.StatusUnauthorized || code == http.StatusTooManyRequests:
	case code >= 300 && code < 400:
		return fail(again+" with the address to which it leads", "%s sends elsewhere (HTTP %d), and the provider may not follow", u.Host, code)
	case code < 300:
		return fail("see that "+webhookPath+" leads to Relance's API", "%s takes events with a wrong token (HTTP %d), so it is not Relance", u.Host, code)
	default:
		return fail(remedy, "%s answers HTTP %d where Relance would answer 401", u.Host, code)
	}
	if response.TLS != nil && len(response.TLS.PeerCertificates) > 0 {
		if f := expiry(response.TLS.PeerCertificates[0], "renew the certificate of "+u.Host); f.Result != inOrder {
			f.Says = "Relance answers, but the certificate of " + u.Host + " " + f.Says
			return f
		}
	}
	return ok("Relance answers at %s, as seen from this machine", u.Host)
}

// providerClock notes the time that the provider tells with its answers.
type providerClock struct {
	mutex  sync.Mutex
	offset time.Duration
	told   bool
}

// RoundTrip asks once, as the client demands.
func (c *providerClock) RoundTrip(request *http.Request) (*http.Response, error) {
	begun := time.Now()
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if at, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		middle := begun.Add(time.Since(begun) / 2)
		c.offset, c.told = middle.Sub(at.Add(500*time.Millisecond)), true // a whole second, on average its middle
	}
	return response, nil
}

// ahead is how far this machine's clock is before the provider's; false if that
// does not tell.
func (c *providerClock) ahead() (time.Duration, bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.offset, c.told
}
