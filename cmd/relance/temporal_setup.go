package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/spf13/cobra"
	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/relance/relance/worker"
)

// defaultRetention lets whoever looks into a campaign see its ended workflows for a week.
const defaultRetention = 7 * 24 * time.Hour

// setupPatience bounds all of a setup. A new namespace is known everywhere in a
// cluster after some ten seconds.
const setupPatience = 90 * time.Second

func temporalSetupCommand() *cobra.Command {
	var retention time.Duration
	cmd := &cobra.Command{
		Use:   "setup",
		Short: "Register the namespace and the search attributes that Relance needs",
		Long: `Registers the namespace TEMPORAL_NAMESPACE and in it the search attributes CampaignId and
ContactState, as far as they are missing, and says what it did. It may be repeated. The
retention of a namespace that exists is changed only if --retention is given.

It ends with 0 only if Relance can run in the namespace. What these credentials may not do
(on Temporal Cloud, neither of the two) it prints as commands for somebody who may.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if retention <= 0 {
				return fmt.Errorf("--retention must be longer than 0, not %s", retention)
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), setupPatience)
			defer cancel()
			c, namespace, err := dialTemporal(ctx)
			if err != nil {
				return err
			}
			defer c.Close()
			s := temporalSetup{
				client: c, namespace: namespace, retention: retention, retentionGiven: cmd.Flags().Changed("retention"),
				remedy: setupByHand(onTemporalCloud(processEnvironment()["TEMPORAL_ADDRESS"])), out: cmd.OutOrStdout(),
			}
			return s.run(ctx)
		},
	}
	cmd.Flags().DurationVar(&retention, "retention", defaultRetention, "how long ended workflows can be looked at, such as 72h")
	return cmd
}

type temporalSetup struct {
	client         client.Client
	namespace      string
	retention      time.Duration
	retentionGiven bool
	remedy         byHand
	out            io.Writer
}

// errSetup is all that is left to say after the findings have been printed.
var errSetup = errors.New("the namespace is not ready for Relance; somebody else has to do what is printed above")

func (s *temporalSetup) run(ctx context.Context) error {
	ready, err := s.ensureNamespace(ctx)
	if err != nil {
		return err
	}
	attributes, err := s.ensureSearchAttributes(ctx, ready)
	if err != nil {
		return err
	}
	if !ready || !attributes {
		return errSetup
	}
	return nil
}

// ensureNamespace reports whether the namespace is there and as it was asked for.
func (s *temporalSetup) ensureNamespace(ctx context.Context) (bool, error) {
	described, err := s.client.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: s.namespace})
	var absent *serviceerror.NamespaceNotFound
	var unknown *serviceerror.NotFound
	switch {
	case errors.As(err, &absent), errors.As(err, &unknown):
		return s.registerNamespace(ctx)
	case worker.IsRefused(err):
		s.couldNot("be looked at; it may not exist", err, s.remedy.namespace(s.namespace, s.retention))
		return false, nil
	case err != nil:
		return false, fmt.Errorf("looking for the namespace %s: %w", s.namespace, err)
	}
	kept := described.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration()
	if !s.retentionGiven || kept == s.retention {
		fmt.Fprintf(s.out, "Namespace %s: exists and keeps ended workflows for %s.\n", s.namespace, kept)
		return true, nil
	}
	return s.changeRetention(ctx, kept)
}

func (s *temporalSetup) registerNamespace(ctx context.Context) (bool, error) {
	_, err := s.client.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: s.namespace, Description: "Relance", WorkflowExecutionRetentionPeriod: durationpb.New(s.retention),
	})
	var raced *serviceerror.NamespaceAlreadyExists
	switch {
	case worker.IsRefused(err):
		s.couldNot("be registered", err, s.remedy.namespace(s.namespace, s.retention))
		return false, nil
	case err != nil && !errors.As(err, &raced):
		return false, fmt.Errorf("registering the namespace %s: %w", s.namespace, err)
	}
	fmt.Fprintf(s.out, "Namespace %s: registered; it keeps ended workflows for %s.\n", s.namespace, s.retention)
	return true, nil
}

func (s *temporalSetup) changeRetention(ctx context.Context, kept time.Duration) (bool, error) {
	_, err := s.client.WorkflowService().UpdateNamespace(ctx, &workflowservice.UpdateNamespaceRequest{
		Namespace: s.namespace, Config: &namespacepb.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(s.retention)},
	})
	if worker.IsRefused(err) {
		s.couldNot(fmt.Sprintf("be made to keep ended workflows for %s, it keeps them for %s", s.retention, kept), err, s.remedy.retention(s.namespace, s.retention))
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("changing the retention of the namespace %s: %w", s.namespace, err)
	}
	fmt.Fprintf(s.out, "Namespace %s: exists; it keeps ended workflows for %s now, not %s.\n", s.namespace, s.retention, kept)
	return true, nil
}

func (s *temporalSetup) couldNot(what string, err error, remedy string) {
	fmt.Fprintf(s.out, "Namespace %s: could not %s (%s). Somebody who may do it runs:\n    %s\n", s.namespace, what, err, remedy)
}

// ensureSearchAttributes reports whether the namespace has them. In a namespace
// that is not there they are only told of.
func (s *temporalSetup) ensureSearchAttributes(ctx context.Context, hasNamespace bool) (bool, error) {
	missing := worker.SearchAttributes
	var err error
	if hasNamespace {
		err = s.repeated(ctx, func() (err error) {
			missing, err = worker.MissingSearchAttributes(ctx, s.client, s.namespace)
			return err
		})
		if err == nil && len(missing) == 0 {
			fmt.Fprintf(s.out, "Search attributes %s: exist.\n", strings.Join(worker.SearchAttributes, ", "))
			return true, nil
		}
		if err == nil {
			err = s.repeated(ctx, func() error { return worker.EnsureSearchAttributes(ctx, s.client, s.namespace) })
		}
		if err != nil && !worker.IsRefused(err) {
			return false, err
		}
	}
	if hasNamespace && err == nil {
		fmt.Fprintf(s.out, "Search attributes %s: registered.\n", strings.Join(missing, ", "))
		return true, nil
	}
	why := "the namespace comes first"
	if err != nil {
		why = err.Error()
	}
	fmt.Fprintf(s.out, "Search attributes %s: could not be registered (%s). Somebody who may do it runs:\n    %s\n",
		strings.Join(missing, ", "), why, s.remedy.searchAttributes(s.namespace, missing))
	return false, nil
}

// repeated asks again while parts of the cluster do not know a new namespace yet.
func (s *temporalSetup) repeated(ctx context.Context, ask func() error) error {
	for {
		err := ask()
		var absent *serviceerror.NamespaceNotFound
		var unknown *serviceerror.NotFound
		if !errors.As(err, &absent) && !errors.As(err, &unknown) {
			return err
		}
		if pause(ctx, 500*time.Millisecond) != nil {
			return err
		}
	}
}

// byHand are the commands that do what setup may not.
type byHand struct {
	namespace        func(name string, retention time.Duration) string
	retention        func(name string, retention time.Duration) string
	searchAttributes func(name string, missing []string) string
}

// onTemporalCloud tells by the address: namespaces are reached at
// <namespace>.<account>.tmprl.cloud or at <region>.<provider>.api.temporal.io.
func onTemporalCloud(address string) bool {
	host, _, _ := strings.Cut(address, ":")
	return strings.HasSuffix(host, ".tmprl.cloud") || strings.HasSuffix(host, ".api.temporal.io")
}

func setupByHand(cloud bool) byHand {
	if cloud {
		return byHand{
			namespace: func(name string, retention time.Duration) string {
				name, _, _ = strings.Cut(name, ".") // Temporal Cloud adds the account to the name
				return fmt.Sprintf("tcld namespace create --namespace %s --region <region> --retention-days %d --ca-certificate-file <file>", name, days(retention))
			},
			retention: func(name string, retention time.Duration) string {
				return fmt.Sprintf("tcld namespace retention set --namespace %s --retention-days %d", name, days(retention))
			},
			searchAttributes: func(name string, missing []string) string {
				return "tcld namespace search-attributes add --namespace " + name + joined(missing, ` --search-attribute "%s=Keyword"`)
			},
		}
	}
	return byHand{
		namespace: func(name string, retention time.Duration) string {
			return fmt.Sprintf("temporal operator namespace create --namespace %s --retention %s", name, retention)
		},
		retention: func(name string, retention time.Duration) string {
			return fmt.Sprintf("temporal operator namespace update --namespace %s --retention %s", name, retention)
		},
		searchAttributes: func(name string, missing []string) string {
			return "temporal operator search-attribute create --namespace " + name + joined(missing, " --name %s --type Keyword")
		},
	}
}

func days(d time.Duration) int { return int(math.Ceil(d.Hours() / 24)) }

func joined(names []string, format string) string {
	var all strings.Builder
	for _, name := range names {
		fmt.Fprintf(&all, format, name)
	}
	return all.String()
}
