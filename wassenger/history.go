package wassenger

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/relance/relance/campaign"
)

// Sent is a message of the account's in the provider's list.
type Sent struct {
	Accepted
	Reference string
	DeviceID  string                 // that it was sent from; empty if not told
	Status    campaign.MessageStatus // sent, delivered, read or failed
}

// Received is a message that a person sent to the device.
type Received struct {
	// Raw is the webhook that tells of it, as it would have come: the same key, and
	// so the same message to whoever has taken it in.
	Raw   []byte
	Event campaign.Event
}

// Lists are asked for newest first: what is added meanwhile moves the rest to
// later pages, where some of it is met twice and none is missed.
const (
	sentPage     = 100
	receivedPage = 50
	// maxHistoryPages bounds a list that does not end.
	maxHistoryPages = 20_000
	// longestWait is how long a page may be waited for at once, and pageTries how
	// often it is asked for.
	longestWait = 2 * time.Minute
	pageTries   = 5
)

// SentSince lists the messages that the provider took since a moment by its clock,
// of every number of the account and whoever sent them. Like
// [Client.FindByReference] it may lack the newest for a while.
func (c *Client) SentSince(ctx context.Context, since time.Time) ([]Sent, error) {
	var all []Sent
	err := c.history(ctx, request{op: "list messages", method: http.MethodGet, path: "messages", query: url.Values{
		"createdAfter": {since.UTC().Format(time.RFC3339)}, "sort": {"date:desc"}, "size": {strconv.Itoa(sentPage)},
	}}, since, func(raw json.RawMessage) (time.Time, error) {
		var r struct {
			record
			Device ref `json:"device"`
		}
		if err := decode(raw, &r); err != nil {
			return time.Time{}, err
		}
		if r.CreatedAt.IsZero() || !r.CreatedAt.Before(since) {
			all = append(all, Sent{
				Accepted: r.accepted(), Reference: string(r.Reference), DeviceID: string(r.Device.ID),
				Status: campaign.MessageSent.After(statuses[firstText(r.DeliveryStatus, r.Status)]),
			})
		}
		return r.CreatedAt.Time, nil
	})
	return all, err
}

// ReceivedSince lists what people have sent to the device since a moment by the
// provider's clock. Whether a reaction to a message is in that list is not known.
func (c *Client) ReceivedSince(ctx context.Context, since time.Time) ([]Received, error) {
	var all []Received
	err := c.history(ctx, request{
		op: "list inbound messages", method: http.MethodGet, path: "chat/" + url.PathEscape(c.deviceID) + "/messages",
		query: url.Values{"flow": {"inbound"}, "after": {since.UTC().Format(time.RFC3339)}, "size": {strconv.Itoa(receivedPage)}},
	}, since, func(raw json.RawMessage) (time.Time, error) {
		received, err := c.received(raw)
		if err == nil && received.Event.Kind == campaign.EventReply && !received.Event.At.Before(since) {
			all = append(all, received)
		}
		return received.Event.At, err
	})
	return all, err
}

// received writes a message from a chat as the webhook that told of it.
func (c *Client) received(message json.RawMessage) (Received, error) {
	var kind struct {
		Type text `json:"type"`
	}
	if err := decode(message, &kind); err != nil {
		return Received{}, err
	}
	name := "message:in:new"
	if kind.Type == "reaction" {
		name = "message:reaction"
	}
	raw, err := json.Marshal(map[string]any{
		"object": "message", "event": name, "device": map[string]string{"id": c.deviceID}, "data": message,
	})
	if err != nil {
		return Received{}, err
	}
	event, err := parseEvent(raw)
	return Received{Raw: raw, Event: event}, err
}

// page asks for a page, and again when the provider asks to wait: a list of hundreds
// of pages must not begin anew because one of them was asked for too early.
func (c *Client) page(ctx context.Context, r request) (answer, error) {
	for tries := 1; ; tries++ {
		got, err := c.call(ctx, r)
		refused, is := errors.AsType[*Error](err)
		if !is || refused.Status != http.StatusTooManyRequests || refused.RetryAfter > longestWait || tries == pageTries {
			return got, err
		}
		wait := time.NewTimer(refused.RetryAfter)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return got, err
		}
	}
}

// history reads a list page by page until one brings nothing new, or nothing that
// is not older than since. How long a page is is the provider's choice. A list of
// which anything cannot be read is an error: it would prove of nothing that it is
// not there. read tells of when an element is.
func (c *Client) history(ctx context.Context, r request, since time.Time, read func(json.RawMessage) (time.Time, error)) error {
	known := map[text]bool{}
	for page := range maxHistoryPages {
		r.query.Set("page", strconv.Itoa(page))
		got, err := c.page(ctx, r)
		if err != nil {
			return err
		}
		unreadable := &Error{Op: r.op, Class: Unknown, Status: got.status, cause: errUnreadable}
		var listed []json.RawMessage
		if decode(got.body, &listed) != nil || listed == nil {
			return unreadable
		}
		fresh := false
		for _, raw := range listed {
			var named struct {
				ID text `json:"id"`
			}
			if decode(raw, &named) != nil || named.ID == "" {
				return unreadable
			}
			if known[named.ID] {
				continue
			}
			known[named.ID] = true
			at, err := read(raw)
			if err != nil {
				return unreadable
			}
			fresh = fresh || at.IsZero() || !at.Before(since)
		}
		if !fresh {
			return nil
		}
	}
	return &Error{Op: r.op, Class: Unknown, cause: errEndless}
}
