package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/rs/cors"
	"github.com/spf13/cobra"
	"go.temporal.io/sdk/converter"

	"github.com/relance/relance/api"
	"github.com/relance/relance/store"
	"github.com/relance/relance/worker"
)

func codecServerCommand() *cobra.Command {
	var listen string
	var authenticate bool
	cmd := &cobra.Command{
		Use:   "codec-server",
		Short: "Let the Temporal Web UI and CLI read what TEMPORAL_CODEC_KEYS encrypts",
		Long: `Serves /decode and /encode, which a browser with the Temporal Web UI asks ("Codec Server" in
its settings), and the Temporal CLI with --codec-endpoint. Browsers may ask from the page
TEMPORAL_UI_URL only.

On a loopback address whoever is on this machine may ask, at a loopback name. On any other
address, and with --authenticate, a request needs an API token of Relance's (Authorization:
Bearer) or the cookie of somebody who is logged in to the dashboard; this needs DATABASE_URL.
Put it behind whatever ends TLS for the API, under the same host name, and switch on "Include
cross-origin credentials" in the Web UI.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runCodecServer(cmd.Context(), listen, authenticate) },
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8081", "where to listen")
	cmd.Flags().BoolVar(&authenticate, "authenticate", false, "ask for a token or a session on a loopback address too")
	return cmd
}

func runCodecServer(ctx context.Context, listen string, authenticate bool) (err error) {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("--listen must be an address such as 127.0.0.1:8081, not %q", listen)
	}
	var needs []need
	if authenticate = authenticate || !isThisMachine(host); authenticate {
		needs = append(needs, needDatabase)
	}
	c, err := readConfig(processEnvironment(), needs...)
	if err != nil {
		return err
	}
	codec, err := temporalCodec()
	if err != nil {
		return err
	}
	server := codecServer{codec: codec}
	if server.webUI, err = originOf(c.TemporalUIURL); err != nil {
		return err
	}
	if authenticate {
		if err := schemaIsCurrent(ctx, c); err != nil {
			return err
		}
		if server.store, err = store.Open(ctx, c.DatabaseURL, store.Options{MaxConnections: 2}); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, server.store.Close()) }()
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("listening on --listen: %w", err)
	}
	return serveHTTP(ctx, listener, server.handler(), c.logger())
}

// originOf is an address as browsers name the page that asks.
func originOf(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "", errors.New("TEMPORAL_UI_URL is missing: set it to where people open the Temporal Web UI, the one page that may ask")
	}
	return strings.ToLower(u.Scheme + "://" + u.Host), nil
}

// codecServer decrypts for those who may see what Relance gives to Temporal.
type codecServer struct {
	codec *worker.Codec
	webUI string       // the origin of the Web UI
	store *store.Store // knows who may ask; nil if everybody on this machine may
}

// largestDecoded bounds a request: Temporal's own limit for a page of history is less.
const largestDecoded = 32 << 20

func (s codecServer) handler() http.Handler {
	payloads := http.MaxBytesHandler(converter.NewPayloadCodecHTTPHandler(s.codec), largestDecoded)
	browsers := cors.New(cors.Options{
		AllowedOrigins: []string{s.webUI}, AllowedMethods: []string{http.MethodPost}, AllowedHeaders: []string{"*"},
		AllowCredentials: true, AllowPrivateNetwork: true, // a page of Temporal Cloud may ask this machine
	})
	return browsers.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status, why := s.refusal(r); why != "" {
			http.Error(w, why, status)
			return
		}
		payloads.ServeHTTP(w, r)
	}))
}

// refusal is why a request is not answered, "" if it is.
func (s codecServer) refusal(r *http.Request) (status int, why string) {
	if origin := r.Header.Get("Origin"); origin != "" && !strings.EqualFold(origin, s.webUI) {
		return http.StatusForbidden, "Only the page TEMPORAL_UI_URL may ask."
	}
	if s.store == nil {
		// A name of somebody else's that leads to this machine, or a proxy in front.
		if host, _, err := net.SplitHostPort(r.Host); err != nil || !isThisMachine(host) {
			return http.StatusForbidden, "This codec server answers at a loopback name alone; start it with --authenticate to put it behind a proxy."
		}
		return 0, ""
	}
	switch _, err := api.Identify(r.Context(), s.store, r); {
	case errors.Is(err, store.ErrNotFound):
		return http.StatusUnauthorized, "Log in to Relance's dashboard, or send an API token as Authorization: Bearer."
	case err != nil:
		return http.StatusServiceUnavailable, "The database does not answer."
	}
	return 0, ""
}
