package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/wassenger/simulator"
	"github.com/relance/relance/workflows"
)

// evidence is all that is known when everything has come to rest: what truly
// happened, by the provider's ledger, and what Relance says of it.
type evidence struct {
	plan     plan
	launched []uuid.UUID // in the plan's order
	pauses   []span
	ended    map[uuid.UUID]time.Time // campaigns that were cancelled, and when that was answered
	frozen   []frost
	ledger   simulator.Ledger

	campaigns    []campaignRow
	recipients   map[key]recipientRow
	messages     map[uuid.UUID]messageRow
	interactions map[string]interactionRow // by the key of their event
	optOuts      map[string]time.Time      // by phone

	runs   []workflowRun
	parked map[string]time.Time // workflow id of a parked webhook → the latest moment that it may be dated

	told map[string]map[uuid.UUID]stats // by API
}

// key names a contact of a campaign.
type key struct{ campaign, contact uuid.UUID }

type campaignRow struct {
	id                                                   uuid.UUID
	name                                                 string
	status                                               campaign.Status
	startedAt                                            sql.NullTime
	contacts, sent, delivered, read, failed, interaction int
}

type recipientRow struct {
	key
	phone       string
	state       campaign.RecipientState
	reason      campaign.Reason
	admitted    bool
	windowEnds  sql.NullTime
	repliedAt   sql.NullTime
	message1At  sql.NullTime
	interaction []interactionRow
}

type messageRow struct {
	key
	id                                 uuid.UUID
	kind                               campaign.MessageType
	status                             campaign.MessageStatus
	attempts                           int
	claimedAt, countedAt, sentAt       sql.NullTime
	deliveredAt, readAt, failedAt      sql.NullTime
	providerID, waID, phone, errorSaid string
}

type interactionRow struct {
	key
	event      string
	receivedAt time.Time
	inTime     bool
}

type workflowRun struct {
	id     string
	status enums.WorkflowExecutionStatus
}

// gather collects the evidence.
func (r *run) gather(ctx context.Context) (e evidence, err error) {
	e = evidence{
		plan: r.plan, launched: r.campaigns, pauses: r.pauses, ended: r.cancelled, frozen: r.frozen,
		recipients: map[key]recipientRow{}, messages: map[uuid.UUID]messageRow{}, interactions: map[string]interactionRow{},
		optOuts: map[string]time.Time{}, parked: map[string]time.Time{}, told: map[string]map[uuid.UUID]stats{},
	}
	if e.ledger, err = r.ledger(ctx); err != nil {
		return e, fmt.Errorf("reading the provider's ledger: %w", err)
	}
	if err := r.gatherRows(ctx, &e); err != nil {
		return e, fmt.Errorf("reading the database: %w", err)
	}
	if err := r.gatherWorkflows(ctx, &e); err != nil {
		return e, fmt.Errorf("asking Temporal: %w", err)
	}
	for _, api := range apis {
		e.told[api] = map[uuid.UUID]stats{}
		for _, c := range e.campaigns {
			if e.told[api][c.id], err = r.statsOf(ctx, api, c.id); err != nil {
				return e, fmt.Errorf("asking %s for statistics: %w", api, err)
			}
		}
	}
	return e, nil
}

