package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/relance/relance/wassenger"
)

// webhookPath is where Relance's API takes webhooks in.
const webhookPath = "/webhooks/wassenger"

func webhookCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "webhook", Short: "Register Relance's webhook at the provider, look after it, capture sample events"}
	cmd.AddCommand(webhookRegisterCommand(), webhookStatusCommand(), webhookSampleCommand())
	return cmd
}

// providerFor reads the environment of a command that speaks to the provider.
func providerFor(needs ...need) (config, *wassenger.Client, error) {
	c, err := readConfig(processEnvironment(), append(needs, needProvider)...)
	if err != nil {
		return c, nil, err
	}
	provider, err := c.provider()
	return c, provider, err
}

// publicAddress is the flag --url with what goes with it.
type publicAddress struct {
	url          string
	insecureHTTP bool
}

func (a *publicAddress) addTo(cmd *cobra.Command, usage string) {
	cmd.Flags().StringVar(&a.url, "url", "", usage)
	cmd.Flags().BoolVar(&a.insecureHTTP, "insecure-http", false, "allow plain http to another machine")
	if err := cmd.MarkFlagRequired("url"); err != nil {
		panic(err) // the flag was defined two lines above
	}
}

// parse checks the address. No error quotes it: it may hold a secret.
func (a *publicAddress) parse() (*url.URL, error) {
	u, err := url.Parse(a.url)
	switch {
	case err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https"):
		return nil, errors.New("--url must be an address such as https://relance.example.com")
	case u.User != nil || u.Fragment != "":
		return nil, errors.New("--url must hold neither a password nor a fragment")
	case u.Scheme == "http" && !a.insecureHTTP && !isThisMachine(u.Hostname()):
		return nil, errors.New("--url must begin with https, or anybody on the way reads the token and the messages (--insecure-http allows it all the same)")
	}
	return u, nil
}

func isThisMachine(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// relanceWebhook is the webhook that Relance needs: everything that it
// understands, of its own number, with the token that the API asks for.
func relanceWebhook(c config, public *url.URL) wassenger.Webhook {
	u := *public
	if u.Path == "" || u.Path == "/" {
		u.Path, u.RawPath = webhookPath, ""
	}
	query := u.Query()
	query.Set("token", c.WebhookTokens[0])
	u.RawQuery = query.Encode()
	return wassenger.Webhook{Name: "Relance", URL: u.String(), Events: wassenger.SubscribedEvents, DeviceID: c.WassengerDeviceID}
}

// destination is where a webhook's URL leads, whatever its token.
func destination(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	usual := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	query := u.Query()
	query.Del("token")
	return u.Scheme + "://" + strings.TrimSuffix(strings.ToLower(u.Host), usual) + u.EscapedPath() + "?" + query.Encode()
}

// masked is the URL of a webhook of ours as it may be shown: without what stands
// in its query.
func masked(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "…"
	}
	shown := (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
	query := u.Query()
	switch {
	case len(query) == 0:
		return shown
	case !query.Has("token"):
		return shown + "?…"
	case len(query) == 1:
		return shown + "?token=…"
	}
	return shown + "?token=…&…"
}

// hostOnly is the URL of somebody else's webhook as it may be shown: its path may
// be a secret too.
func hostOnly(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return "…"
	}
	return u.Scheme + "://" + u.Host + "/…"
}

// plainly adds the provider's own sentence, which the package wassenger keeps out
// of error texts because of logs. This is a terminal, and an administrator's.
func plainly(err error) error {
	if refused, ok := errors.AsType[*wassenger.Error](err); ok && refused.Message != "" {
		return fmt.Errorf("%w (%s)", err, refused.Message)
	}
	return err
}
