package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

func doctorCommand() *cobra.Command {
	var asJSON bool
	var patience time.Duration
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check this deployment from end to end and say what to do about each finding",
		Long: `Looks, with the environment of an API or a worker, at everything that a campaign needs: rules,
database, schema, Redis, Temporal, namespace, search attributes, workers, encryption, the
provider's token and device, the webhook and whether it leads here, and all clocks. It sends
and changes nothing.

It prints a line for each check and what to do about what is not in order, and ends with 0
unless a check has failed. Warnings are no failures. No secret is printed.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if patience <= 0 {
				return fmt.Errorf("--timeout must be longer than 0, not %s", patience)
			}
			findings := examine(cmd.Context(), processEnvironment(), patience)
			if err := tell(cmd.OutOrStdout(), findings, asJSON); err != nil {
				return err
			}
			if n := countOf(findings, failed); n > 0 {
				return fmt.Errorf("%d of %d checks failed", n, len(findings))
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	cmd.Flags().DurationVar(&patience, "timeout", 5*time.Second, "how long each check may take")
	return cmd
}

// grade is how a check ended.
type grade string

const (
	inOrder grade = "ok"
	warning grade = "warning" // Relance runs, but not as it should
	failed  grade = "failure"
	skipped grade = "skipped" // something that it needs has failed
)

// finding is what a check has found. It holds no secret.
type finding struct {
	Check  string `json:"check"`
	Result grade  `json:"result"`
	Says   string `json:"says"`
	Remedy string `json:"remedy,omitempty"`
}

// examination is one check. If one that others are in need of fails, the rest of
// its part is skipped.
type examination struct {
	name  string
	run   func(context.Context) finding
	vital bool
}

func ok(format string, args ...any) finding {
	return finding{Result: inOrder, Says: fmt.Sprintf(format, args...)}
}

func warn(remedy, format string, args ...any) finding {
	return finding{Result: warning, Says: fmt.Sprintf(format, args...), Remedy: remedy}
}

func fail(remedy, format string, args ...any) finding {
	return finding{Result: failed, Says: fmt.Sprintf(format, args...), Remedy: remedy}
}

// examine looks at the parts of a deployment side by side.
func examine(ctx context.Context, environment map[string]string, patience time.Duration) []finding {
	c, err := readConfig(environment)
	if err != nil {
		return []finding{{Check: "configuration", Result: failed, Says: oneLine(err), Remedy: "correct this variable; .env.example explains each"}}
	}
	database, temporal, provider := &databaseDoctor{config: c}, &temporalDoctor{}, &providerDoctor{config: c}
	defer database.close()
	defer temporal.close()
	parts := [][]examination{
		{{name: "rules", run: func(context.Context) finding { return c.examineRules() }}},
		database.examinations(),
		{{name: "redis", run: c.examineRedis}},
		temporal.examinations(),
		provider.examinations(),
	}
	found := make([][]finding, len(parts))
	var group errgroup.Group
	for i, part := range parts {
		group.Go(func() error {
			found[i] = examinePart(ctx, part, patience)
			return nil
		})
	}
	_ = group.Wait() // none has an error
	var all []finding
	for _, part := range found {
		all = append(all, part...)
	}
	return all
}

func examinePart(ctx context.Context, part []examination, patience time.Duration) (found []finding) {
	missed := ""
	for _, each := range part {
		f := finding{Result: skipped, Says: fmt.Sprintf("needs the check %q to succeed", missed)}
		if missed == "" {
			limited, cancel := context.WithTimeout(ctx, patience)
			f = each.run(limited)
			cancel()
		}
		if f.Result == failed && each.vital {
			missed = each.name
		}
		f.Check = each.name
		found = append(found, f)
	}
	return found
}

func tell(out io.Writer, findings []finding, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(struct {
			OK     bool      `json:"ok"`
			Checks []finding `json:"checks"`
		}{countOf(findings, failed) == 0, findings})
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, f := range findings {
		fmt.Fprintf(table, "%s\t%s\t%s\n", f.Result, f.Check, f.Says)
		if f.Remedy != "" {
			fmt.Fprintf(table, "\t\t→ %s\n", f.Remedy)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d in order, %d warnings, %d failures, %d skipped.\n",
		countOf(findings, inOrder), countOf(findings, warning), countOf(findings, failed), countOf(findings, skipped))
	return nil
}

func countOf(findings []finding, result grade) (n int) {
	for _, f := range findings {
		if f.Result == result {
			n++
		}
	}
	return n
}

// oneLine is an error as it stands in a line of its own.
func oneLine(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

// skew grades how far a clock is from this machine's.
func skew(whose string, ahead, tolerance time.Duration) finding {
	direction := "ahead of"
	if ahead < 0 {
		direction = "behind"
	}
	off := ahead.Abs().Round(10 * time.Millisecond)
	says := fmt.Sprintf("this machine's clock is %s %s %s", off, direction, whose)
	const remedy = "let every machine set its clock by NTP, and see that it does (`timedatectl`)"
	switch {
	case ahead.Abs() > 30*time.Second:
		return fail(remedy, "%s", says)
	case ahead.Abs() > tolerance:
		return warn(remedy, "%s", says)
	}
	return ok("this machine's agrees with it to %s", off)
}
