package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"github.com/relance/relance/devstack"
	"github.com/relance/relance/telemetry"
	"github.com/relance/relance/wassenger/simulator"
)

// devFlags are the choices of `relance dev`.
type devFlags struct {
	once     bool
	demo     bool
	contacts string
	data     string
	hour     time.Duration
}

func devCommand() *cobra.Command {
	var flags devFlags
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run everything on this machine, with a demonstration campaign",
		Long: `Starts PostgreSQL, Temporal with its Web UI, Redis and a simulated provider, then
Relance itself, and runs a demonstration campaign in which hours are shrunk.
Stopped half-way, even with kill -9, and started again, it goes on where it was.
Every variable of the configuration may be set to override a shrunk duration.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDev(cmd.Context(), flags) },
	}
	cmd.Flags().BoolVar(&flags.once, "once", false, "stop when the demonstration is complete; exit 0 only if every check on it holds")
	cmd.Flags().BoolVar(&flags.demo, "demonstration", true, "run the demonstration campaign; --demonstration=false starts with nothing")
	cmd.Flags().StringVar(&flags.contacts, "contacts", "examples/contacts.csv", "CSV file of the demonstration's contacts")
	cmd.Flags().StringVar(&flags.data, "data", ".data", "directory that keeps all state")
	cmd.Flags().DurationVar(&flags.hour, "hour", 2500*time.Millisecond, "how long an hour of the campaign lasts; 1m makes the 24-hour window 24 minutes")
	return cmd
}

// stack is everything that `relance dev` runs beside Relance itself.
type stack struct {
	postgres  *devstack.Postgres
	temporal  *devstack.Temporal
	redis     *devstack.Redis
	simulator *simulator.Simulator
}

func runDev(ctx context.Context, flags devFlags) (err error) {
	if flags.once && !flags.demo {
		return errors.New("--once ends with the demonstration: it does not go with --demonstration=false")
	}
	if flags.hour <= 0 {
		return fmt.Errorf("--hour must be longer than 0, not %s", flags.hour)
	}
	data, err := filepath.Abs(flags.data)
	if err != nil {
		return fmt.Errorf("finding the data directory: %w", err)
	}
	secrets, err := loadSecrets(data)
	if err != nil {
		return err
	}
	logger, closeLog, err := devLogger(data)
	if err != nil {
		return err
	}
	defer closeLog()

	say("Starting PostgreSQL, Temporal and Redis …")
	servers, err := startServers(ctx, data, logger)
	defer func() { err = errors.Join(err, servers.stop(ctx)) }()
	if err != nil {
		return err
	}
	listeners, err := listen(ctx)
	if err != nil {
		return err
	}
	c, err := devConfig(secrets, servers, listeners, flags.hour)
	if err != nil {
		return err
	}
	if _, err := migrate(ctx, c.DatabaseURL); err != nil {
		return err
	}
	if servers.simulator, err = newSimulator(data, c, secrets, listeners.api, flags.hour, logger); err != nil {
		return err
	}
	return runStack(ctx, c, flags, servers, listeners, logger)
}

// runStack runs Relance against the stack, and the demonstration against Relance.
func runStack(ctx context.Context, c config, flags devFlags, servers *stack, listeners devListeners, logger *slog.Logger) (err error) {
	temporal := client.Options{HostPort: servers.temporal.Address(), Namespace: servers.temporal.Namespace()}
	codec, err := temporalCodec()
	if err != nil {
		return err
	}
	codec.Apply(&temporal)
	s, err := openServices(ctx, c, temporal, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.bootstrap(ctx); err != nil {
		return err
	}
	handler, err := s.handler()
	if err != nil {
		return err
	}
	defer handler.Close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	group, running := errgroup.WithContext(ctx)
	group.Go(func() error { return serveHTTP(running, listeners.api, handler, logger, handler.EndStreams) })
	group.Go(func() error { return serveHTTP(running, listeners.simulator, servers.simulator.Handler(), logger) })
	group.Go(func() error { return s.runWorker(running) })
	group.Go(func() error { return s.runAnswers(running) })
	group.Go(func() error { return servers.simulator.Run(running) })
	group.Go(func() error {
		if flags.demo {
			d := demonstration{services: s, simulator: servers.simulator, api: apiClient{base: "http://" + listeners.api.Addr().String(), token: c.AdminToken}}
			err := d.run(running, flags.contacts)
			if flags.once || err != nil {
				stop()
				return err
			}
		}
		sayWhere(c, listeners)
		return nil
	})
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// startServers starts the three servers side by side. What did start is in the
// answer also when another failed.
func startServers(ctx context.Context, data string, logger *slog.Logger) (*stack, error) {
	s := &stack{}
	var group errgroup.Group
	group.Go(func() (err error) {
		s.postgres, err = devstack.StartPostgres(ctx, devstack.PostgresOptions{DataDir: filepath.Join(data, "postgres"), Logger: logger})
		if err != nil {
			return fmt.Errorf("starting PostgreSQL: %w", err)
		}
		return s.postgres.CreateDatabase(ctx, "relance")
	})
	group.Go(func() (err error) {
		s.temporal, err = devstack.StartTemporal(ctx, devstack.TemporalOptions{
			DBFile: filepath.Join(data, "temporal.db"), UIPort: preferred(8233), Logger: logger,
		})
		if err != nil {
			return fmt.Errorf("starting Temporal: %w", err)
		}
		return nil
	})
	group.Go(func() (err error) {
		if s.redis, err = devstack.StartRedis(""); err != nil {
			return fmt.Errorf("starting Redis: %w", err)
		}
		return nil
	})
	return s, group.Wait()
}

// stop ends the servers in the order in which they depend on each other.
func (s *stack) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	var errs []error
	if s.simulator != nil {
		errs = append(errs, s.simulator.Close())
	}
	if s.temporal != nil {
		errs = append(errs, s.temporal.Stop(ctx))
	}
	if s.postgres != nil {
		errs = append(errs, s.postgres.Stop(ctx))
	}
	if s.redis != nil {
		s.redis.Stop()
	}
	return errors.Join(errs...)
}

type devListeners struct{ api, simulator net.Listener }

func listen(ctx context.Context) (devListeners, error) {
	var l devListeners
	var err error
	address := os.Getenv("HTTP_ADDR")
	if address == "" {
		address = net.JoinHostPort("127.0.0.1", strconv.Itoa(preferred(8080)))
	}
	if l.api, err = (&net.ListenConfig{}).Listen(ctx, "tcp", address); err != nil {
		return l, fmt.Errorf("listening on HTTP_ADDR: %w", err)
	}
	if l.simulator, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return l, errors.Join(fmt.Errorf("listening for the simulated provider: %w", err), l.api.Close())
	}
	return l, nil
}

// preferred is the port if nobody listens on it, else 0 for a free one.
func preferred(port int) int {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return 0
	}
	_ = listener.Close()
	return port
}

// devConfig is the configuration of the development stack: hours shrunk, and
// whatever the environment says instead.
func devConfig(secrets devSecrets, servers *stack, listeners devListeners, hour time.Duration) (config, error) {
	environment := map[string]string{
		"SEND_LIMIT_WINDOW": (24 * hour).String(),
		"REPLY_WINDOW":      (24 * hour).String(),
		"CAMPAIGN_DEADLINE": (48 * hour).String(),
		"SEND_SETTLE":       "5s",
		"SEND_BACKOFF":      "500ms",
	}
	for variable, value := range processEnvironment() {
		environment[variable] = value
	}
	for variable, value := range map[string]string{
		"DATABASE_URL":        servers.postgres.URL("relance"),
		"REDIS_URL":           servers.redis.URL(),
		"TEMPORAL_UI_URL":     servers.temporal.UIURL(),
		"WASSENGER_BASE_URL":  "http://" + listeners.simulator.Addr().String() + "/v1",
		"WASSENGER_TOKEN":     secrets.WassengerToken,
		"WASSENGER_DEVICE_ID": secrets.DeviceID,
		"WEBHOOK_TOKEN":       secrets.WebhookToken,
		"WEBHOOK_HMAC_SECRET": secrets.WebhookSecret,
		"ADMIN_EMAIL":         "admin@relance.local",
		"ADMIN_PASSWORD":      secrets.AdminPassword,
		"ADMIN_TOKEN":         secrets.AdminToken,
	} {
		environment[variable] = value
	}
	return readConfig(environment, needDatabase, needProvider, needWebhook)
}

// newSimulator plays the contacts and the provider of `relance simulator`.
func newSimulator(data string, c config, secrets devSecrets, api net.Listener, hour time.Duration, logger *slog.Logger) (*simulator.Simulator, error) {
	hook := url.URL{
		Scheme: "http", Host: api.Addr().String(), Path: "/webhooks/wassenger",
		RawQuery: url.Values{"token": c.WebhookTokens[:1]}.Encode(),
	}
	s, err := simulator.New(simulator.Config{
		Token: c.WassengerToken, DeviceID: c.WassengerDeviceID, DevicePhone: simulatedPhone,
		WebhookURL: hook.String(), WebhookSecret: secrets.WebhookSecret,
		Seed:        secrets.Seed,
		JournalPath: filepath.Join(data, "provider.journal"),
		Logger:      logger,
		Delivery:    clumsyDelivery, Contacts: livelyContacts(hour), Faults: clumsyProvider,
	})
	if err != nil {
		return nil, fmt.Errorf("preparing the simulated provider: %w", err)
	}
	return s, nil
}

func devLogger(data string) (*slog.Logger, func(), error) {
	file, err := os.OpenFile(filepath.Join(data, "relance.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // the user's own choice
	if err != nil {
		return nil, nil, fmt.Errorf("opening the log: %w", err)
	}
	return slog.New(telemetry.LogHandler(slog.NewTextHandler(file, nil))), func() { _ = file.Close() }, nil
}

func say(format string, args ...any) { fmt.Printf(format+"\n", args...) }

func sayWhere(c config, listeners devListeners) {
	say("\nRelance goes on running. Look further:")
	say("  Dashboard                   http://%s/app/", listeners.api.Addr())
	say("  API and its documentation   http://%s/docs", listeners.api.Addr())
	say("  Temporal Web UI             %s", c.TemporalUIURL)
	say("  the provider's ledger       http://%s/simulator/ledger", listeners.simulator.Addr())
	say("  log in with                 %s   %s", c.AdminEmail, c.AdminPassword)
	say("  or as a machine             Authorization: Bearer %s", c.AdminToken)
	say("Stop with Ctrl-C.")
}
