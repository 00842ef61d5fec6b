package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/wassenger/simulator"
)

// call makes one request and decodes the answer if it is a good one. Status is 0
// where there was no answer.
func (w *world) call(ctx context.Context, method, url string, headers map[string]string, body []byte, into any) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := w.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	if response.StatusCode >= 300 {
		return response.StatusCode, fmt.Errorf("%s %s: %d: %s", method, url, response.StatusCode, answer)
	}
	if into == nil {
		return response.StatusCode, nil
	}
	return response.StatusCode, json.Unmarshal(answer, into)
}

// until repeats an attempt until it succeeds or the context ends.
func until(ctx context.Context, attempt func() error) error {
	for {
		err := attempt()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// admin asks the APIs in turn as an admin until one of them answers. What is sent
// again carries the same key, so that it is done once.
func (w *world) admin(ctx context.Context, method, path, contentType, body string, into any) error {
	headers := map[string]string{"Authorization": "Bearer " + adminToken}
	if body != "" {
		headers["Content-Type"] = contentType
	}
	if method == http.MethodPost {
		headers["Idempotency-Key"] = uuid.NewString()
	}
	turn := 0
	var refused error
	err := until(ctx, func() error {
		turn++
		status, err := w.call(ctx, method, w.apiURLs[apis[turn%len(apis)]]+path, headers, []byte(body), into)
		if status >= 400 && status < 500 && status != http.StatusTooManyRequests && !strings.Contains(err.Error(), "has not been answered yet") {
			refused = &refusal{err}
			return nil
		}
		return err
	})
	return errors.Join(err, refused)
}

// refusal is an answer that asking again would not change.
type refusal struct{ error }

// prepare makes the contacts of every campaign and a category for each. Nothing is
// broken yet.
func (w *world) prepare(ctx context.Context) (categories []uuid.UUID, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for _, c := range w.plan.campaigns {
		var category, taken struct{ ID uuid.UUID }
		if err := w.admin(ctx, http.MethodPost, "/categories", "application/json", fmt.Sprintf(`{"name":%q}`, c.name), &category); err != nil {
			return nil, err
		}
		if err := w.admin(ctx, http.MethodPost, "/contacts/import?category_id="+category.ID.String(), "text/csv", c.contactFile(), &taken); err != nil {
			return nil, err
		}
		if err := until(ctx, func() error {
			var job struct{ State string }
			if err := w.admin(ctx, http.MethodGet, "/imports/"+taken.ID.String(), "", "", &job); err != nil {
				return err
			}
			if job.State != "done" {
				return fmt.Errorf("the import of the contacts is %s", job.State)
			}
			return nil
		}); err != nil {
			return nil, err
		}
		categories = append(categories, category.ID)
	}
	return categories, nil
}

func (c campaignPlan) contactFile() string {
	var csv strings.Builder
	csv.WriteString("phone,name\n")
	for i := c.from; i < c.to; i++ {
		fmt.Fprintf(&csv, "%s,Contact %d\n", phoneOf(i), i)
	}
	return csv.String()
}

// launch starts a campaign.
func (w *world) launch(ctx context.Context, c campaignPlan, category uuid.UUID) (uuid.UUID, error) {
	var started struct{ Campaign struct{ ID uuid.UUID } }
	err := w.admin(ctx, http.MethodPost, "/campaigns/start", "application/json", fmt.Sprintf(
		`{"name":%q,"category_ids":[%q],"message_1":%q,"message_2":%q}`, c.name, category, c.texts[0], c.texts[1]), &started)
	return started.Campaign.ID, err
}

// stats are what GET /campaigns/{id}/stats answers.
type stats struct {
	TotalContacts     int `json:"total_contacts"`
	MessagesSent      int `json:"messages_sent"`
	MessagesDelivered int `json:"messages_delivered"`
	MessagesRead      int `json:"messages_read"`
	Interactions      int `json:"interactions"`
	Failures          int `json:"failures"`
	Unknown           int `json:"unknown"`
	Replied           int `json:"replied"`
	ByType            struct {
		Message1 counts `json:"message_1"`
		Message2 counts `json:"message_2"`
	} `json:"by_type"`
	States map[campaign.RecipientState]int `json:"states"`
}

type counts struct {
	Sent      int `json:"sent"`
	Delivered int `json:"delivered"`
	Read      int `json:"read"`
	Failed    int `json:"failed"`
	Unknown   int `json:"unknown"`
}

// statsOf asks one API.
func (w *world) statsOf(ctx context.Context, api string, id uuid.UUID) (s stats, err error) {
	_, err = w.call(ctx, http.MethodGet, w.apiURLs[api]+"/campaigns/"+id.String()+"/stats",
		map[string]string{"Authorization": "Bearer " + adminToken}, nil, &s)
	return s, err
}

// awaitReady waits until all of Relance's processes work.
func (w *world) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for _, url := range w.readyAt {
		if err := until(ctx, func() error {
			_, err := w.call(ctx, http.MethodGet, url, nil, nil, nil)
			return err
		}); err != nil {
			return fmt.Errorf("waiting for Relance: %w", err)
		}
	}
	return nil
}

// conduct changes how the provider behaves. A provider that is started again
// behaves well.
func (w *world) conduct(ctx context.Context, how what) error {
	body, err := json.Marshal(conductOf(how, w.plan.unknown))
	if err != nil {
		return err
	}
	return until(ctx, func() error {
		_, err := w.call(ctx, http.MethodPut, w.ledgerAt+"/faults", map[string]string{"Content-Type": "application/json"}, body, nil)
		return err
	})
}

func (w *world) ledger(ctx context.Context) (l simulator.Ledger, err error) {
	_, err = w.call(ctx, http.MethodGet, w.ledgerAt+"/ledger", nil, nil, &l)
	return l, err
}

func (w *world) providerHealth(ctx context.Context) (h simulator.Health, err error) {
	_, err = w.call(ctx, http.MethodGet, w.ledgerAt+"/health", nil, nil, &h)
	return h, err
}
