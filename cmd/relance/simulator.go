package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/relance/relance/wassenger/simulator"
)

// simulatorFlags are the choices of `relance simulator`.
type simulatorFlags struct {
	listen  string
	webhook string
	journal string
	seed    uint64
	hour    time.Duration
}

func simulatorCommand() *cobra.Command {
	var flags simulatorFlags
	cmd := &cobra.Command{
		Use:   "simulator",
		Short: "Play the provider and the contacts, for Relance in a place of its own",
		Long: `Speaks the provider's HTTP below /v1/, delivers webhooks, and plays contacts who read and
answer. Nobody is ever sent anything. It takes the key, the number and the webhook's
secrets that Relance itself has in its environment: WASSENGER_TOKEN, WASSENGER_DEVICE_ID,
WEBHOOK_TOKEN and WEBHOOK_HMAC_SECRET. What truly happened is at /simulator/ledger.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := readConfig(processEnvironment(), needProvider, needWebhook)
			if err != nil {
				return err
			}
			return runSimulator(cmd.Context(), c, flags)
		},
	}
	cmd.Flags().StringVar(&flags.listen, "listen", "127.0.0.1:8090", "where to listen")
	cmd.Flags().StringVar(&flags.webhook, "webhook", "http://127.0.0.1:8080/webhooks/wassenger", "where Relance takes webhooks in")
	cmd.Flags().StringVar(&flags.journal, "journal", "", "file that keeps what happened across restarts; without it everything is forgotten")
	cmd.Flags().Uint64Var(&flags.seed, "seed", 1, "decides what every contact does")
	cmd.Flags().DurationVar(&flags.hour, "hour", time.Hour, "how long an hour in the life of a contact lasts")
	return cmd
}

func runSimulator(ctx context.Context, c config, flags simulatorFlags) (err error) {
	if flags.hour <= 0 {
		return fmt.Errorf("--hour must be longer than 0, not %s", flags.hour)
	}
	hook, err := url.Parse(flags.webhook)
	if err != nil || hook.Host == "" {
		return errors.New("--webhook must be an address with a scheme and a host")
	}
	hook.RawQuery = url.Values{"token": c.WebhookTokens[:1]}.Encode()
	s, err := simulator.New(simulator.Config{
		Token: c.WassengerToken, DeviceID: c.WassengerDeviceID, DevicePhone: simulatedPhone,
		WebhookURL: hook.String(), WebhookSecret: c.WebhookHMACSecret, WebhookSignatureHeader: c.WebhookHMACHeader,
		Seed: flags.seed, JournalPath: flags.journal, Logger: c.logger(),
		Delivery: clumsyDelivery, Contacts: livelyContacts(flags.hour), Faults: clumsyProvider,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", flags.listen)
	if err != nil {
		return fmt.Errorf("listening on --listen: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serveHTTP(ctx, listener, s.Handler(), c.logger()) })
	group.Go(func() error { return s.Run(ctx) })
	return group.Wait()
}

// simulatedPhone is the simulated device's number, one of those reserved for fiction
// and none of the contacts' (+33 6 39 98 xx xx).
const simulatedPhone = "+33199009999"

// livelyContacts have delays that shrink with the hour; one in six answers comes
// after the window.
func livelyContacts(hour time.Duration) simulator.Behaviour {
	return simulator.Behaviour{
		DeliveryDelay: simulator.Delay{Min: hour / 20, Max: hour},
		Read:          0.8, ReadDelay: simulator.Delay{Min: hour / 10, Max: 4 * hour},
		Reply: 0.4, ReplyAgain: 0.2, ReplyDelay: simulator.Delay{Min: hour, Max: 27 * hour},
		ReplyTypes:   map[simulator.ReplyType]float64{"text": 6, "emoji": 2, "reaction": 1, "voice": 1, "image": 1},
		ExtraReplies: 0.3, ExtraDelay: simulator.Delay{Min: hour / 10, Max: hour},
	}
}

var (
	// clumsyDelivery doubles and reorders some webhooks,
	clumsyDelivery = simulator.Delivery{Duplicate: 0.05, Reorder: 0.05}
	// and clumsyProvider fails now and then, before and after having accepted a message.
	clumsyProvider = simulator.Faults{
		Latency:          simulator.Delay{Min: 10 * time.Millisecond, Max: 60 * time.Millisecond},
		ErrorAfterAccept: 0.02, ErrorBeforeAccept: 0.01,
	}
)
