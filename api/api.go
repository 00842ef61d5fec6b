// Package api is Relance's REST API: gin for the routes, huma for their types,
// validation and OpenAPI. One file per resource; [API.routes] is the whole of it
// at a glance.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/relance/relance/cache"
	"github.com/relance/relance/store"
)

// Engine runs campaigns.
type Engine interface {
	// StartCampaign sets a stored campaign going. Called again it does nothing.
	// When it fails the campaign stays scheduled and the worker starts it later.
	StartCampaign(ctx context.Context, campaignID uuid.UUID) error
	// TellDecided makes a campaign act on what has been decided about it.
	TellDecided(ctx context.Context, campaignID uuid.UUID) error
	// Wake makes a contact's workflow look at the database again.
	Wake(ctx context.Context, campaignID, contactID uuid.UUID) error
	// Healthy tells whether the engine can be reached.
	Healthy(ctx context.Context) error
	// Workers tells how many processes run campaigns, and when the last of them was
	// heard of. An error means that the engine cannot be reached.
	Workers(ctx context.Context) (polling int, lastSeen time.Time, err error)
}

// Webhooks takes in what the provider tells.
type Webhooks interface {
	// Receive returns nil once a webhook is kept: status is "ok", "duplicate",
	// "error_logged" or "parked". An error means that it must be delivered again.
	Receive(ctx context.Context, raw []byte) (status string, err error)
}

// Options are what an API works with. Store, Engine, Webhooks, Provider,
// WebhookTokens and Logger are needed.
type Options struct {
	Store    *store.Store
	Cache    *cache.Cache // nil keeps nothing
	Engine   Engine
	Webhooks Webhooks
	Provider Provider // for test messages

	// WebhookTokens are what the provider must show one of with every webhook: more
	// than one while it is changed.
	WebhookTokens []string
	// WebhookHMACSecret, if any, must have signed every webhook.
	WebhookHMACSecret string
	// WebhookHMACHeader carries the signature; "" means X-Wassenger-Signature.
	WebhookHMACHeader string

	// Dashboard, if any, answers for everything under /app/, and / leads to it.
	Dashboard http.Handler

	// TemporalUIURL, if any, is linked to from campaigns.
	TemporalUIURL     string
	TemporalNamespace string

	// RateLimit is how many requests a second one session or token may make on
	// this process; 0 means 100. For a moment it may be twice as many.
	RateLimit int

	// TrustedProxies are the addresses and networks (10.0.0.0/8) of proxies that
	// are believed whom a request comes from, by X-Forwarded-For.
	TrustedProxies []string

	// SecureCookies marks session cookies Secure even where TLS cannot be seen.
	SecureCookies bool
	Logger        *slog.Logger
	// Metrics, if any, is where requests are counted.
	Metrics prometheus.Registerer
	// Tracer, if any, makes a trace of each request.
	Tracer trace.Tracer
}

// API answers HTTP requests. It is safe for concurrent use.
type API struct {
	options Options
	store   *store.Store
	cache   *cache.Cache
	logger  *slog.Logger

	router  *gin.Engine
	huma    huma.API
	openAPI []byte
	handler http.Handler

	metrics *metrics
	// what was last seen of what monitoring shows and must not wait for
	temporal lookout[temporalView]
	redis    lookout[string]

	crossOrigin *http.CrossOriginProtection
	callers     *callers
	strangers   *callers // places, by the credentials tried from there that were not known
	// logins bounds the memory that hashing passwords takes, 19 MiB each.
	logins chan struct{}
	// rehearsals bounds the processors that rehearsing takes.
	rehearsals chan struct{}
	feeds      *feeds
	// imports bounds the memory that receiving files takes.
	imports       chan struct{}
	merging       chan struct{} // one import at a time
	largestImport int64         // bytes
	background    *background
	leaving       atomic.Bool // the process is about to stop
}

