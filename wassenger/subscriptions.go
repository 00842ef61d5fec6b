package wassenger

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// SubscribedEvents names the events that campaigns live on. ParseWebhook
// understands each of them; what else the provider can tell, it would ignore.
var SubscribedEvents = []string{
	"message:in:new", "message:reaction", "message:out:sent", "message:out:ack", "message:out:failed",
}

// MaxWebhookName is how many characters the provider lets a webhook's name have.
const MaxWebhookName = 30

// ErrWebhookExists is wrapped by CreateWebhook's error when the provider has a
// webhook with that URL already.
var ErrWebhookExists = errors.New("a webhook with this URL exists")

// WebhookStatus is whether the provider delivers to a webhook.
type WebhookStatus string

// What the provider says of a webhook; an empty status means that it said nothing.
const (
	WebhookActive   WebhookStatus = "active"
	WebhookDisabled WebhookStatus = "disabled" // by somebody, or by the provider after failures
	WebhookPending  WebhookStatus = "pending"
)

// Webhook is a receiver of events, registered at the provider.
type Webhook struct {
	ID   string
	Name string // at most MaxWebhookName characters
	// URL is where events are posted to. It may hold a secret, so it belongs in no log.
	URL    string
	Events []string
	// DeviceID is the only number whose events it gets, empty for every number of
	// the account.
	DeviceID string
	Status   WebhookStatus
	// Secret is what the provider signs deliveries with, if it does. It is told once,
	// when the webhook is created.
	Secret string
}

// MissingEvents are those of SubscribedEvents that the webhook does not get.
func (w Webhook) MissingEvents() []string {
	var missing []string
	for _, event := range SubscribedEvents {
		if !slices.Contains(w.Events, event) {
			missing = append(missing, event)
		}
	}
	return missing
}

// maxWebhookPages bounds how many pages of webhooks are asked for.
const maxWebhookPages = 50

// Webhooks lists the account's webhooks, those of other numbers too. How long a
// page is is the provider's choice, so pages are asked for until one brings
// nothing new.
func (c *Client) Webhooks(ctx context.Context) ([]Webhook, error) {
	var all []Webhook
	known := map[string]bool{}
	for page := range maxWebhookPages {
		listed, err := c.webhookPage(ctx, page)
		if err != nil {
			return nil, err
		}
		before := len(all)
		for _, w := range listed {
			if !known[w.ID] {
				known[w.ID] = true
				all = append(all, w)
			}
		}
		if len(all) == before {
			break
		}
	}
	return all, nil
}

func (c *Client) webhookPage(ctx context.Context, page int) ([]Webhook, error) {
	r := request{op: "list webhooks", method: http.MethodGet, path: "webhooks"}
	if page > 0 {
		r.query = url.Values{"page": {strconv.Itoa(page)}}
	}
	got, err := c.call(ctx, r)
	if err != nil {
		return nil, err
	}
	var records []webhookRecord
	if decode(got.body, &records) != nil || records == nil {
		return nil, &Error{Op: r.op, Class: Unknown, Status: got.status, cause: errUnreadable}
	}
	listed := make([]Webhook, len(records))
	for i, record := range records {
		if record.ID == "" { // a list with a gap proves of no webhook that it does not exist
			return nil, &Error{Op: r.op, Class: Unknown, Status: got.status, cause: errUnreadable}
		}
		listed[i] = record.webhook()
	}
	return listed, nil
}

// CreateWebhook registers a receiver with the Name, URL, Events and DeviceID of w
// and returns it as the provider has recorded it. With a sample's id, such as
// "inbound-text", the provider posts that sample event to it at once, possibly
// before it answers here. An error of class Unknown means that the webhook may exist.
func (c *Client) CreateWebhook(ctx context.Context, w Webhook, sample string) (Webhook, error) {
	const op = "create webhook"
	r, err := webhookRequest(op, w)
	if err != nil {
		return Webhook{}, err
	}
	r.method, r.path = http.MethodPost, "webhooks"
	if sample != "" {
		r.query = url.Values{"sample": {sample}}
	}
	got, err := c.call(ctx, r)
	if refused, ok := errors.AsType[*Error](err); ok && refused.Status == http.StatusConflict {
		refused.Class, refused.cause = Rejected, ErrWebhookExists
	}
	if err != nil {
		return Webhook{}, err
	}
	var created webhookRecord
	if decode(got.body, &created) != nil || created.ID == "" {
		return Webhook{}, &Error{Op: op, Class: Unknown, Status: got.status, cause: errUnreadable}
	}
	return created.webhook(), nil
}

