package worker

import (
	"context"
	"errors"
	"fmt"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/relance/relance/workflows"
)

// SearchAttributes are the names of the search attributes that the workflows set.
// All of them are of the type Keyword.
var SearchAttributes = []string{workflows.CampaignIDKey.GetName(), workflows.ContactStateKey.GetName()}

// IsRefused reports whether Temporal says that these credentials may not do what
// was asked, or that it offers no such thing, as Temporal Cloud does of
// registrations.
func IsRefused(err error) bool {
	var denied *serviceerror.PermissionDenied
	var absent *serviceerror.Unimplemented
	return errors.As(err, &denied) || errors.As(err, &absent)
}

// MissingSearchAttributes tells which of [SearchAttributes] a namespace lacks. An
// attribute of another type is an error: nothing here can mend that.
func MissingSearchAttributes(ctx context.Context, c client.Client, namespace string) ([]string, error) {
	listed, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if IsRefused(err) {
		return missingByQuery(ctx, c, namespace)
	}
	if err != nil {
		return nil, fmt.Errorf("listing Temporal's search attributes: %w", err)
	}
	var missing []string
	for _, name := range SearchAttributes {
		switch kind, ok := listed.GetCustomAttributes()[name]; {
		case !ok:
			missing = append(missing, name)
		case kind != enumspb.INDEXED_VALUE_TYPE_KEYWORD:
			return nil, fmt.Errorf("the namespace %s has the search attribute %s, but as %s: it must be Keyword; use another namespace or rename it", namespace, name, kind)
		}
	}
	return missing, nil
}

// missingByQuery asks in the way that whoever may run workflows may: a query for
// what is not registered is refused as senseless.
func missingByQuery(ctx context.Context, c client.Client, namespace string) ([]string, error) {
	var missing []string
	for _, name := range SearchAttributes {
		_, err := c.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: namespace, Query: name + " = 'none'"})
		var senseless *serviceerror.InvalidArgument
		switch {
		case errors.As(err, &senseless):
			missing = append(missing, name)
		case err != nil:
			return nil, fmt.Errorf("looking for Temporal's search attribute %s: %w", name, err)
		}
	}
	return missing, nil
}

// EnsureSearchAttributes registers what of [SearchAttributes] the namespace lacks.
// It needs no permission to register if nothing is missing.
func EnsureSearchAttributes(ctx context.Context, c client.Client, namespace string) error {
	missing, err := MissingSearchAttributes(ctx, c, namespace)
	if err != nil || len(missing) == 0 {
		return err
	}
	kinds := map[string]enumspb.IndexedValueType{}
	for _, name := range missing {
		kinds[name] = enumspb.INDEXED_VALUE_TYPE_KEYWORD
	}
	_, err = c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{Namespace: namespace, SearchAttributes: kinds})
	if err == nil {
		return nil
	}
	// Several workers begin at once, and one comes second.
	if still, again := MissingSearchAttributes(ctx, c, namespace); again == nil && len(still) == 0 {
		return nil
	}
	return fmt.Errorf("the namespace %s lacks the search attributes %s, and they could not be registered (see `relance temporal setup`): %w",
		namespace, strings.Join(missing, ", "), err)
}
