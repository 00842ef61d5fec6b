package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"path"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/relance/relance/store"
)

// unchanging marks a route that changes nothing although its method could.
func unchanging(op *huma.Operation) { op.Metadata[unchangingKey] = true }

const unchangingKey = "unchanging"

// audited tells whether an operation is recorded: all that may change something,
// unless it says that it does not, and what hands out personal data as a whole. Logins are recorded by the store, in the
// transaction that they are about; webhooks are kept as a whole.
func audited(op huma.Operation) bool {
	who := op.Metadata[accessKey]
	told := op.Method != http.MethodGet && op.Metadata[unchangingKey] == nil || op.Metadata[revealingKey] != nil
	return told && (who == signedIn || who == superAdmin)
}

// recorded writes the audit log around a handler, in one place for all of them:
// before it runs that it is about to, after it what became of that. So there is no
// change without a row, whatever dies when. In return a row can say that nobody
// knows: its outcome stays "unknown" when the process died in between, or when
// the answer was an error after which the change may have been made. What was
// surely refused leaves nothing.
func recorded[I, O any](a *API, action string, handle func(context.Context, *I) (*O, error)) func(context.Context, *I) (*O, error) {
	return func(ctx context.Context, input *I) (*O, error) {
		id, err := a.store.BeginAudit(ctx, callerID(ctx), action)
		if err != nil {
			return nil, a.problemOf(ctx, err)
		}
		noted := map[string]any{}
		output, err := handle(context.WithValue(ctx, notesKey{}, noted), input)
		finishing, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
		defer cancel()
		var refused huma.StatusError
		switch {
		case err == nil:
			a.auditWritten(ctx, action, a.store.FinishAudit(finishing, id, subjectOf(input, output), noted))
		case errors.As(err, &refused) && refused.GetStatus() < statusClientClosed:
			a.auditWritten(ctx, action, a.store.ForgetAudit(finishing, id))
		}
		return output, err
	}
}

func (a *API) auditWritten(ctx context.Context, action string, err error) {
	if err != nil {
		a.logger.ErrorContext(ctx, "The audit log does not know what became of an action.",
			"request_id", requestID(ctx), "action", action, "error", err)
	}
}

type notesKey struct{}

// note adds to what the audit log says about the change under way. It must be no
// phone number, no name of a person, no text and no secret.
func note(ctx context.Context, name string, value any) {
	if noted, ok := ctx.Value(notesKey{}).(map[string]any); ok {
		noted[name] = value
	}
}

// subjectOf is what a change was about: what it made, else what its path names.
func subjectOf(input, output any) uuid.UUID {
	in, out := reflect.Indirect(reflect.ValueOf(input)), reflect.Indirect(reflect.ValueOf(output))
	if location, ok := field(out, "Location").(string); ok {
		if id, err := uuid.Parse(path.Base(location)); err == nil {
			return id
		}
	}
	if id, ok := field(in, "ID").(uuid.UUID); ok {
		return id
	}
	if out.IsValid() && out.Kind() == reflect.Struct {
		if id, ok := field(out.FieldByName("Body"), "ID").(uuid.UUID); ok {
			return id
		}
	}
	return uuid.Nil
}

// field reads a struct's field; nil if there is none.
func field(of reflect.Value, name string) any {
	if !of.IsValid() || of.Kind() != reflect.Struct {
		return nil
	}
	found := of.FieldByName(name)
	if !found.IsValid() {
		return nil
	}
	return found.Interface()
}

type auditView struct {
	ID        int64           `json:"id" example:"1042"`
	At        time.Time       `json:"at" example:"2026-06-01T09:00:00Z"`
	UserID    *uuid.UUID      `json:"user_id" example:"0197d2c0-05aa-7d12-8c44-b7e6a5948372" nullable:"true" format:"uuid" doc:"Who did it; null for a failed login with nobody's address, and for the command line."`
	UserEmail *string         `json:"user_email" example:"admin@example.com"`
	Action    string          `json:"action" example:"post-campaigns-id-pause" doc:"The operationId of what was called."`
	SubjectID *uuid.UUID      `json:"subject_id" example:"0197d2c6-3c5d-7a91-b2f7-91d3e5a7c024" nullable:"true" format:"uuid" doc:"What was changed or made."`
	Outcome   string          `json:"outcome" example:"done" enum:"done,refused,unknown" doc:"Only wrong passwords are refused. Unknown: still under way, or nobody can tell whether the change was made."`
	Details   json.RawMessage `json:"details"`
}

func viewAudit(e store.AuditEntry) auditView {
	view := auditView{
		ID: e.ID, At: e.At.UTC(), UserID: e.UserID, UserEmail: e.UserEmail, Action: e.Action, SubjectID: e.SubjectID,
		Outcome: string(e.Outcome), Details: e.Details,
	}
	if e.Outcome == store.AuditBegun {
		view.Outcome = "unknown"
	}
	return view
}

type listAuditInput struct {
	Paging
	UserID    uuid.UUID `query:"user_id" example:"0197d2c0-05aa-7d12-8c44-b7e6a5948372" format:"uuid" doc:"Only what this user did."`
	Action    string    `query:"action" maxLength:"100" example:"post-contacts" doc:"Only this operationId."`
	SubjectID uuid.UUID `query:"subject_id" example:"0197d2c6-3c5d-7a91-b2f7-91d3e5a7c024" format:"uuid" doc:"Only what was done to this."`
}

func (a *API) listAudit(ctx context.Context, in *listAuditInput) (*listOutput[auditView], error) {
	if err := storable(in.Action); err != nil {
		return nil, invalid("query.action", "%s", err)
	}
	before, err := place[int64](in.Cursor)
	if err != nil {
		return nil, err
	}
	if before == nil {
		before = new(int64)
	}
	found, err := a.store.Audit(ctx, store.AuditFilter{UserID: in.UserID, Action: in.Action, SubjectID: in.SubjectID}, *before, in.Limit)
	if err != nil {
		return nil, err
	}
	body := list[auditView]{Items: viewAll(found.Entries, viewAudit)}
	if found.More {
		if body.NextCursor, err = cursorTo(found.Entries[in.Limit-1].ID); err != nil {
			return nil, err
		}
	}
	return &listOutput[auditView]{Body: body}, nil
}