func (r *run) gatherRows(ctx context.Context, e *evidence) error {
	for _, table := range []struct {
		query string
		take  func(scan func(...any) error) error
	}{
		{`SELECT id, name, status, started_at, total_contacts, sent_count, delivered_count, read_count, failed_count, interaction_count
		  FROM campaigns ORDER BY created_at`, e.takeCampaign},
		{`SELECT campaign_id, contact_id, phone, state, state_reason, wave IS NOT NULL, window_ends_at, replied_at, message_1_sent_at
		  FROM recipients`, e.takeRecipient},
		{`SELECT m.campaign_id, m.contact_id, m.id, m.message_type, m.status, m.attempts, m.claimed_at, m.counted_at, m.sent_at,
		         m.delivered_at, m.read_at, m.failed_at, coalesce(m.provider_id, ''), coalesce(m.wa_id, ''), r.phone, m.error
		  FROM messages m JOIN recipients r USING (campaign_id, contact_id)`, e.takeMessage},
		{`SELECT campaign_id, contact_id, event_key, received_at, within_24h FROM interactions ORDER BY received_at`, e.takeInteraction},
		{`SELECT phone, opted_out_at FROM opt_outs`, e.takeOptOut},
	} {
		if err := r.eachRow(ctx, table.query, table.take); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) eachRow(ctx context.Context, query string, take func(scan func(...any) error) error) error {
	rows, err := r.db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := take(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (e *evidence) takeCampaign(scan func(...any) error) error {
	var c campaignRow
	err := scan(&c.id, &c.name, &c.status, &c.startedAt, &c.contacts, &c.sent, &c.delivered, &c.read, &c.failed, &c.interaction)
	e.campaigns = append(e.campaigns, c)
	return err
}

func (e *evidence) takeRecipient(scan func(...any) error) error {
	var r recipientRow
	err := scan(&r.campaign, &r.contact, &r.phone, &r.state, &r.reason, &r.admitted, &r.windowEnds, &r.repliedAt, &r.message1At)
	e.recipients[r.key] = r
	return err
}

func (e *evidence) takeMessage(scan func(...any) error) error {
	var m messageRow
	err := scan(&m.campaign, &m.contact, &m.id, &m.kind, &m.status, &m.attempts, &m.claimedAt, &m.countedAt, &m.sentAt,
		&m.deliveredAt, &m.readAt, &m.failedAt, &m.providerID, &m.waID, &m.phone, &m.errorSaid)
	e.messages[m.id] = m
	return err
}

func (e *evidence) takeInteraction(scan func(...any) error) error {
	var i interactionRow
	err := scan(&i.campaign, &i.contact, &i.event, &i.receivedAt, &i.inTime)
	e.interactions[i.event] = i
	r := e.recipients[i.key]
	r.interaction = append(r.interaction, i)
	e.recipients[i.key] = r
	return err
}

func (e *evidence) takeOptOut(scan func(...any) error) error {
	var phone string
	var at time.Time
	err := scan(&phone, &at)
	e.optOuts[phone] = at
	return err
}

func (r *run) gatherWorkflows(ctx context.Context, e *evidence) error {
	var token []byte
	for {
		listed, err := r.workflow.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{PageSize: 1000, NextPageToken: token})
		if err != nil {
			return err
		}
		for _, found := range listed.GetExecutions() {
			run := workflowRun{id: found.GetExecution().GetWorkflowId(), status: found.GetStatus()}
			e.runs = append(e.runs, run)
			if found.GetType().GetName() != "ParkedWebhook" {
				continue
			}
			if e.parked[run.id], err = r.handedOver(ctx, run.id); err != nil {
				return err
			}
		}
		if token = listed.GetNextPageToken(); len(token) == 0 {
			return nil
		}
	}
}

// handedOver is the latest moment at which a parked webhook may be dated: by no more
// than the hand-over to the database took after when it was parked.
func (r *run) handedOver(ctx context.Context, id string) (time.Time, error) {
	var parked, began, done time.Time
	history := r.workflow.GetWorkflowHistory(ctx, id, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		event, err := history.Next()
		if err != nil {
			return time.Time{}, err
		}
		switch event.GetEventType() {
		case enums.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
			parked = event.GetEventTime().AsTime()
		case enums.EVENT_TYPE_ACTIVITY_TASK_STARTED:
			began = event.GetEventTime().AsTime()
		case enums.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
			done = event.GetEventTime().AsTime()
		}
	}
	return parked.Add(done.Sub(began)), nil
}

// keep writes the ledger and the rows into the folder of logs, for whoever looks
// into what was broken. All people in them are simulated.
func (r *run) keep(ctx context.Context, e evidence) error {
	files := map[string]json.RawMessage{}
	var err error
	if files["ledger"], err = json.Marshal(e.ledger); err != nil {
		return err
	}
	for _, table := range []string{"campaigns", "recipients", "messages", "interactions", "opt_outs", "webhook_events"} {
		var rows []byte
		if err := r.db.QueryRowContext(ctx, "SELECT coalesce(json_agg(t), '[]') FROM "+table+" t").Scan(&rows); err != nil {
			return err
		}
		files[table] = rows
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(r.logs, name+".json"), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// parkedID is the id of the workflow that parks a webhook of one event.
func parkedID(event string) string {
	return workflows.ParkedWebhookID(fmt.Sprintf("%x", sha256.Sum256([]byte(event))))
}
