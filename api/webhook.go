package api

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
)

const (
	largestWebhook = 1 << 20
	// webhookLimit is what taking a webhook in may take, whether or not the
	// provider waits for it.
	webhookLimit = 15 * time.Second
)

type webhookInput struct {
	QueryToken  string `query:"token" example:"a-long-random-string" doc:"The webhook token, where no header can be set."`
	HeaderToken string `header:"X-Webhook-Token"`
	request     *http.Request
	writer      http.ResponseWriter
}

// Resolve keeps the request: its body is needed as it came, byte by byte.
func (in *webhookInput) Resolve(ctx huma.Context) []error {
	c := humagin.Unwrap(ctx)
	in.request, in.writer = c.Request, c.Writer
	_ = ctx.SetReadDeadline(time.Now().Add(10 * time.Second)) // not every connection has one
	return nil
}

type webhookOutput struct {
	Body struct {
		Status string `json:"status" enum:"ok,duplicate,error_logged,parked"`
	}
}

func (a *API) receiveWebhook(ctx context.Context, in *webhookInput) (*webhookOutput, error) {
	// Both are compared, whichever was sent, and if both were sent both must be right.
	if in.HeaderToken == "" && in.QueryToken == "" ||
		in.HeaderToken != "" && !oneOf(in.HeaderToken, a.options.WebhookTokens) ||
		in.QueryToken != "" && !oneOf(in.QueryToken, a.options.WebhookTokens) {
		return nil, problem(http.StatusUnauthorized, "The webhook token is missing or wrong.")
	}
	kind, _, err := mime.ParseMediaType(in.request.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return nil, problem(http.StatusUnsupportedMediaType, "Webhooks are application/json.")
	}
	raw, err := io.ReadAll(http.MaxBytesReader(in.writer, in.request.Body, largestWebhook))
	if err != nil {
		return nil, readProblem(err)
	}
	if !a.signed(in.request.Header.Get(a.options.WebhookHMACHeader), raw) {
		return nil, problem(http.StatusUnauthorized, "The webhook's signature is missing or wrong.")
	}
	// A provider that hangs up early must not undo what it has told.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), webhookLimit)
	defer cancel()
	status, err := a.options.Webhooks.Receive(ctx, raw)
	if err != nil {
		a.logger.ErrorContext(ctx, "A webhook could not be stored.", "request_id", requestID(ctx), "error", err)
		return nil, problem(http.StatusServiceUnavailable, "The webhook could not be stored; deliver it again.")
	}
	output := new(webhookOutput)
	output.Body.Status = status
	return output, nil
}

// oneOf compares without telling by its time how much is right, or of which.
func oneOf(given string, secrets []string) bool {
	a, same := sha256.Sum256([]byte(given)), 0
	for _, secret := range secrets {
		b := sha256.Sum256([]byte(secret))
		same |= subtle.ConstantTimeCompare(a[:], b[:])
	}
	return same == 1
}

// signed checks a signature "sha256=<hex>" or "<hex>". With a secret configured
// nothing unsigned gets in; without one signatures are not looked at.
func (a *API) signed(signature string, raw []byte) bool {
	if a.options.WebhookHMACSecret == "" {
		return true
	}
	signature = strings.ToLower(strings.TrimSpace(signature))
	given, err := hex.DecodeString(strings.TrimPrefix(signature, "sha256="))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(a.options.WebhookHMACSecret))
	mac.Write(raw)
	return hmac.Equal(given, mac.Sum(nil))
}

// webhookExample is a reply, as short as Relance needs it.
const webhookExample = `{"id":"665b1f0c2d3e4f5a6b7c8d9e","event":"message:in:new","device":{"id":"64a1b2c3d4e5f60718293a4b"},` +
	`"data":{"id":"3EB0C767D26A1D2F5F1A","type":"text","flow":"inbound","fromNumber":"+33639980001","body":"Oui, avec plaisir"}}`

// webhookBody tells OpenAPI about a body that huma does not read.
func webhookBody() *huma.RequestBody {
	return &huma.RequestBody{
		Required: true,
		Description: "An event as Wassenger sends it, at most 1 MiB. If a secret is configured, the signature header must carry " +
			"the HMAC-SHA256 of the body in hex.",
		Content: map[string]*huma.MediaType{"application/json": {
			Schema: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}, Example: json.RawMessage(webhookExample),
		}},
	}
}
