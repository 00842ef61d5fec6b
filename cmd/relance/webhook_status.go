package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/relance/relance/wassenger"
)

func webhookStatusCommand() *cobra.Command {
	var enable bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the webhooks of this number; exit 0 only if Relance gets everything",
		Long: `Lists the provider's webhooks for the number WASSENGER_DEVICE_ID and for the whole
account. It ends with 0 if one of them is active, leads to Relance and has every
event that Relance needs, and says what to do otherwise. A webhook leads to
Relance if it has WEBHOOK_TOKEN in its URL or ends in /webhooks/wassenger.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, provider, err := providerFor(needWebhook)
			if err != nil {
				return err
			}
			s := webhookStatus{provider: provider, config: c, out: cmd.OutOrStdout()}
			return s.run(cmd.Context(), enable)
		},
	}
	cmd.Flags().BoolVar(&enable, "enable", false, "enable webhooks to Relance that are disabled")
	return cmd
}

type webhookStatus struct {
	provider *wassenger.Client
	config   config
	out      io.Writer
}

func (s *webhookStatus) run(ctx context.Context, enable bool) error {
	listed, err := s.list(ctx)
	if err != nil {
		return err
	}
	if enable {
		enabled, err := s.enable(ctx, listed)
		if err != nil {
			return err
		}
		if enabled > 0 { // the provider has the last word on what they are now
			if listed, err = s.list(ctx); err != nil {
				return err
			}
		}
	}
	if err := s.show(listed); err != nil {
		return err
	}
	return s.verdict(listed)
}

// list asks for the webhooks that may bring events of this number.
func (s *webhookStatus) list(ctx context.Context) ([]wassenger.Webhook, error) {
	all, err := s.provider.Webhooks(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the webhooks: %w", plainly(err))
	}
	var concerned []wassenger.Webhook
	for _, w := range all {
		if concerns(w, s.config.WassengerDeviceID) {
			concerned = append(concerned, w)
		}
	}
	return concerned, nil
}

func concerns(w wassenger.Webhook, device string) bool {
	return w.DeviceID == "" || w.DeviceID == device
}

// enable leaves alone what would only be refused by Relance.
func (s *webhookStatus) enable(ctx context.Context, listed []wassenger.Webhook) (enabled int, err error) {
	for _, w := range listed {
		if !s.isOurs(w) || w.Status != wassenger.WebhookDisabled || hasWrongToken(w, s.config.WebhookTokens) {
			continue
		}
		if err := s.provider.EnableWebhook(ctx, w.ID); err != nil {
			return enabled, fmt.Errorf("enabling webhook %s: %w", w.ID, plainly(err))
		}
		fmt.Fprintf(s.out, "Enabled webhook %s.\n", w.ID)
		enabled++
	}
	return enabled, nil
}

func (s *webhookStatus) isOurs(w wassenger.Webhook) bool {
	u, err := url.Parse(w.URL)
	return err == nil && (slices.Contains(s.config.WebhookTokens, u.Query().Get("token")) || strings.HasSuffix(u.Path, webhookPath))
}

// hasWrongToken is about tokens in the URL; the provider may also be set to send
// a right one in a header, which it does not list.
func hasWrongToken(w wassenger.Webhook, right []string) bool {
	u, err := url.Parse(w.URL)
	return err != nil || (u.Query().Has("token") && !slices.Contains(right, u.Query().Get("token")))
}

func (s *webhookStatus) show(listed []wassenger.Webhook) error {
	table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "WEBHOOK\tSTATUS\tFOR\tURL\tLACKS")
	for _, w := range listed {
		status, scope, shown, lacks := cmp.Or(string(w.Status), "not told"), "this number", hostOnly(w.URL), "not Relance's"
		if w.DeviceID == "" {
			scope = "all numbers"
		}
		if s.isOurs(w) {
			shown, lacks = masked(w.URL), cmp.Or(strings.Join(w.MissingEvents(), ", "), "nothing")
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", w.ID, status, scope, shown, lacks)
	}
	return table.Flush()
}

// verdict is nil if one webhook brings Relance everything, and otherwise says
// what to do.
func (s *webhookStatus) verdict(listed []wassenger.Webhook) error {
	var found error
	for _, w := range listed {
		if !s.isOurs(w) {
			continue
		}
		err := fault(w, s.config.WebhookTokens)
		if err == nil {
			return nil
		}
		if found == nil {
			found = err
		}
	}
	if found == nil {
		return errors.New("no webhook of this number leads to Relance: run `relance webhook register --url https://<its public host>`")
	}
	return found
}

// fault is why a webhook to Relance does not bring it everything with one of these
// tokens, and what to do about it, or nil.
func fault(w wassenger.Webhook, tokens []string) error {
	address, _, _ := strings.Cut(w.URL, "?")
	again := "run `relance webhook register --url " + masked(address) + "`"
	switch missing := w.MissingEvents(); {
	case hasWrongToken(w, tokens):
		return fmt.Errorf("webhook %s has a token that is not WEBHOOK_TOKEN, so Relance refuses what it brings: %s", w.ID, again)
	case len(missing) > 0:
		return fmt.Errorf("webhook %s does not tell of %s: %s", w.ID, strings.Join(missing, ", "), again)
	}
	switch w.Status {
	case wassenger.WebhookActive:
		return nil
	case wassenger.WebhookDisabled:
		return fmt.Errorf("webhook %s is disabled: make sure that Relance is reachable, then run `relance webhook status --enable`", w.ID)
	case wassenger.WebhookPending:
		return fmt.Errorf("the provider has not activated webhook %s yet: look again in a minute", w.ID)
	}
	return fmt.Errorf("the provider does not say that webhook %s is active: look at it in the provider's console", w.ID)
}
