package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// routes is the API at a glance: who may call what, and what a success is
// answered with.
func (a *API) routes() {
	route(a, anyone, "POST /auth/login", http.StatusOK, "Log in with e-mail address and password", a.login, largest(4<<10))
	route(a, signedIn, "POST /auth/logout", http.StatusNoContent, "Log out", a.logout)
	route(a, signedIn, "GET /auth/me", http.StatusOK, "Show who is calling", a.me)
	route(a, signedIn, "POST /auth/password", http.StatusNoContent, "Change one's own password; ends one's sessions", a.changePassword, largest(4<<10))
	route(a, signedIn, "GET /auth/sessions", http.StatusOK, "List one's own sessions", a.listSessions)
	route(a, signedIn, "DELETE /auth/sessions", http.StatusOK, "End one's other sessions", a.endOtherSessions)
	route(a, signedIn, "DELETE /auth/sessions/{id}", http.StatusNoContent, "End one of one's own sessions", a.endSession)
	route(a, signedIn, "GET /tokens", http.StatusOK, "List API tokens", a.listTokens)
	route(a, signedIn, "POST /tokens", http.StatusCreated, "Make an API token of one's own; it is shown once", a.createToken, takesKeyForSecret)
	route(a, signedIn, "DELETE /tokens/{id}", http.StatusNoContent, "Revoke an API token", a.revokeToken)

	route(a, superAdmin, "GET /users", http.StatusOK, "List users", a.listUsers)
	route(a, superAdmin, "POST /users", http.StatusCreated, "Create a user", a.createUser, takesKey)
	route(a, superAdmin, "PATCH /users/{id}", http.StatusOK, "Change a user's role, disable the user or set a password", a.changeUser)
	route(a, signedIn, "GET /audit", http.StatusOK, "Tell who changed what", a.listAudit)

	route(a, signedIn, "GET /contacts", http.StatusOK, "List contacts", a.listContacts)
	route(a, signedIn, "POST /contacts", http.StatusCreated, "Create a contact", a.createContact, takesKey)
	route(a, signedIn, "POST /contacts/import", http.StatusAccepted, "Import contacts from a CSV file", a.importContacts, within(importTimeout))
	route(a, signedIn, "GET /contacts/export.csv", http.StatusOK, "Export contacts as a CSV file", a.exportContacts, within(exportPause), answersCSV)
	route(a, signedIn, "GET /contacts/{id}", http.StatusOK, "Show a contact", a.getContact)
	route(a, signedIn, "PUT /contacts/{id}", http.StatusOK, "Replace a contact", a.replaceContact)
	route(a, signedIn, "DELETE /contacts/{id}", http.StatusNoContent, "Delete a contact", a.deleteContact)
	route(a, signedIn, "POST /contacts/{id}/opt-out", http.StatusOK, "Never message a contact again", a.optOut)
	route(a, signedIn, "POST /contacts/{id}/opt-in", http.StatusOK, "Allow messages to a contact again", a.optIn)
	route(a, signedIn, "GET /contacts/{id}/timeline", http.StatusOK, "Tell a contact's story across campaigns", a.contactTimeline)
	route(a, signedIn, "GET /contacts/{id}/personal-data", http.StatusOK, "Export everything that is stored about a person", a.personalData, within(personalDataTimeout), revealing)
	route(a, signedIn, "POST /contacts/{id}/erase", http.StatusOK, "Erase everything that is stored about a person", a.eraseContact)
	route(a, signedIn, "GET /imports", http.StatusOK, "List imports", a.listImports)
	route(a, signedIn, "GET /imports/{id}", http.StatusOK, "Show an import", a.getImport)
	route(a, signedIn, "GET /imports/{id}/errors.csv", http.StatusOK, "Export the rejected rows of an import as a CSV file", a.importErrors, answersCSV)

	route(a, signedIn, "GET /categories", http.StatusOK, "List categories", a.listCategories)
	route(a, signedIn, "POST /categories", http.StatusCreated, "Create a category", a.createCategory, takesKey)
	route(a, signedIn, "GET /categories/{id}", http.StatusOK, "Show a category", a.getCategory)
	route(a, signedIn, "PUT /categories/{id}", http.StatusOK, "Rename a category", a.renameCategory)
	route(a, signedIn, "DELETE /categories/{id}", http.StatusNoContent, "Delete a category, not its contacts", a.deleteCategory)
	route(a, signedIn, "POST /categories/{id}/contacts", http.StatusOK, "Put contacts into a category", a.addToCategory, largest(8<<20))
	route(a, signedIn, "DELETE /categories/{id}/contacts", http.StatusOK, "Take contacts out of a category", a.removeFromCategory, largest(8<<20))

	route(a, signedIn, "POST /campaigns/start", http.StatusAccepted, "Start a campaign, now or later", a.startCampaign, largest(8<<20), takesKey)
	route(a, signedIn, "POST /campaigns/forecast", http.StatusOK, "Tell how a campaign would run under the quota", a.forecastCampaign, largest(8<<20), unchanging)
	route(a, signedIn, "POST /campaigns/rehearse", http.StatusOK, "Play a campaign in skipped time, hour by hour", a.rehearseCampaign, largest(8<<20), within(rehearsalTimeout), unchanging)
	route(a, signedIn, "GET /campaigns", http.StatusOK, "List campaigns", a.listCampaigns)
	route(a, signedIn, "POST /campaigns", http.StatusCreated, "Draft a campaign", a.createDraft, largest(8<<20), takesKey)
	route(a, signedIn, "GET /campaigns/{id}", http.StatusOK, "Show a campaign", a.getCampaign)
	route(a, signedIn, "PUT /campaigns/{id}", http.StatusOK, "Replace a draft, or a campaign that waits for its start", a.replaceDraft, largest(8<<20))
	route(a, signedIn, "DELETE /campaigns/{id}", http.StatusNoContent, "Delete a campaign that has not begun", a.deleteDraft)
	route(a, signedIn, "GET /campaigns/{id}/stats", http.StatusOK, "Count what became of a campaign", a.campaignStats)
	route(a, signedIn, "GET /campaigns/{id}/course", http.StatusOK, "Show how a campaign has run over time, how fast, and until when", a.campaignCourse)
	route(a, signedIn, "GET /campaigns/{id}/recipients", http.StatusOK, "List a campaign's recipients", a.listRecipients)
	route(a, signedIn, "GET /campaigns/{id}/recipients.csv", http.StatusOK, "Export a campaign's recipients as a CSV file", a.exportRecipients, answersCSV)
	route(a, signedIn, "GET /campaigns/{id}/results.csv", http.StatusOK, "Export a campaign's statistics as a CSV file", a.exportResults, answersCSV)
	route(a, signedIn, "POST /campaigns/{id}/start", http.StatusAccepted, "Start a draft", a.startStored, takesKey)
	route(a, signedIn, "POST /campaigns/{id}/pause", http.StatusOK, "Send no more Message 1s for now; replies are still answered", a.pauseCampaign)
	route(a, signedIn, "POST /campaigns/{id}/resume", http.StatusOK, "Go on after a pause or a halted device", a.resumeCampaign)
	route(a, signedIn, "POST /campaigns/{id}/cancel", http.StatusOK, "End a campaign: nothing more leaves", a.cancelCampaign)
	route(a, signedIn, "POST /campaigns/{id}/retry-failed", http.StatusOK, "Try again whom Message 1 could not be sent to", a.retryFailed, takesKey)
	route(a, signedIn, "POST /campaigns/{id}/test-send", http.StatusOK, "Send one message of a campaign to one number", a.testSend, takesKey)

	route(a, signedIn, "GET /campaigns/{id}/events", http.StatusOK, "Watch a campaign live", a.campaignEvents)
	route(a, signedIn, "GET /events", http.StatusOK, "Watch all campaigns live", a.events)

	route(a, signedIn, "GET /messages", http.StatusOK, "List messages", a.listMessages)
	route(a, signedIn, "GET /messages/stats", http.StatusOK, "Count what became of all campaigns", a.messageStats)

	route(a, signedIn, "GET /monitoring", http.StatusOK, "Show the quota and the device", a.monitoring)

	route(a, provider, "POST /webhooks/wassenger", http.StatusOK, "Take in a webhook of the provider", a.receiveWebhook)

	route(a, anyone, "GET /healthz", http.StatusOK, "Tell that the process is alive", a.alive)
	route(a, anyone, "GET /readyz", http.StatusOK, "Tell whether requests can be served", a.ready)
}

