package simulator

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"
)

// Config is what a [Simulator] is made of. Token, DeviceID and DevicePhone are
// required.
type Config struct {
	// Token is what requests must carry in the header Token.
	Token string
	// DeviceID is the one device, 24 lower-case hexadecimal digits.
	DeviceID string
	// DevicePhone is its number in E.164.
	DevicePhone string

	// WebhookURL receives every event; a token may stand in its query. Empty:
	// only webhooks registered over HTTP receive events.
	WebhookURL string
	// WebhookToken, when set, is sent with every webhook in X-Webhook-Token.
	WebhookToken string
	// WebhookSecret, when set, signs every webhook: sha256=<hex HMAC-SHA256 of the body>.
	WebhookSecret string
	// WebhookSignatureHeader carries the signature; default X-Wassenger-Signature.
	WebhookSignatureHeader string
	// Delivery says how webhooks travel.
	Delivery Delivery

	// Seed decides, with [Behaviour], what every contact does.
	Seed uint64
	// Contacts is how contacts behave. The zero value receives and stays silent.
	Contacts Behaviour
	// Faults is what goes wrong from the start; see [Simulator.SetFaults].
	Faults Faults

	// JournalPath is the file that keeps the ledger across restarts. Empty:
	// everything is forgotten with the process. It survives kill -9, not the
	// loss of the machine: lines are written, not synced.
	JournalPath string
	// AdminAddr, when set, makes [Simulator.Serve] offer the /simulator/
	// endpoints on this address too, where they stay reachable while the
	// provider's own port refuses connections.
	AdminAddr string
	// Logger may be nil. No phone number, text or webhook URL is ever logged.
	Logger *slog.Logger
}

// Delivery says how webhooks travel. Shares lie between 0 and 1. Zero values
// take the defaults named here.
type Delivery struct {
	// Duplicate is the share of webhooks that are delivered twice.
	Duplicate float64
	// Reorder is the share of webhooks that are held back: an acknowledgement
	// until after the last one of its message, a reply by ReorderDelay.
	Reorder float64
	// ReorderDelay is how much later a held-back or doubled webhook leaves; default 50 to 500 ms.
	ReorderDelay Delay
	// AckBeforeResponse is the share of accepted messages whose delivery (or
	// failure) is told before the send itself is answered, which waits for it
	// for two seconds at most, and only while Run runs.
	AckBeforeResponse float64

	// Timeout is how long the receiver may take to answer; default 10 s.
	Timeout time.Duration
	// RetryBase is the pause after the first attempt that was not answered with
	// 2xx; it doubles from there. Default 2 s.
	RetryBase time.Duration
	// RetryMax bounds the pause; default 1 h.
	RetryMax time.Duration
	// GiveUpAfter is the age at which a webhook is no longer tried; default 24 h.
	GiveUpAfter time.Duration
	// Concurrency bounds how many webhooks are under way at once; default 16.
	Concurrency int
}

var (
	e164  = regexp.MustCompile(`^\+[1-9]\d{7,14}$`)
	hex24 = regexp.MustCompile(`^[0-9a-f]{24}$`)
)

func (c Config) withDefaults() Config {
	if c.WebhookSignatureHeader == "" {
		c.WebhookSignatureHeader = "X-Wassenger-Signature"
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.Delivery = c.Delivery.withDefaults()
	return c
}

func (d Delivery) withDefaults() Delivery {
	if d.ReorderDelay == (Delay{}) {
		d.ReorderDelay = Delay{Min: 50 * time.Millisecond, Max: 500 * time.Millisecond}
	}
	if d.Timeout == 0 {
		d.Timeout = 10 * time.Second
	}
	if d.RetryBase == 0 {
		d.RetryBase = 2 * time.Second
	}
	if d.RetryMax == 0 {
		d.RetryMax = time.Hour
	}
	if d.GiveUpAfter == 0 {
		d.GiveUpAfter = 24 * time.Hour
	}
	if d.Concurrency == 0 {
		d.Concurrency = 16
	}
	return d
}

func (c Config) validate() error {
	if c.Token == "" {
		return errors.New("Token must not be empty")
	}
	if !hex24.MatchString(c.DeviceID) {
		return fmt.Errorf("DeviceID must be 24 lower-case hexadecimal digits, not %q", c.DeviceID)
	}
	if !e164.MatchString(c.DevicePhone) {
		return errors.New("DevicePhone must be a number in E.164")
	}
	if c.WebhookURL != "" && !isWebURL(c.WebhookURL) {
		return errors.New("WebhookURL must be an absolute http or https URL")
	}
	if err := c.Delivery.validate(); err != nil {
		return fmt.Errorf("Delivery: %w", err)
	}
	if err := c.Contacts.validate(); err != nil {
		return fmt.Errorf("Contacts: %w", err)
	}
	if err := c.Faults.validate(); err != nil {
		return fmt.Errorf("Faults: %w", err)
	}
	return nil
}

func (d Delivery) validate() error {
	for _, s := range []namedShare{{"Duplicate", d.Duplicate}, {"Reorder", d.Reorder}, {"AckBeforeResponse", d.AckBeforeResponse}} {
		if err := s.validate(); err != nil {
			return err
		}
	}
	for name, value := range map[string]time.Duration{
		"Timeout": d.Timeout, "RetryBase": d.RetryBase, "RetryMax": d.RetryMax, "GiveUpAfter": d.GiveUpAfter,
	} {
		if value < 0 {
			return fmt.Errorf("%s must not be negative, is %s", name, value)
		}
	}
	if d.Concurrency < 0 {
		return fmt.Errorf("Concurrency must not be negative, is %d", d.Concurrency)
	}
	return nil
}

// namedShare is a probability and the name that its owner knows it by.
type namedShare struct {
	name  string
	value float64
}

func (s namedShare) validate() error {
	if !(s.value >= 0 && s.value <= 1) { // written so that NaN fails too
		return fmt.Errorf("%s must be between 0 and 1, not %g", s.name, s.value)
	}
	return nil
}