// UpdateWebhook gives the webhook with w's ID the Name, URL, Events and, unless
// it is empty, DeviceID of w. Whether it is enabled stays as it is.
func (c *Client) UpdateWebhook(ctx context.Context, w Webhook) error {
	r, err := webhookRequest("update webhook", w)
	if err != nil {
		return err
	}
	r.method = http.MethodPatch
	return c.callWebhook(ctx, r, w.ID, "")
}

// EnableWebhook makes the provider deliver to a disabled webhook again.
func (c *Client) EnableWebhook(ctx context.Context, id string) error {
	return c.callWebhook(ctx, request{op: "enable webhook", method: http.MethodPost}, id, "/enable")
}

// DeleteWebhook removes a webhook. That there is none is a success.
func (c *Client) DeleteWebhook(ctx context.Context, id string) error {
	err := c.callWebhook(ctx, request{op: "delete webhook", method: http.MethodDelete}, id, "")
	if refused, ok := errors.AsType[*Error](err); ok && refused.Status == http.StatusNotFound {
		return nil
	}
	return err
}

// callWebhook makes a request about one webhook.
func (c *Client) callWebhook(ctx context.Context, r request, id, action string) error {
	if strings.Trim(id, ".") == "" { // would be a request about all of them
		return &Error{Op: r.op, Class: Rejected, cause: errIncomplete}
	}
	r.path = "webhooks/" + url.PathEscape(id) + action
	_, err := c.call(ctx, r)
	return err
}

// webhookSettings is the body of POST and PATCH. The provider refuses bodies
// with keys that it does not know.
type webhookSettings struct {
	Name   string   `json:"name"`
	URL    string   `json:"url"`
	Events []string `json:"events"`
	Device string   `json:"device,omitempty"`
}

func webhookRequest(op string, w Webhook) (request, error) {
	body, err := json.Marshal(webhookSettings{Name: w.Name, URL: w.URL, Events: w.Events, Device: w.DeviceID})
	if err != nil || w.Name == "" || utf8.RuneCountInString(w.Name) > MaxWebhookName || w.URL == "" || len(w.Events) == 0 {
		return request{}, &Error{Op: op, Class: Rejected, cause: errIncomplete}
	}
	return request{op: op, body: body, private: secretsOf(w.URL)}, nil
}

// secretsOf lists what must not come back of a URL: all of it, and what stands
// in its query, as written and as meant.
func secretsOf(raw string) []string {
	secrets := []string{raw}
	u, err := url.Parse(raw)
	if err != nil {
		return secrets
	}
	secrets = append(secrets, u.RawQuery)
	for _, values := range u.Query() {
		for _, value := range values {
			secrets = append(secrets, value, url.QueryEscape(value))
		}
	}
	return secrets
}

// webhookRecord is a webhook as the provider writes it.
type webhookRecord struct {
	ID     text   `json:"id"`
	Name   text   `json:"name"`
	URL    text   `json:"url"`
	Events []text `json:"events"`
	Device ref    `json:"device"`
	Status text   `json:"status"`
	Active *flag  `json:"active"` // in the provider's own examples of requests
	Secret text   `json:"secret"`
}

func (r webhookRecord) webhook() Webhook {
	w := Webhook{
		ID: string(r.ID), Name: string(r.Name), URL: string(r.URL), DeviceID: string(r.Device.ID),
		Status: WebhookStatus(r.Status), Secret: string(r.Secret),
	}
	for _, event := range r.Events {
		w.Events = append(w.Events, string(event))
	}
	if w.Status == "" && r.Active != nil {
		w.Status = WebhookDisabled
		if *r.Active {
			w.Status = WebhookActive
		}
	}
	return w
}
