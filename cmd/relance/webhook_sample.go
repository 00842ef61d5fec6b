package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/relance/relance/wassenger"
)

func webhookSampleCommand() *cobra.Command {
	var address publicAddress
	var listen string
	var s sampler
	cmd := &cobra.Command{
		Use:   "sample --url <public URL of --listen> [sample…]",
		Short: "Have the provider send sample events, store them and show how Relance reads them",
		Long: `Asks the provider for the sample events that concern Relance, one after the other,
each by a webhook of its own that is removed again at once. What comes is stored in
--dir as it came and read as Relance would read it. Sample ids as arguments ask for
these alone. It ends with 0 only if every sample came and is read as expected.

While it runs, an event of the real number may arrive in place of a sample: look at
the files before you pass them on.

Samples: ` + strings.Join(sampleIDs(), ", "),
		ValidArgs: sampleIDs(),
		Args:      cobra.OnlyValidArgs,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if s.base, err = address.parse(); err != nil {
				return err
			}
			c, provider, err := providerFor()
			if err != nil {
				return err
			}
			s.provider, s.device, s.out = provider, c.WassengerDeviceID, cmd.OutOrStdout()
			return s.serve(cmd.Context(), listen, samplesNamed(args))
		},
	}
	address.addTo(cmd, "where the provider reaches --listen from the internet")
	cmd.Flags().StringVar(&listen, "listen", ":8081", "where to receive the samples on this machine")
	cmd.Flags().StringVar(&s.dir, "dir", "wassenger-samples", "folder for the samples, one file each")
	cmd.Flags().DurationVar(&s.wait, "wait", 15*time.Second, "how long to wait for each sample")
	return cmd
}

const (
	// sampleHook is the name of temporary webhooks, which leftovers are known by.
	sampleHook = "Relance sample"
	// cleanUp is how long removing one may take once the command was told to stop.
	cleanUp = 15 * time.Second
)

// sampler has samples sent to itself.
type sampler struct {
	provider *wassenger.Client
	device   string
	base     *url.URL // leads to inbox
	inbox    inbox
	dir      string
	wait     time.Duration
	out      io.Writer
}

// serve receives on the address while the samples are taken.
func (s *sampler) serve(ctx context.Context, address string, wanted []sample) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("making the folder for the samples: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listening for the samples: %w", err)
	}
	fmt.Fprintf(s.out, "Listening on %s for what the provider sends to %s\n", listener.Addr(), masked(s.base.String()))
	serving, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- serveHTTP(serving, listener, &s.inbox, slog.New(slog.DiscardHandler)) }()
	err = s.takeAll(ctx, wanted)
	stop()
	return errors.Join(err, <-served)
}

// takeAll takes one sample after the other, so that an account needs room for one
// webhook more and the provider is not asked for many things at once.
func (s *sampler) takeAll(ctx context.Context, wanted []sample) error {
	if err := s.sweep(ctx); err != nil {
		return err
	}
	var failed []string
	for n, w := range wanted {
		raw, err := s.take(ctx, w)
		line, good := "", false
		if raw != nil {
			line, good = w.judge(raw)
		}
		if err != nil {
			told := strings.ReplaceAll(err.Error(), "\n", "; ") // of joined errors
			line, good = strings.TrimPrefix(line+"; "+told, "; "), false
		}
		fmt.Fprintf(s.out, "%-26s %s\n", w.id, line)
		if !good {
			failed = append(failed, w.id)
		}
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("interrupted after %d of %d samples", n, len(wanted))
		case err != nil && concernsAll(err):
			return fmt.Errorf("gave up after %d of %d samples, since the next one would fare no better", n, len(wanted))
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("%d of %d samples did not come or are not read as they should be: %s", len(failed), len(wanted), strings.Join(failed, ", "))
	}
	fmt.Fprintf(s.out, "All %d samples are read as they should be. They are in %s.\n", len(wanted), s.dir)
	return nil
}

// concernsAll says that an error is about the account, the connection or too many
// requests rather than about one sample.
func concernsAll(err error) bool {
	switch refused, _ := errors.AsType[*wassenger.Error](err); {
	case refused == nil:
		return false
	case refused.Class == wassenger.Halted, refused.Class == wassenger.Down, refused.Class == wassenger.Retry:
		return true
	}
	return false
}

// sweep removes what an earlier run left behind that was killed.
func (s *sampler) sweep(ctx context.Context) error {
	below := *s.base.JoinPath("/")
	below.RawQuery = ""
	return s.removeAll(ctx, func(w wassenger.Webhook) bool {
		return w.Name == sampleHook && strings.HasPrefix(w.URL, below.String())
	})
}

func (s *sampler) removeAll(ctx context.Context, condemned func(wassenger.Webhook) bool) error {
	listed, err := s.provider.Webhooks(ctx)
	if err != nil {
		return fmt.Errorf("listing the webhooks: %w", plainly(err))
	}
	var errs []error
	for _, w := range listed {
		if !condemned(w) {
			continue
		}
		if err := s.provider.DeleteWebhook(ctx, w.ID); err != nil {
			errs = append(errs, fmt.Errorf("removing the temporary webhook %s; remove it in the provider's console: %w", w.ID, plainly(err)))
		}
	}
	return errors.Join(errs...)
}

// take has one sample sent to an address of its own and stores it. The sample may
// come beside an error.
func (s *sampler) take(ctx context.Context, w sample) (raw []byte, err error) {
	segment, delivered := s.inbox.expect()
	hook := wassenger.Webhook{Name: sampleHook, URL: s.base.JoinPath(segment).String(), Events: []string{w.event}, DeviceID: s.device}
	created, refusal := s.provider.CreateWebhook(ctx, hook, w.id)
	if refusal == nil || wassenger.ClassOf(refusal) == wassenger.Unknown {
		defer func() { err = errors.Join(err, s.remove(ctx, created.ID, hook.URL)) }()
	}
	if refusal != nil {
		select {
		case raw = <-delivered: // before an answer that was lost
			return raw, s.store(w.id, raw)
		default:
			return nil, fmt.Errorf("asking for the sample: %w", plainly(refusal))
		}
	}
	timer := time.NewTimer(s.wait)
	defer timer.Stop()
	select {
	case raw = <-delivered:
		return raw, s.store(w.id, raw)
	case <-timer.C:
		return nil, fmt.Errorf("none came within %s: is --url where the provider reaches this machine?", s.wait)
	case <-ctx.Done():
		return nil, errors.New("interrupted")
	}
}

// remove removes a temporary webhook, also after an interrupt. Without an id it
// is not known whether there is one.
func (s *sampler) remove(ctx context.Context, id, address string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUp)
	defer cancel()
	if id == "" {
		if err := s.removeAll(ctx, func(w wassenger.Webhook) bool { return w.URL == address }); err != nil {
			return fmt.Errorf("a temporary webhook %q may be left behind: %w", sampleHook, err)
		}
		return nil
	}
	if err := s.provider.DeleteWebhook(ctx, id); err != nil {
		return fmt.Errorf("removing the temporary webhook %s; remove it in the provider's console: %w", id, plainly(err))
	}
	return nil
}

// store writes a sample as it came, only indented. It may hold personal data.
func (s *sampler) store(id string, raw []byte) error {
	var content bytes.Buffer
	if json.Indent(&content, bytes.TrimSpace(raw), "", "  ") != nil {
		content.Reset()
		content.Write(raw)
	}
	content.WriteByte('\n')
	if err := os.WriteFile(filepath.Join(s.dir, id+".json"), content.Bytes(), 0o600); err != nil {
		return fmt.Errorf("storing the sample: %w", err)
	}
	return nil
}
