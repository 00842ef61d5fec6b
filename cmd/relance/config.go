package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/telemetry"
	"github.com/relance/relance/worker"
)

// config is everything that the environment decides. Temporal's own client
// variables (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TLS …) are
// read by Temporal's environment configuration and not repeated here.
type config struct {
	DatabaseURL string `env:"DATABASE_URL"`
	// DatabaseMaxConnections bounds what one process opens.
	DatabaseMaxConnections int `env:"DATABASE_MAX_CONNECTIONS" envDefault:"16"`

	RedisURL      string `env:"REDIS_URL"`
	TemporalUIURL string `env:"TEMPORAL_UI_URL"`

	WassengerBaseURL  string `env:"WASSENGER_BASE_URL" envDefault:"https://api.wassenger.com/v1"`
	WassengerToken    string `env:"WASSENGER_TOKEN"`
	WassengerDeviceID string `env:"WASSENGER_DEVICE_ID"`
	// WebhookTokens are all taken in; the first is the one that is registered.
	WebhookTokens     []string `env:"WEBHOOK_TOKEN"`
	WebhookHMACSecret string   `env:"WEBHOOK_HMAC_SECRET"`
	WebhookHMACHeader string   `env:"WEBHOOK_HMAC_HEADER" envDefault:"X-Wassenger-Signature"`

	SendLimit       int           `env:"SEND_LIMIT" envDefault:"1000"`
	SendLimitWindow time.Duration `env:"SEND_LIMIT_WINDOW" envDefault:"24h"`
	ReplyReserve    float64       `env:"REPLY_RESERVE" envDefault:"1"`
	SendPace        string        `env:"SEND_PACE"`
	SendHours       string        `env:"SEND_HOURS"`
	// SendAhead: messages leave as soon as they may, before their contacts' workflows ask.
	SendAhead        bool          `env:"SEND_AHEAD" envDefault:"true"`
	SendSettle       time.Duration `env:"SEND_SETTLE" envDefault:"60s"`
	SendBackoff      time.Duration `env:"SEND_BACKOFF" envDefault:"2s"`
	ReplyWindow      time.Duration `env:"REPLY_WINDOW" envDefault:"24h"`
	CampaignDeadline time.Duration `env:"CAMPAIGN_DEADLINE" envDefault:"48h"`

	RetentionTexts  time.Duration `env:"RETENTION_TEXTS" envDefault:"8760h"`
	RetentionEvents time.Duration `env:"RETENTION_EVENTS" envDefault:"720h"`

	DeploymentName string `env:"TEMPORAL_DEPLOYMENT_NAME"`
	WorkerBuildID  string `env:"TEMPORAL_WORKER_BUILD_ID"`

	HTTPAddr     string `env:"HTTP_ADDR" envDefault:":8080"`
	APIRateLimit int    `env:"API_RATE_LIMIT" envDefault:"100"`
	// TrustedProxies are believed whom requests come from.
	TrustedProxies []string `env:"TRUSTED_PROXIES"`

	// ShutdownDelay is how long an API that is asked to stop goes on while it says
	// that it is not ready.
	ShutdownDelay time.Duration `env:"SHUTDOWN_DELAY" envDefault:"0s"`

	InternalAddr string `env:"INTERNAL_ADDR" envDefault:"127.0.0.1:9090"`
	LogLevel     string `env:"LOG_LEVEL" envDefault:"info"`
	LogFormat    string `env:"LOG_FORMAT" envDefault:"json"`

	AdminEmail    string `env:"ADMIN_EMAIL"`
	AdminPassword string `env:"ADMIN_PASSWORD"`
	AdminToken    string `env:"ADMIN_TOKEN"`
}

// processEnvironment is the environment this process was started with.
func processEnvironment() map[string]string { return env.ToMap(os.Environ()) }

// need names a group of variables that a command cannot do without.
type need int

