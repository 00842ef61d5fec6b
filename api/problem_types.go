package api

import (
	"bytes"
	_ "embed" // the page of problems
	"html/template"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// problemType is a kind of problem, documented once at its own address.
type problemType struct {
	Slug, Title string
	Status      int
	// Means says what happened, Do what a caller can do about it.
	Means, Do string
}

const (
	keyReused   = "idempotency-key-reused"
	keyInFlight = "idempotency-in-flight"
)

// problemTypes are all that this API answers with. The first of a status is what
// a problem of that status is when nothing more is said. Slugs are for good.
func problemTypes() []problemType {
	return []problemType{
		{"malformed-request", "", http.StatusBadRequest, "The request or its body cannot be read, or there is no body.",
			"Send the body that the operation documents, as valid JSON."},
		{"unauthenticated", "", http.StatusUnauthorized, "Nobody is logged in, or the token, the password or the signature is wrong.",
			"Log in with POST /auth/login, or send a valid API token as Authorization: Bearer."},
		{"forbidden", "", http.StatusForbidden, "The caller is known and may not do this, or a browser was led here by another site.",
			"Ask a super_admin."},
		{"not-found", "", http.StatusNotFound, "There is nothing at this path or with this id.", "Check the id; it may have been deleted."},
		{"method-not-allowed", "", http.StatusMethodNotAllowed, "The path exists and does not take this method.", "The Allow header names the methods that it takes."},
		{"not-acceptable", "", http.StatusNotAcceptable, "No answer can be given in the form that the Accept header asks for.", "Accept application/json."},
		{"request-timeout", "", http.StatusRequestTimeout, "The body did not arrive in time.", "Send it again, at once and whole."},
		{"conflict", "", http.StatusConflict, "What is asked does not fit the present state, or something like it exists already. errors[] names the field, where it is one.",
			"Read the present state, then decide."},
		{"too-large", "", http.StatusRequestEntityTooLarge, "The body is larger than this operation takes.", "Send less at once."},
		{"unsupported-media-type", "", http.StatusUnsupportedMediaType, "The body is in a form that this operation does not take.", "Set Content-Type to what the operation documents."},
		{"validation-failed", "", http.StatusUnprocessableEntity, "A field is missing or has a value that it cannot have. errors[] names each one and what would be valid.",
			"Correct the fields named by errors[].location."},
		{"too-many-requests", "", http.StatusTooManyRequests, "The caller asks faster than it may, or a password was tried too often.",
			"Wait for as many seconds as the Retry-After header says."},
		{"request-given-up", "", statusClientClosed, "The caller hung up before there was an answer.", "Nothing; only our log shows it."},
		{"internal", "", http.StatusInternalServerError, "Something went wrong on our side. Whether a change was made is not known.",
			"Look for the request id in the log, and at the present state before trying again."},
		{"provider-failed", "", http.StatusBadGateway, "The provider of WhatsApp messages gave no good answer.", "Look at GET /monitoring, and try again in a moment."},
		{"unavailable", "", http.StatusServiceUnavailable, "The database does not answer, or this took too long. Whether a change was made is not known.",
			"Try again in a moment, with the same Idempotency-Key where keys are honoured."},
		{keyReused, "Idempotency-Key Reused", http.StatusUnprocessableEntity, "The Idempotency-Key was used within the last 24 hours for another request: another path, query or body.",
			"Use a new key for a new request."},
		{keyInFlight, "Idempotency-Key In Flight", http.StatusConflict, "A request with this Idempotency-Key has not been answered yet.",
			"Send the same request again after as many seconds as the Retry-After header says."},
	}
}

// typePath is where problem types are documented, on this server.
const typePath = "/docs/problems#"

// typeURI is the type of a problem of a status of which nothing more is known.
func typeURI(status int) string {
	for _, kind := range problemTypes() {
		if kind.Status == status {
			return typePath + kind.Slug
		}
	}
	return "about:blank" // RFC 9457: no more than the status says
}

// special is a problem whose type says more than its status.
func special(slug, detail string) *huma.ErrorModel {
	for _, kind := range problemTypes() {
		if kind.Slug == slug {
			return &huma.ErrorModel{Type: typePath + slug, Title: kind.Title, Status: kind.Status, Detail: detail}
		}
	}
	panic("no problem has the type " + slug)
}

//go:embed docs/problems.html
var problemsPage string

// drawProblems draws the page of problem types.
func drawProblems() ([]byte, error) {
	drawn, err := template.New("problems").Parse(problemsPage)
	if err != nil {
		return nil, err
	}
	types := problemTypes()
	for i, kind := range types {
		if kind.Title == "" {
			types[i].Title = http.StatusText(kind.Status)
		}
	}
	var page bytes.Buffer
	err = drawn.Execute(&page, types)
	return page.Bytes(), err
}
