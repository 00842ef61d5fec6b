package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/relance/relance/wassenger"
)

func webhookRegisterCommand() *cobra.Command {
	var address publicAddress
	cmd := &cobra.Command{
		Use:   "register --url https://<public host>",
		Short: "Make the provider tell Relance what it has to know",
		Long: `Registers Relance's webhook at the provider, for the number WASSENGER_DEVICE_ID, with
exactly the events that Relance understands and with WEBHOOK_TOKEN in its URL, the
first of several.
/webhooks/wassenger is added to a URL without a path. A webhook that leads to the
same place is brought up to date and enabled instead of doubled, so it may be
called again at any time.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			public, err := address.parse()
			if err != nil {
				return err
			}
			c, provider, err := providerFor(needWebhook)
			if err != nil {
				return err
			}
			r := registration{provider: provider, config: c, wanted: relanceWebhook(c, public), out: cmd.OutOrStdout()}
			return r.run(cmd.Context())
		},
	}
	address.addTo(cmd, "where the provider reaches Relance's API from the internet")
	return cmd
}

// registration brings one webhook into being.
type registration struct {
	provider *wassenger.Client
	config   config
	wanted   wassenger.Webhook
	out      io.Writer
}

func (r *registration) run(ctx context.Context) error {
	known, err := r.find(ctx)
	if err != nil {
		return err
	}
	if known == nil {
		created, err := r.create(ctx)
		if err == nil {
			r.tellSecret(created)
			return r.conclude(ctx, created.ID)
		}
		if !errors.Is(err, wassenger.ErrWebhookExists) {
			return err
		}
		// Somebody else was quicker, or the first list did not have it.
		if known, err = r.find(ctx); err != nil {
			return err
		}
		if known == nil {
			return errors.New("the provider refuses the webhook because it exists, but does not list it: remove it in the provider's console and register again")
		}
	}
	if err := r.renew(ctx, *known); err != nil {
		return err
	}
	return r.conclude(ctx, known.ID)
}

// find returns the webhook that leads where the wanted one shall, nil if there is
// none. Of several it is the one of this number, then one of the whole account.
func (r *registration) find(ctx context.Context) (*wassenger.Webhook, error) {
	listed, err := r.provider.Webhooks(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the webhooks: %w", plainly(err))
	}
	var best *wassenger.Webhook
	same := 0
	for _, w := range listed {
		if destination(w.URL) != destination(r.wanted.URL) {
			continue
		}
		same++
		if best == nil || r.closeness(w) > r.closeness(*best) {
			best = &w
		}
	}
	if same > 1 {
		fmt.Fprintf(r.out, "%d webhooks lead to this URL, so every event comes as often: keep %s and remove the others in the provider's console.\n", same, best.ID)
	}
	return best, nil
}

func (r *registration) closeness(w wassenger.Webhook) int {
	switch w.DeviceID {
	case r.wanted.DeviceID:
		return 2
	case "":
		return 1
	}
	return 0
}

func (r *registration) create(ctx context.Context) (wassenger.Webhook, error) {
	created, err := r.provider.CreateWebhook(ctx, r.wanted, "")
	switch {
	case err == nil:
		fmt.Fprintf(r.out, "Registered %s as webhook %s.\n", masked(r.wanted.URL), created.ID)
		return created, nil
	case wassenger.ClassOf(err) == wassenger.Unknown:
		return created, fmt.Errorf("registering the webhook, which may have succeeded; register again to find out: %w", plainly(err))
	}
	return created, fmt.Errorf("registering the webhook: %w", plainly(err))
}

// renew writes everything anew: a list shows neither whether the provider took
// the token as it was meant nor what it left out.
func (r *registration) renew(ctx context.Context, known wassenger.Webhook) error {
	wanted := r.wanted
	wanted.ID = known.ID
	if err := r.provider.UpdateWebhook(ctx, wanted); err != nil {
		return fmt.Errorf("updating webhook %s: %w", known.ID, plainly(err))
	}
	fmt.Fprintf(r.out, "Webhook %s existed: it leads to %s, with everything Relance needs.\n", known.ID, masked(wanted.URL))
	if known.DeviceID != "" && known.DeviceID != wanted.DeviceID {
		fmt.Fprintf(r.out, "It was for the number %s before.\n", known.DeviceID)
	}
	if known.Status != wassenger.WebhookDisabled {
		return nil
	}
	if err := r.provider.EnableWebhook(ctx, known.ID); err != nil {
		return fmt.Errorf("enabling webhook %s: %w", known.ID, plainly(err))
	}
	fmt.Fprintln(r.out, "It was disabled and is enabled again.")
	return nil
}

func (r *registration) tellSecret(created wassenger.Webhook) {
	switch {
	case created.Secret != "":
		fmt.Fprintf(r.out, "Set WEBHOOK_HMAC_SECRET to %s, so that only what the provider has signed is taken in; it is not shown again.\n", created.Secret)
	case r.config.WebhookHMACSecret != "":
		fmt.Fprintln(r.out, "The provider told no signing secret, but WEBHOOK_HMAC_SECRET is set: unset it if Relance answers the provider with 401.")
	}
}

// conclude looks at what the provider has made of it.
func (r *registration) conclude(ctx context.Context, id string) error {
	listed, err := r.provider.Webhooks(ctx)
	if err != nil {
		return fmt.Errorf("listing the webhooks: %w", plainly(err))
	}
	for _, w := range listed {
		if w.ID != id {
			continue
		}
		if err := fault(w, r.config.WebhookTokens[:1]); err != nil {
			return err
		}
		fmt.Fprintf(r.out, "It is active and tells of %s.\n", strings.Join(wassenger.SubscribedEvents, ", "))
		return nil
	}
	return fmt.Errorf("the provider accepted webhook %s but does not list it: see `relance webhook status`", id)
}
