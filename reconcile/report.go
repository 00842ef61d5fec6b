package reconcile

import (
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/store"
)

// Report is what was found and done, in counts and ids: neither a number nor a text.
type Report struct {
	// Applied: it was done, and not only looked.
	Applied bool `json:"applied"`
	// Restored: the database was refused as one that may be older than what has been
	// sent, when this began.
	Restored bool      `json:"restored"`
	Provider *Provider `json:"provider,omitempty"`
	Temporal *Temporal `json:"temporal,omitempty"`
	// Remains says what is still to be done; empty when the three agree.
	Remains []string `json:"remains"`
}

// Provider is how the database stood to what the provider knows.
type Provider struct {
	Since   time.Time `json:"since"` // what was asked for
	Listed  int       `json:"messages_listed"`
	Inbound int       `json:"inbound_listed"`
	// WithoutReplies: what people wrote was not asked for.
	WithoutReplies bool `json:"without_replies"`
	store.Settled
}

// Temporal is how the database stood to what Temporal runs.
type Temporal struct {
	// Strange are campaigns whose workflows run and that the database does not have,
	// or not as launched.
	Strange    []uuid.UUID `json:"strange_campaigns,omitempty"`
	Terminated int         `json:"workflows_terminated"`
	Campaigns  int         `json:"campaigns_without_workflow"`
	// Ended are those of them that had ended: cancelled, perhaps, after the
	// database's moment.
	Ended    []uuid.UUID `json:"campaigns_ended,omitempty"`
	Answers  int         `json:"owed_answers_without_workflow"`
	Admitted int         `json:"admitted_contacts_without_workflow"`
	Waiting  int         `json:"waiting_contacts_without_workflow"`
	Started  int         `json:"workflows_started"`
}

func (t *Temporal) missing() int { return t.Campaigns + t.Answers + t.Admitted + t.Waiting }

// Print writes the report in plain words.
func (r *Report) Print(out io.Writer) {
	if r.Restored {
		fmt.Fprintln(out, "The database was restored, or is another than before: nothing was decided in it.")
	}
	verb := "would be"
	if r.Applied {
		verb = "were"
	}
	if p := r.Provider; p != nil {
		fmt.Fprintf(out, "The provider lists %d messages of this account and %d inbound ones since %s.\n", p.Listed, p.Inbound, p.Since.UTC().Format(time.RFC3339))
		if p.WithoutReplies {
			fmt.Fprintln(out, "Inbound messages were not asked for.")
		}
		if p.Nothing() {
			fmt.Fprintln(out, "The database knew all that decides.")
		}
		lines(out, []line{
			{len(p.Launched), "campaigns have begun that were not known to; their audiences %s frozen"},
			{p.Message1, "Message 1s have left that were not known to; they %s recorded"},
			{p.Replies, "replies were not known; they %s taken in"},
			{p.Message2, "Message 2s have left that were not known to; they %s recorded"},
			{p.Acknowledged, "messages were delivered, read or failed since; they %s moved on"},
			{p.Strangers, "messages belong to no campaign here; they %s counted against the quota"},
		}, verb)
		if p.Owed > 0 {
			fmt.Fprintf(out, "%d answers are owed and have not left; the workers send them.\n", p.Owed)
		}
	}
	if t := r.Temporal; t != nil {
		if !r.Applied && r.Provider != nil && !r.Provider.Nothing() {
			fmt.Fprintln(out, "Temporal, against the database as it is now; when it knows the above, less is to be done:")
		}
		if len(t.Strange)+t.missing() == 0 {
			fmt.Fprintln(out, "Temporal runs what it should.")
		}
		lines(out, []line{
			{len(t.Strange), "campaigns run in Temporal that the database does not have; their workflows %s terminated"},
			{t.Campaigns, "campaigns had no workflow; they %s started anew"},
			{len(t.Ended), "of them had ended before, by an admin or by themselves; they %s paused until somebody resumes or cancels them"},
			{t.Answers, "contacts who are owed an answer had no workflow; they %s revived"},
			{t.Admitted, "contacts who wait for Message 1 had no workflow; they %s revived"},
			{t.Waiting, "contacts whose replies are awaited had no workflow; they %s revived"},
		}, verb)
		for _, id := range t.Strange {
			fmt.Fprintf(out, "Not in the database: campaign %s. Whom it reached is not known here; a new campaign to the same people writes to them again.\n", id)
		}
	}
	for _, what := range r.Remains {
		fmt.Fprintln(out, "Remains:", what)
	}
	if len(r.Remains) == 0 {
		fmt.Fprintln(out, "Database, provider and Temporal agree.")
	}
}

type line struct {
	n    int
	text string
}

func lines(out io.Writer, all []line, verb string) {
	for _, l := range all {
		if l.n > 0 {
			fmt.Fprintf(out, "%d %s.\n", l.n, fmt.Sprintf(l.text, verb))
		}
	}
}
