package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/rehearsal"
	"github.com/relance/relance/store"
)

// rehearseFlags are the choices of `relance rehearse`.
type rehearseFlags struct {
	contacts           int
	category           string
	message1, message2 string
	replyRate          float64
	replyAfter, start  string
	seed               uint64
	json               bool
	contactsNamed      bool // --contacts was given
}

// overrides are the variables that may be given as flags, to see what another
// value would make of a campaign.
var overrides = map[string]string{
	"send-limit": "SEND_LIMIT", "send-limit-window": "SEND_LIMIT_WINDOW", "reply-reserve": "REPLY_RESERVE",
	"send-pace": "SEND_PACE", "send-hours": "SEND_HOURS", "reply-window": "REPLY_WINDOW", "campaign-deadline": "CAMPAIGN_DEADLINE",
}

func rehearseCommand() *cobra.Command {
	var flags rehearseFlags
	cmd := &cobra.Command{
		Use:   "rehearse {--contacts N | --category NAME}",
		Short: "Show a campaign hour by hour before it happens; nothing is sent",
		Long: `Plays a whole campaign in skipped time: the real workflows against simulated
contacts, on a quota of which nothing is used yet. It prints what is sent, answered
and refused for quota in each hour, and when the campaign completes.

SEND_LIMIT, SEND_LIMIT_WINDOW, REPLY_RESERVE, SEND_PACE, SEND_HOURS, REPLY_WINDOW and
CAMPAIGN_DEADLINE are read from the environment; flags of the same names override
them. Only --category needs DATABASE_URL. The same --seed gives the same rehearsal.

1,000 contacts take about a second. The time grows with the square of how many are
reached: 5,000 take about ten seconds.`,
		Example: `  relance rehearse --contacts 1000 --reply-rate 0.3 --reply-after 5m-6h
  relance rehearse --category Customers --start 14:30 --send-limit 500 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			flags.contactsNamed = cmd.Flags().Changed("contacts")
			environment := processEnvironment()
			for flag, variable := range overrides {
				if cmd.Flags().Changed(flag) {
					environment[variable] = cmd.Flags().Lookup(flag).Value.String()
				}
			}
			return flags.run(cmd, environment)
		},
	}
	f := cmd.Flags()
	f.IntVar(&flags.contacts, "contacts", 0, "how many contacts the audience has")
	f.StringVar(&flags.category, "category", "", "name or id of the category that is the audience")
	f.StringVar(&flags.message1, "message-1", "", "text of Message 1, to be checked and shown as a contact sees it")
	f.StringVar(&flags.message2, "message-2", "", "text of Message 2")
	f.Float64Var(&flags.replyRate, "reply-rate", 0.3, "share of contacts who reply, 0 to 1")
	f.StringVar(&flags.replyAfter, "reply-after", rehearsal.Usually().String(),
		`how long after Message 1: evenly between two bounds such as 5m-6h, or log-normally such as "median 30m spread 4"`)
	f.StringVar(&flags.start, "start", "", "when it starts: 14:30 today, or 2026-06-01T09:00:00+02:00; now if left out")
	f.Uint64Var(&flags.seed, "seed", 1, "another seed lets chance fall out differently")
	f.BoolVar(&flags.json, "json", false, "print the result as JSON")
	for flag, variable := range overrides {
		f.String(flag, "", "instead of "+variable)
	}
	return cmd
}

func (f rehearseFlags) run(cmd *cobra.Command, environment map[string]string) error {
	if f.contactsNamed == (f.category != "") {
		return errors.New("name the audience with --contacts or --category, one of them")
	}
	var needs []need
	if f.category != "" {
		needs = append(needs, needDatabase)
	}
	c, err := readConfig(environment, needs...)
	if err != nil {
		return err
	}
	place := placeOf(c.SendHours)
	settings, err := f.settings(c, time.Now().In(place))
	if err != nil {
		return err
	}
	if f.category != "" {
		if settings.Contacts, err = categorySize(cmd.Context(), c, f.category); err != nil {
			return err
		}
	}
	result, err := rehearsal.Run(cmd.Context(), settings)
	if err != nil {
		return err
	}
	if f.json {
		encoder := json.NewEncoder(cmd.OutOrStdout())
		encoder.SetIndent("", "  ")
		return encoder.Encode(result)
	}
	p := program{Result: result, rules: settings.Rules, place: settings.Start.Location(), out: cmd.OutOrStdout()}
	p.print(f.message1, f.message2)
	return nil
}

// settings reads the flags. Every error is one sentence that names the flag.
func (f rehearseFlags) settings(c config, now time.Time) (rehearsal.Settings, error) {
	rules, err := c.rules()
	if err != nil {
		return rehearsal.Settings{}, err
	}
	s := rehearsal.Settings{Rules: rules, Contacts: f.contacts, ReplyRate: f.replyRate, Seed: f.seed}
	switch {
	case f.contactsNamed && f.contacts < 1:
		return s, fmt.Errorf("--contacts must be at least 1, not %d", f.contacts)
	case !(f.replyRate >= 0 && f.replyRate <= 1): // written so that NaN fails too
		return s, fmt.Errorf("--reply-rate must be between 0 and 1, not %g", f.replyRate)
	}
	for flag, text := range map[string]string{"--message-1": f.message1, "--message-2": f.message2} {
		if text != "" {
			if err := campaign.ValidateText(text); err != nil {
				return s, fmt.Errorf("%s %w", flag, err)
			}
		}
	}
	if s.ReplyAfter, err = rehearsal.ParseDelay(f.replyAfter); err != nil {
		return s, fmt.Errorf("--reply-after %w", err)
	}
	if s.Start, err = startOf(f.start, now); err != nil {
		return s, fmt.Errorf("--start %w", err)
	}
	return s, nil
}

// placeOf is the time zone that sending hours, which are checked already, are
// in; without sending hours it is this machine's.
func placeOf(sendHours string) *time.Location {
	words := strings.Fields(sendHours)
	if len(words) < 2 {
		return time.Local
	}
	place, err := time.LoadLocation(words[len(words)-1])
	if err != nil {
		return time.Local
	}
	return place
}

// startOf reads when a rehearsal starts, in whole seconds.
func startOf(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return now.Truncate(time.Second), nil
	}
	if clock, err := time.Parse("15:04", s); err == nil {
		return time.Date(now.Year(), now.Month(), now.Day(), clock.Hour(), clock.Minute(), 0, 0, now.Location()), nil
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return at, fmt.Errorf("must be a time of today such as 14:30, or such as 2026-06-01T09:00:00+02:00, not %q", s)
	}
	return at, nil
}

// categorySize counts whom a campaign to a category, given by name or id, would reach now.
func categorySize(ctx context.Context, c config, category string) (size int, err error) {
	if err := schemaIsCurrent(ctx, c); err != nil {
		return 0, err
	}
	s, err := store.Open(ctx, c.DatabaseURL, store.Options{MaxConnections: 1})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	id, err := categoryID(ctx, s, category)
	if err != nil {
		return 0, err
	}
	reach, err := s.Reach(ctx, store.Audience{CategoryIDs: []uuid.UUID{id}})
	var missing *store.MissingError
	if errors.As(err, &missing) {
		return 0, fmt.Errorf("no category has the id %s", id)
	}
	return int(reach.Contacts), err
}

func categoryID(ctx context.Context, s *store.Store, category string) (uuid.UUID, error) {
	if id, err := uuid.Parse(category); err == nil {
		return id, nil
	}
	for after, more := "", true; more; {
		list, err := s.Categories(ctx, after, 200)
		if err != nil {
			return uuid.Nil, err
		}
		for _, each := range list.Categories {
			if strings.EqualFold(each.Name, category) {
				return each.ID, nil
			}
			after = each.Name
		}
		more = list.More
	}
	return uuid.Nil, fmt.Errorf("no category is called %q", category)
}