const (
	needDatabase need = iota
	needProvider
	needWebhook
)

// readConfig reads and checks an environment. Every error is one sentence that
// names the variable.
func readConfig(environment map[string]string, needs ...need) (config, error) {
	var c config
	environment, err := withSecretFiles(environment)
	if err != nil {
		return c, err
	}
	if err := env.ParseWithOptions(&c, env.Options{Environment: environment}); err != nil {
		return c, plainParseError(err, environment)
	}
	for _, list := range [][]string{c.TrustedProxies, c.WebhookTokens} {
		for i := range list {
			list[i] = strings.TrimSpace(list[i])
		}
	}
	for _, n := range needs {
		if err := c.has(n); err != nil {
			return c, err
		}
	}
	return c, c.check()
}

// plainParseError turns the library's report into one sentence with the
// variable's name and what it would take.
func plainParseError(err error, environment map[string]string) error {
	var aggregate env.AggregateError
	if !errors.As(err, &aggregate) || len(aggregate.Errors) == 0 {
		return err
	}
	var parse env.ParseError
	if !errors.As(aggregate.Errors[0], &parse) {
		return aggregate.Errors[0]
	}
	variable := variableOf(parse.Name)
	wanted := map[string]string{
		"time.Duration": "a duration such as 90s, 15m or 24h",
		"int":           "a whole number",
		"float64":       "a number",
		"bool":          "true or false",
	}[parse.Type.String()]
	return fmt.Errorf("%s must be %s, not %q", variable, wanted, environment[variable])
}

func variableOf(field string) string {
	params, err := env.GetFieldParams(&config{})
	if err != nil {
		return field
	}
	wanted := strings.ToLower(field)
	for _, p := range params {
		if strings.ReplaceAll(strings.ToLower(p.Key), "_", "") == wanted {
			return p.Key
		}
	}
	return field
}

func (c config) has(n need) error {
	missing := func(variable, what string) error {
		return fmt.Errorf("%s is missing: set it to %s", variable, what)
	}
	switch n {
	case needDatabase:
		if c.DatabaseURL == "" {
			return missing("DATABASE_URL", "the PostgreSQL address, such as postgres://user:password@host:5432/relance")
		}
	case needProvider:
		if c.WassengerToken == "" {
			return missing("WASSENGER_TOKEN", "an API key of your Wassenger account")
		}
		if c.WassengerDeviceID == "" {
			return missing("WASSENGER_DEVICE_ID", "the 24-character id of the WhatsApp number to send from")
		}
	case needWebhook:
		if len(c.WebhookTokens) == 0 {
			return missing("WEBHOOK_TOKEN", "a long random string that Wassenger sends with every webhook")
		}
		for _, token := range c.WebhookTokens {
			if len(token) < 16 {
				return fmt.Errorf("WEBHOOK_TOKEN must have at least 16 characters, and so must each of several that commas separate; one has %d", len(token))
			}
		}
	}
	return nil
}

