package wassenger

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// DefaultTimeout bounds one call when Options.Timeout is zero.
const DefaultTimeout = 10 * time.Second

// Options is what a Client needs to know.
type Options struct {
	// BaseURL is the API's root, such as "https://api.wassenger.com/v1". White-labels
	// serve the same paths elsewhere.
	BaseURL string
	// Token is the API key, sent in the header "Token".
	Token string
	// DeviceID is the sending number's id. It goes with every message, because a
	// key is not tied to one device and the provider would choose.
	DeviceID string
	// Timeout bounds one call, from dialling to the last byte of the answer. Zero
	// means DefaultTimeout.
	Timeout time.Duration
	// HTTPClient replaces the client's own transport, for a proxy or a test. It
	// is copied; redirects are never followed whatever it says. Its transport
	// must not repeat requests.
	HTTPClient *http.Client
}

// Client calls the provider for one device. It is safe for concurrent use.
type Client struct {
	base     *url.URL
	token    string
	deviceID string
	timeout  time.Duration
	http     *http.Client
}

// New checks the options; its errors name the option and never its value.
func New(o Options) (*Client, error) {
	base, err := url.Parse(strings.TrimRight(o.BaseURL, "/"))
	switch {
	case err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https"):
		return nil, errors.New("wassenger: BaseURL is not an absolute http or https URL")
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, errors.New("wassenger: BaseURL must not hold credentials, a query or a fragment")
	case !isVisibleASCII(o.Token):
		return nil, errors.New("wassenger: Token is empty or holds characters that no header can carry")
	case !isVisibleASCII(o.DeviceID):
		return nil, errors.New("wassenger: DeviceID is empty or holds characters that no id has")
	case o.Timeout < 0:
		return nil, fmt.Errorf("wassenger: Timeout must not be negative, as %s is", o.Timeout)
	}
	c := &Client{base: base, token: o.Token, deviceID: o.DeviceID, timeout: o.Timeout}
	if c.timeout == 0 {
		c.timeout = DefaultTimeout
	}
	c.http = &http.Client{Transport: newTransport()}
	if o.HTTPClient != nil {
		own := *o.HTTPClient
		c.http = &own
	}
	// A redirected POST could send twice, and Go would carry the Token header to
	// whatever host the redirect names.
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c, nil
}

// DeviceID is the client's device.
func (c *Client) DeviceID() string { return c.deviceID }

// Outgoing is one message to one contact.
type Outgoing struct {
	DeviceID  string // the sending number; empty means the client's
	Phone     string // E.164
	Text      string // the text, or the caption when there is a medium
	MediaURL  string // optional; the provider downloads it
	Reference string // Relance's own message id: what an unknown outcome is looked up by
	Urgent    bool   // goes before other messages in the provider's queue
	// NotAfter is the moment, with its monotonic reading, after which the request
	// must not be completed any more, because somebody else may have concluded
	// that it never will be. Zero for no such moment.
	NotAfter time.Time
}

// Accepted is a message as the provider has recorded it.
type Accepted struct {
	ProviderID string
	// WAID is WhatsApp's id of the message; it may be empty while the message is queued.
	WAID string
	// Phone is the number in the provider's spelling, which may differ from the
	// one dialled (Mexico, Argentina, Brazil). It may be empty.
	Phone string
	// CreatedAt is when the provider took the message, by its clock. It is zero
	// when the provider did not say.
	CreatedAt time.Time
	// Failed says that the provider took the message and then could not deliver it.
	Failed        bool
	FailureReason string
}

// Send hands one message to the provider and calls it exactly once. On success
// the message has left. Otherwise the error's Class says whether it may have; an
// answer 2xx that cannot be read or names no id is Unknown. The outcome of a
// message without phone or reference is Rejected without a call.
func (c *Client) Send(ctx context.Context, m Outgoing) (Accepted, error) {
	const op = "send"
	if m.Phone == "" || m.Reference == "" {
		return Accepted{}, &Error{Op: op, Class: Rejected, cause: errIncomplete}
	}
	body, err := json.Marshal(c.newMessage(m))
	if err != nil {
		return Accepted{}, &Error{Op: op, Class: Rejected, cause: errIncomplete}
	}
	got, err := c.call(ctx, request{
		op: op, method: http.MethodPost, path: "messages", body: body, notAfter: m.NotAfter,
		private: []string{m.Text, m.Phone, strings.TrimPrefix(m.Phone, "+")},
	})
	if err != nil {
		return Accepted{}, err
	}
	var r record
	if decode(got.body, &r) != nil || r.ID == "" {
		return Accepted{}, &Error{Op: op, Class: Unknown, Status: got.status, cause: errUnreadable}
	}
	return r.accepted(), nil
}

