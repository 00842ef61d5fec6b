package worker

import (
	"context"
	"log/slog"

	"github.com/google/uuid"

	"github.com/relance/relance/workflows"
)

// LogHandler adds campaign_id and contact_id to the lines of Temporal's SDK, which
// names them only within the id of the workflow that a line is about.
func LogHandler(next slog.Handler) slog.Handler { return logHandler{next} }

type logHandler struct{ slog.Handler }

// workflowIDKey is what the SDK calls a workflow's id.
const workflowIDKey = "WorkflowID"

func (h logHandler) Handle(ctx context.Context, record slog.Record) error {
	var added []slog.Attr
	record.Attrs(func(attribute slog.Attr) bool {
		added = append(added, named(attribute)...)
		return true
	})
	if len(added) > 0 {
		record = record.Clone()
		record.AddAttrs(added...)
	}
	return h.Handler.Handle(ctx, record)
}

func (h logHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	all := attributes
	for _, attribute := range attributes {
		all = append(all[:len(all):len(all)], named(attribute)...)
	}
	return logHandler{h.Handler.WithAttrs(all)}
}

func (h logHandler) WithGroup(name string) slog.Handler { return logHandler{h.Handler.WithGroup(name)} }

// named is whom a workflow's id names.
func named(attribute slog.Attr) (added []slog.Attr) {
	if attribute.Key != workflowIDKey {
		return nil
	}
	campaignID, contactID, _ := workflows.SubjectOf(attribute.Value.String())
	if campaignID != uuid.Nil {
		added = append(added, slog.String("campaign_id", campaignID.String()))
	}
	if contactID != uuid.Nil {
		added = append(added, slog.String("contact_id", contactID.String()))
	}
	return added
}
