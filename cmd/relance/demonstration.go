package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/wassenger/simulator"
)

// demonstration drives a campaign the way an admin would, over the API.
type demonstration struct {
	services  *services
	simulator *simulator.Simulator
	api       apiClient
}

// demoCategory is also what the demonstration's campaigns are called.
const demoCategory = "Demonstration"

// run launches a demonstration campaign, or goes on with one that is not
// complete, follows it to its end and audits it.
func (d demonstration) run(ctx context.Context, contactsFile string) error {
	id, err := d.unfinished(ctx)
	if err != nil {
		return err
	}
	if id != uuid.Nil {
		say("Going on with the demonstration campaign %s.", id)
	} else if id, err = d.launch(ctx, contactsFile); err != nil {
		return err
	}
	if err := d.follow(ctx, id); err != nil {
		return err
	}
	return d.audit(ctx, id)
}

type demoCampaign struct {
	ID     uuid.UUID       `json:"id"`
	Name   string          `json:"name"`
	Status campaign.Status `json:"status"`
}

func (d demonstration) unfinished(ctx context.Context) (uuid.UUID, error) {
	var list struct{ Items []demoCampaign }
	if err := d.api.call(ctx, http.MethodGet, "/campaigns", nil, &list); err != nil {
		return uuid.Nil, err
	}
	for _, c := range list.Items {
		if c.Name == demoCategory && !c.Status.Final() {
			return c.ID, nil
		}
	}
	return uuid.Nil, nil
}

func (d demonstration) launch(ctx context.Context, contactsFile string) (uuid.UUID, error) {
	category, err := d.category(ctx)
	if err != nil {
		return uuid.Nil, err
	}
	if err := d.importContacts(ctx, contactsFile, category); err != nil {
		return uuid.Nil, err
	}
	var started struct{ Campaign demoCampaign }
	err = d.api.call(ctx, http.MethodPost, "/campaigns/start", map[string]any{
		"name":         demoCategory,
		"message_1":    "Bonjour {{name}}, notre vente privée ouvre demain à {{ville|Paris}}. Une question ? Répondez-nous !",
		"message_2":    "Merci {{name|à vous}} ! Voici votre invitation, avec vos avantages {{fidelite}}.",
		"category_ids": []uuid.UUID{category},
	}, &started)
	if err != nil {
		return uuid.Nil, err
	}
	say("Launched the demonstration campaign %s.", started.Campaign.ID)
	return started.Campaign.ID, nil
}

func (d demonstration) category(ctx context.Context) (uuid.UUID, error) {
	var created demoCampaign // an id and a name
	err := d.api.call(ctx, http.MethodPost, "/categories", map[string]any{"name": demoCategory}, &created)
	var refused *apiError
	if err == nil || !errors.As(err, &refused) || refused.status != http.StatusConflict {
		return created.ID, err
	}
	var list struct{ Items []demoCampaign }
	if err := d.api.call(ctx, http.MethodGet, "/categories", nil, &list); err != nil {
		return uuid.Nil, err
	}
	for _, category := range list.Items {
		if category.Name == demoCategory {
			return category.ID, nil
		}
	}
	return uuid.Nil, fmt.Errorf("the category %q exists and is not listed", demoCategory)
}

func (d demonstration) importContacts(ctx context.Context, file string, category uuid.UUID) error {
	content, err := os.ReadFile(file) //nolint:gosec // the user's own choice
	if err != nil {
		return fmt.Errorf("reading the contacts: %w", err)
	}
	query := url.Values{"category_id": {category.String()}, "country": {"FR"}}
	var job struct {
		ID                          uuid.UUID
		State, Error                string
		Imported, Updated, Rejected int
	}
	if err := d.api.send(ctx, http.MethodPost, "/contacts/import?"+query.Encode(), "text/csv", content, &job); err != nil {
		return err
	}
	for job.State == "running" {
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
		if err := d.api.call(ctx, http.MethodGet, "/imports/"+job.ID.String(), nil, &job); err != nil {
			return err
		}
	}
	if job.State != "done" {
		return fmt.Errorf("importing the contacts: %s", job.Error)
	}
	say("Imported %s: %d new contacts, %d updated, %d rejected.", file, job.Imported, job.Updated, job.Rejected)
	return nil
}

// follow shows the campaign's progress until it and all its contacts are done.
func (d demonstration) follow(ctx context.Context, id uuid.UUID) error {
	line := newProgressLine(os.Stdout, d.services.config.ReplyWindow)
	defer line.end()
	for {
		var c demoCampaign
		if err := d.api.call(ctx, http.MethodGet, "/campaigns/"+id.String(), nil, &c); err != nil {
			return err
		}
		stats, err := d.services.store.CampaignStats(ctx, id)
		if err != nil {
			return err
		}
		line.show(stats, time.Now())
		if c.Status.Final() && finals(stats) == stats.TotalContacts {
			return nil // who was sent late lives on past the campaign's deadline
		}
		if err := pause(ctx, 500*time.Millisecond); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// apiClient talks to Relance's API as any machine would.
type apiClient struct{ base, token string }

// apiError is a refusal by the API.
type apiError struct {
	status int
	detail string
}

func (e *apiError) Error() string { return fmt.Sprintf("HTTP %d: %s", e.status, e.detail) }

func (c apiClient) call(ctx context.Context, method, path string, body, answer any) error {
	var content []byte
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return fmt.Errorf("encoding a request: %w", err)
		}
	}
	return c.send(ctx, method, path, "application/json", content, answer)
}

func (c apiClient) send(ctx context.Context, method, path, contentType string, body []byte, answer any) error {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("preparing a request: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	if len(body) > 0 {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("calling the API: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("reading the API's answer: %w", err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %w", method, path, &apiError{response.StatusCode, strings.TrimSpace(string(content))})
	}
	if err := json.Unmarshal(content, answer); err != nil {
		return fmt.Errorf("decoding the API's answer to %s %s: %w", method, path, err)
	}
	return nil
}