// document tells OpenAPI what huma does not know.
func (a *API) document() {
	problemType := a.huma.OpenAPI().Components.Schemas.Map()["ErrorModel"].Properties["type"]
	problemType.Format, problemType.Examples = "uri-reference", []any{typeURI(http.StatusUnprocessableEntity)} // on our own pages
	paths := a.huma.OpenAPI().Paths
	paths["/contacts/import"].Post.RequestBody = csvBody()
	paths["/webhooks/wassenger"].Post.RequestBody = webhookBody()
	a.streams("/campaigns/{id}/events", liveCampaignView{})
	a.streams("/events", overviewView{})
}

// access says who may call a route.
type access string

const (
	anyone   access = "anyone"
	signedIn access = "signed in" // by session or token
	// superAdmin is for the signed in with that role.
	superAdmin access = "super admin"
	provider   access = "provider" // the handler checks the webhook's own token
)

const accessKey = "access"

// requestTimeout bounds what a request may take unless its route says otherwise.
const requestTimeout = 15 * time.Second

// bodyTimeout is how long a body may take to arrive, besides.
const bodyTimeout = 15 * time.Second

// route registers one operation. Whatever error the handler returns is answered
// as a problem; none of its inner workings get out.
func route[I, O any](a *API, who access, methodAndPath string, status int, summary string,
	handle func(context.Context, *I) (*O, error), options ...func(*huma.Operation)) {
	method, path, _ := strings.Cut(methodAndPath, " ")
	op := huma.Operation{
		Method: method, Path: path, DefaultStatus: status, Summary: summary,
		OperationID: operationID(method, path),
		Tags:        []string{strings.Split(path, "/")[1]},
		Metadata:    map[string]any{accessKey: who, timeoutKey: requestTimeout},
	}
	switch who {
	case signedIn, superAdmin:
		op.Security = []map[string][]string{{"token": {}}, {"session": {}}}
	case provider:
		op.Security = []map[string][]string{{"webhook": {}}}
	case anyone:
	}
	for _, option := range options {
		option(&op)
	}
	timeout := op.Metadata[timeoutKey].(time.Duration)
	// Where the body has been read ahead (honourKey), huma sets this deadline while
	// net/http waits for the caller to hang up: when it passes, the request ends.
	op.BodyReadTimeout = bodyTimeout + timeout
	run := func(ctx context.Context, input *I) (*O, error) {
		output, err := handle(ctx, input)
		if err != nil {
			return nil, a.problemOf(ctx, err)
		}
		return output, nil
	}
	if audited(op) {
		run = recorded(a, op.OperationID, run)
	}
	huma.Register(a.huma, op, func(ctx context.Context, input *I) (*O, error) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		return run(ctx, input)
	})
}

const timeoutKey = "timeout"

// within gives a route more or less time than the others have.
func within(d time.Duration) func(*huma.Operation) {
	return func(op *huma.Operation) { op.Metadata[timeoutKey] = d }
}

// largest bounds the body of a route's requests; the others take 1 MiB.
func largest(bytes int64) func(*huma.Operation) {
	return func(op *huma.Operation) { op.MaxBodyBytes = bytes }
}

// operationID names an operation after its route: "post-contacts-id-opt-out".
func operationID(method, path string) string {
	words := strings.NewReplacer("/", "-", "{", "", "}", "").Replace(strings.Trim(path, "/"))
	return strings.ToLower(method) + "-" + words
}