func (c config) check() error {
	for variable, value := range map[string]string{
		"DATABASE_URL": c.DatabaseURL, "REDIS_URL": c.RedisURL,
		"WASSENGER_BASE_URL": c.WassengerBaseURL, "TEMPORAL_UI_URL": c.TemporalUIURL,
	} {
		if u, err := url.Parse(value); value != "" && (err != nil || u.Scheme == "" || u.Host == "") {
			return fmt.Errorf("%s must be an address with a scheme and a host", variable) // the value may hold a password
		}
	}
	if _, err := c.level(); err != nil {
		return err
	}
	if c.DatabaseMaxConnections < 1 {
		return fmt.Errorf("DATABASE_MAX_CONNECTIONS must be at least 1, not %d", c.DatabaseMaxConnections)
	}
	if c.APIRateLimit < 1 {
		return fmt.Errorf("API_RATE_LIMIT must be at least 1, not %d", c.APIRateLimit)
	}
	if c.ShutdownDelay < 0 {
		return fmt.Errorf("SHUTDOWN_DELAY must not be negative, it is %s", c.ShutdownDelay)
	}
	for _, proxy := range c.TrustedProxies {
		if !isNetwork(proxy) {
			return fmt.Errorf("TRUSTED_PROXIES must be addresses or networks such as 10.0.0.0/8, separated by commas; %q is neither", proxy)
		}
	}
	if c.LogFormat != "json" && c.LogFormat != "text" {
		return fmt.Errorf("LOG_FORMAT must be json or text, not %q", c.LogFormat)
	}
	if (c.AdminEmail == "") != (c.AdminPassword == "") {
		return fmt.Errorf("ADMIN_EMAIL and ADMIN_PASSWORD must be set together")
	}
	if c.AdminToken != "" && c.AdminEmail == "" {
		return fmt.Errorf("ADMIN_TOKEN needs ADMIN_EMAIL and ADMIN_PASSWORD beside it: a token belongs to a user")
	}
	if strings.ContainsAny(c.DeploymentName, ".:") { // Temporal would refuse its workers for ever
		return fmt.Errorf("TEMPORAL_DEPLOYMENT_NAME must contain neither a dot nor a colon, it is %q", c.DeploymentName)
	}
	if c.DeploymentName != "" && c.buildID() == "" {
		return errors.New("TEMPORAL_WORKER_BUILD_ID is missing: this binary does not know its own revision, so name the build, for instance by its tag")
	}
	if c.DeploymentName == "" && c.WorkerBuildID != "" {
		return errors.New("TEMPORAL_DEPLOYMENT_NAME is missing: a build id means nothing without the deployment that it is of")
	}
	if err := c.checkRetention(); err != nil {
		return err
	}
	rules, err := c.rules()
	if err != nil {
		return err
	}
	return rules.Validate()
}

func isNetwork(text string) bool {
	_, notAddress := netip.ParseAddr(text)
	_, notPrefix := netip.ParsePrefix(text)
	return notAddress == nil || notPrefix == nil
}

// buildID names this build for Temporal: what the environment says, else the
// revision that the binary was built from.
func (c config) buildID() string {
	if c.WorkerBuildID != "" {
		return c.WorkerBuildID
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return setting.Value
		}
	}
	return ""
}

func (c config) deployment() worker.Deployment {
	if c.DeploymentName == "" {
		return worker.Deployment{}
	}
	return worker.Deployment{Name: c.DeploymentName, BuildID: c.buildID()}
}

func (c config) rules() (campaign.Rules, error) {
	pace, err := campaign.ParsePace(c.SendPace)
	if err != nil {
		return campaign.Rules{}, fmt.Errorf("SEND_PACE %w", err)
	}
	hours, err := campaign.ParseHours(c.SendHours)
	if err != nil {
		return campaign.Rules{}, fmt.Errorf("SEND_HOURS %w", err)
	}
	return campaign.Rules{
		Pace: pace, Hours: hours,
		Quota:       campaign.Quota{Limit: c.SendLimit, Window: c.SendLimitWindow, Reserve: c.ReplyReserve},
		ReplyWindow: c.ReplyWindow,
		Deadline:    c.CampaignDeadline,
		SendSettle:  c.SendSettle,
		SendBackoff: c.SendBackoff,
	}, nil
}

func (c config) level() (slog.Level, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return level, fmt.Errorf("LOG_LEVEL must be debug, info, warn or error, not %q", c.LogLevel)
	}
	return level, nil
}

func (c config) logger() *slog.Logger {
	level, err := c.level()
	if err != nil {
		level = slog.LevelInfo // checked before
	}
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "text" {
		return slog.New(telemetry.LogHandler(slog.NewTextHandler(os.Stderr, options)))
	}
	return slog.New(telemetry.LogHandler(slog.NewJSONHandler(os.Stderr, options)))
}