// newMessage is the body of POST /messages. The provider refuses bodies with
// keys that it does not know.
type newMessage struct {
	Phone     string    `json:"phone"`
	Message   string    `json:"message,omitempty"`
	Device    string    `json:"device"`
	Reference string    `json:"reference"`
	Priority  string    `json:"priority"`
	Media     *newMedia `json:"media,omitempty"`
}

type newMedia struct {
	URL string `json:"url"`
}

func (c *Client) newMessage(m Outgoing) newMessage {
	n := newMessage{Phone: m.Phone, Message: m.Text, Device: cmp.Or(m.DeviceID, c.deviceID), Reference: m.Reference, Priority: "normal"}
	if m.Urgent {
		n.Priority = "high"
	}
	if m.MediaURL != "" {
		n.Media = &newMedia{URL: m.MediaURL}
	}
	return n
}

// FindByReference looks a message up by the reference that it was sent with. It
// reports true only for a record with exactly this reference; of several it
// returns the oldest. False means that the provider listed nothing, which proves
// little until some time has passed: how fast the list follows is unknown. If
// the provider lists messages of which none has the reference, its filter does
// not work as recorded and absence proves nothing: that is an error, as is
// anything else that leaves the question open.
func (c *Client) FindByReference(ctx context.Context, reference string) (Accepted, bool, error) {
	const op = "look-up"
	if reference == "" {
		return Accepted{}, false, &Error{Op: op, Class: Rejected, cause: errIncomplete}
	}
	got, err := c.call(ctx, request{
		op: op, method: http.MethodGet, path: "messages",
		// Not by device: the message may have been sent from another one since.
		query: url.Values{"reference": {reference}},
	})
	if err != nil {
		return Accepted{}, false, err
	}
	var listed []record
	if decode(got.body, &listed) != nil || listed == nil {
		return Accepted{}, false, &Error{Op: op, Class: Unknown, Status: got.status, cause: errUnreadable}
	}
	r, found := oldestWith(reference, listed)
	if !found && len(listed) > 0 {
		return Accepted{}, false, &Error{Op: op, Class: Unknown, Status: got.status, cause: errUnfiltered}
	}
	return r.accepted(), found, nil
}

func oldestWith(reference string, listed []record) (oldest record, found bool) {
	for _, r := range listed {
		if string(r.Reference) != reference {
			continue
		}
		if !found || (!r.CreatedAt.IsZero() && (oldest.CreatedAt.IsZero() || r.CreatedAt.Before(oldest.CreatedAt.Time))) {
			oldest, found = r, true
		}
	}
	return oldest, found
}

// record is the provider's own record of a message of ours, in answers and in
// the delivery events of webhooks.
type record struct {
	ID             text   `json:"id"`
	WAID           text   `json:"waId"`
	Phone          text   `json:"phone"`
	WID            text   `json:"wid"`
	Reference      text   `json:"reference"`
	Status         text   `json:"status"`
	DeliveryStatus text   `json:"deliveryStatus"`
	FailureReason  text   `json:"failureReason"`
	CreatedAt      moment `json:"createdAt"`
}

func (r record) accepted() Accepted {
	status := r.DeliveryStatus
	if status == "" {
		status = r.Status
	}
	a := Accepted{
		ProviderID: string(r.ID), WAID: string(r.WAID),
		Phone:     firstPhone(nil, r.Phone, r.WID),
		CreatedAt: r.CreatedAt.Time,
		Failed:    status == "failed",
	}
	if a.Failed {
		a.FailureReason = bounded(string(r.FailureReason), maxFailure)
	}
	return a
}

// DeviceState is how the sending number is.
type DeviceState struct {
	Status  string // "operative" when healthy; some sources say "ready"
	Session string // "online" when connected to WhatsApp
	// Operative says that the device can send.
	Operative bool
}

// Device asks for the state of the sending number.
func (c *Client) Device(ctx context.Context) (DeviceState, error) {
	const op = "device"
	got, err := c.call(ctx, request{op: op, method: http.MethodGet, path: "devices/" + url.PathEscape(c.deviceID)})
	if err != nil {
		return DeviceState{}, err
	}
	var d struct {
		Status  text `json:"status"`
		Session struct {
			Status text `json:"status"`
		} `json:"session"`
	}
	if decode(got.body, &d) != nil || d.Status == "" {
		return DeviceState{}, &Error{Op: op, Class: Unknown, Status: got.status, cause: errUnreadable}
	}
	s := DeviceState{Status: string(d.Status), Session: string(d.Session.Status)}
	s.Operative = (s.Status == "operative" || s.Status == "ready") && s.Session == "online"
	return s, nil
}

func isVisibleASCII(s string) bool {
	for _, r := range s {
		if r <= ' ' || r > '~' {
			return false
		}
	}
	return s != ""
}