// New makes an API. It reaches out to nothing.
func New(options Options) (*API, error) {
	switch {
	case options.Store == nil, options.Engine == nil, options.Webhooks == nil, options.Provider == nil, options.Logger == nil:
		return nil, errors.New("the API needs a store, an engine, webhooks, a provider and a logger")
	case len(options.WebhookTokens) == 0:
		return nil, errors.New("the API needs a webhook token")
	}
	if options.WebhookHMACHeader == "" {
		options.WebhookHMACHeader = "X-Wassenger-Signature"
	}
	gin.SetMode(gin.ReleaseMode) // otherwise gin prints every route
	a := &API{
		options: options, store: options.Store, cache: options.Cache, logger: options.Logger,
		router: gin.New(), crossOrigin: http.NewCrossOriginProtection(), logins: make(chan struct{}, 4),
		callers:    newCallers(options.RateLimit),
		strangers:  newCallers(unknownPerSecond),
		rehearsals: make(chan struct{}, rehearsalsAtOnce),
		feeds:      newFeeds(),
		metrics:    newMetrics(options.Metrics),
		imports:    make(chan struct{}, importsAtOnce), merging: make(chan struct{}, 1), largestImport: largestImport, background: newBackground(),
	}
	a.temporal.see, a.temporal.unknown = a.temporalNow, temporalView{health: "unknown", workers: workersView{Reason: "Temporal has not answered yet."}}
	a.redis.see, a.redis.unknown = a.redisNow, "unknown"
	a.router.RemoteIPHeaders = []string{forwardedFor} // proxies pass others on as callers made them up
	if err := a.router.SetTrustedProxies(options.TrustedProxies); err != nil {
		return nil, fmt.Errorf("reading the trusted proxies: %w", err)
	}
	a.router.HandleMethodNotAllowed = true
	a.router.RedirectTrailingSlash = false
	a.router.Use(a.observe, secure)
	a.router.NoRoute(func(c *gin.Context) { writeProblem(c, problem(http.StatusNotFound, "There is nothing at this path.")) })
	a.router.NoMethod(func(c *gin.Context) {
		writeProblem(c, problem(http.StatusMethodNotAllowed, "This path does not take this method; the Allow header says which it takes."))
	})
	a.huma = humagin.New(a.router, describe())
	a.huma.UseMiddleware(a.sameOrigin, a.authenticate, a.limit, a.honourKey)
	a.routes()
	a.document()
	if err := a.docs(); err != nil {
		return nil, err
	}
	a.dashboard()
	var err error
	if a.openAPI, err = json.Marshal(a.huma.OpenAPI()); err != nil {
		return nil, fmt.Errorf("writing the OpenAPI document: %w", err)
	}
	a.handler = compress(a.router)
	return a, nil
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }

// EndStreams ends the streams of events, which would otherwise keep a server from
// shutting down for as long as somebody watches. It may be called once.
func (a *API) EndStreams() { a.feeds.end() }

// Close ends what goes on after requests were answered, and waits until it has
// ended. What is left undone, a dispatcher does.
func (a *API) Close() { a.background.end() }

// describe is what OpenAPI says of the API as a whole.
func describe() huma.Config {
	config := huma.DefaultConfig("Relance", "0.1.0")
	config.Info.Description = "Two-step WhatsApp campaigns: Message 1 goes to every contact, Message 2 to whoever answers in time. " +
		"Errors are RFC 9457 problems whose errors[] name the fields. Lists take limit and cursor."
	config.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token":   {Type: "http", Scheme: "bearer", Description: "An API token."},
		"session": {Type: "apiKey", In: "cookie", Name: sessionCookie, Description: "What POST /auth/login sets."},
		"webhook": {Type: "apiKey", In: "header", Name: "X-Webhook-Token", Description: "The token of the provider's webhooks; ?token= serves as well."},
	}
	// The document and its page are our own (docs.go): huma's page loads its
	// scripts from a CDN. Without the create hooks answers carry no $schema.
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.CreateHooks = nil
	config.Transformers = []huma.Transformer{polishProblem}
	return config
}

// schemaName names a contactView "Contact".
func schemaName(t reflect.Type, hint string) string {
	return strings.TrimSuffix(huma.DefaultSchemaNamer(t, hint), "View")
}

// Routes lists every route as "GET /contacts/{id}".
func (a *API) Routes() []string {
	var routes []string
	for _, route := range a.router.Routes() {
		routes = append(routes, route.Method+" "+pathTemplate(route.Path))
	}
	return routes
}

// pathTemplate writes gin's "/contacts/:id" as "/contacts/{id}".
func pathTemplate(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if name, ok := strings.CutPrefix(segment, ":"); ok {
			segments[i] = "{" + name + "}"
		}
	}
	return strings.Join(segments, "/")
}
