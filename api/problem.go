package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/relance/relance/store"
)

const problemJSON = "application/problem+json"

// problem is an answer of RFC 9457. Details name what is wrong with which field.
func problem(status int, detail string, details ...*huma.ErrorDetail) *huma.ErrorModel {
	return &huma.ErrorModel{Type: typeURI(status), Status: status, Title: http.StatusText(status), Detail: detail, Errors: details}
}

// fields gathers everything that is wrong with a request, so that it is told at once.
type fields []*huma.ErrorDetail

// wrong notes a field, such as "body.phone", and what would be right.
func (f *fields) wrong(location, format string, args ...any) {
	*f = append(*f, &huma.ErrorDetail{Location: location, Message: fmt.Sprintf(format, args...)})
}

// problem is nil when nothing was wrong.
func (f *fields) problem() error {
	if len(*f) == 0 {
		return nil
	}
	return problem(http.StatusUnprocessableEntity, "validation failed", *f...)
}

// invalid is a problem with one field.
func invalid(location, format string, args ...any) error {
	var f fields
	f.wrong(location, format, args...)
	return f.problem()
}

// taken is a conflict about one field.
func taken(location, message string) error {
	return problem(http.StatusConflict, message, &huma.ErrorDetail{Location: location, Message: message})
}

// tooMany asks a caller to wait.
func tooMany(wait time.Duration, detail string) error {
	return retryAfter(wait, problem(http.StatusTooManyRequests, detail))
}

// retryAfter adds to a problem when to try again, in whole seconds.
func retryAfter(wait time.Duration, p *huma.ErrorModel) error {
	seconds := max(1, int64(math.Ceil(wait.Seconds())))
	return huma.ErrorWithHeaders(p, http.Header{"Retry-After": {strconv.FormatInt(seconds, 10)}})
}

// missing names the field in which a [store.MissingError]'s ids were given; it
// passes on any other error.
func missing(err error, locations map[string]string) error {
	var absent *store.MissingError
	if !errors.As(err, &absent) {
		return err
	}
	return invalid(locations[absent.Kind], "no %s has the id %s", absent.Kind, some(absent.IDs))
}

// some lists ids without letting an answer grow with a mistaken request.
func some(ids []uuid.UUID) string {
	const most = 20
	var texts []string
	for _, id := range ids[:min(len(ids), most)] {
		texts = append(texts, id.String())
	}
	text := strings.Join(texts, ", ")
	if more := len(ids) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// problemOf turns any error into an answer. What the caller cannot help is
// logged, and answered without a word about our insides.
func (a *API) problemOf(ctx context.Context, err error) error {
	var known *huma.ErrorModel
	var absent *store.MissingError
	switch {
	case errors.As(err, &known):
		return err // with its headers, if it has any
	case errors.As(err, &absent):
		return missing(err, map[string]string{"category": "body.category_ids", "contact": "body.contact_ids"})
	case errors.Is(err, store.ErrNotFound):
		return problem(http.StatusNotFound, "There is nothing with this id.")
	case errors.Is(err, store.ErrConflict):
		return problem(http.StatusConflict, "What is asked does not fit the present state.")
	case errors.Is(err, context.Canceled):
		return problem(statusClientClosed, "The request was given up.")
	case errors.Is(err, context.DeadlineExceeded):
		a.logger.ErrorContext(ctx, "A request took too long.", "request_id", requestID(ctx), "error", err)
		return problem(http.StatusServiceUnavailable, "This took too long. Try again in a moment.")
	case store.Unavailable(err):
		a.logger.ErrorContext(ctx, "The database does not answer.", "request_id", requestID(ctx), "error", err)
		return problem(http.StatusServiceUnavailable, "The database does not answer. Try again in a moment.")
	}
	a.logger.ErrorContext(ctx, "A request failed.", "request_id", requestID(ctx), "error", err)
	return internal(requestID(ctx))
}

// statusClientClosed is what a log shows of a caller who did not wait.
const statusClientClosed = 499

func internal(requestID string) *huma.ErrorModel {
	return problem(http.StatusInternalServerError, "Something went wrong on our side; the log has more under the request id "+requestID+".")
}

// writeProblem answers outside of huma's operations.
func writeProblem(c *gin.Context, p *huma.ErrorModel) {
	c.Header("Content-Type", problemJSON)
	c.JSON(p.Status, p)
	c.Abort()
}

// polishProblem is applied to every answer. huma's own problems have no type,
// echo what was sent, which may be a password or a phone number on its way into a
// caller's log, and name a missing field in words only.
func polishProblem(_ huma.Context, _ string, answer any) (any, error) {
	p, ok := answer.(*huma.ErrorModel)
	if !ok {
		return answer, nil
	}
	if p.Type == "" {
		p.Type = typeURI(p.Status)
	}
	for _, detail := range p.Errors {
		detail.Value = nil
		if name, ok := strings.CutPrefix(detail.Message, "expected required property "); ok {
			name, _, _ = strings.Cut(name, " ")
			detail.Location += "." + name
		}
	}
	return p, nil
}
