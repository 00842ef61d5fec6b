package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

type exportRecipientsInput struct {
	ByID
	State string `query:"state" example:"no_interaction" enum:"pending,admitted,message_1_sent,replied,message_2_sent,no_interaction,late_interaction,failed,not_sent,stopped" doc:"Only recipients in this state."`
}

var recipientHeader = []string{
	"phone", "name", "state", "reason",
	"message_1_status", "message_1_sent_at", "message_1_delivered_at", "message_1_read_at", "window_ends_at", "replied_at",
	"message_2_status", "message_2_sent_at", "message_2_delivered_at", "message_2_read_at", "finished_at", "error",
}

// exportRecipients writes a campaign's audience in the order of sending.
func (a *API) exportRecipients(ctx context.Context, in *exportRecipientsInput) (*huma.StreamResponse, error) {
	if _, err := a.store.AudienceSize(ctx, in.ID); err != nil {
		return nil, err
	}
	after := int64(0)
	return a.streamCSV(fmt.Sprintf("campaign-%s-recipients.csv", in.ID), recipientHeader, func(ctx context.Context) ([][]string, bool, error) {
		found, more, err := a.store.Recipients(ctx, in.ID, store.RecipientFilter{State: campaign.RecipientState(in.State)}, after, exportPage)
		rows := make([][]string, len(found))
		for i, r := range found {
			rows[i], after = recipientCells(r), r.Position
		}
		return rows, more, err
	}), nil
}

func recipientCells(r store.RecipientRow) []string {
	var status2 string
	if r.Message2Status != nil {
		status2 = string(*r.Message2Status)
	}
	return []string{
		r.Phone, r.Name, string(r.State), string(r.StateReason),
		string(r.Message1Status), moment(r.Message1SentAt), moment(r.Message1DeliveredAt), moment(r.Message1ReadAt), moment(r.WindowEndsAt), moment(r.RepliedAt),
		status2, moment(r.Message2SentAt), moment(r.Message2DeliveredAt), moment(r.Message2ReadAt), moment(r.FinishedAt), r.Error,
	}
}

// exportResults writes a line for every number of a campaign's statistics, named
// by its place in the answer of GET /campaigns/{id}/stats.
func (a *API) exportResults(ctx context.Context, in *ByID) (*huma.StreamResponse, error) {
	stats, err := a.campaignStats(ctx, in)
	if err != nil {
		return nil, err
	}
	encoded, err := json.Marshal(stats.Body)
	if err != nil {
		return nil, fmt.Errorf("encoding statistics: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber()
	rows, err := flatten(decoder, "")
	if err != nil {
		return nil, fmt.Errorf("listing statistics: %w", err)
	}
	return a.streamCSV(fmt.Sprintf("campaign-%s-results.csv", in.ID), []string{"metric", "value"},
		func(context.Context) ([][]string, bool, error) { return rows, false, nil }), nil
}

// flatten lists the values of a JSON object and of the objects within it, in its
// order and by the names of their fields. Lists are left out.
func flatten(object *json.Decoder, name string) ([][]string, error) {
	token, err := object.Token()
	if err != nil {
		return nil, err
	}
	opening, nested := token.(json.Delim)
	if !nested {
		return [][]string{{name, fmt.Sprint(token)}}, nil
	}
	var rows [][]string
	for object.More() {
		if opening == '[' {
			err = object.Decode(new(json.RawMessage))
		} else {
			rows, err = flattenField(object, name, rows)
		}
		if err != nil {
			return nil, err
		}
	}
	_, err = object.Token() // the closing one
	return rows, err
}

func flattenField(object *json.Decoder, name string, rows [][]string) ([][]string, error) {
	key, err := object.Token()
	if err != nil {
		return nil, err
	}
	inner, err := flatten(object, strings.TrimPrefix(name+"."+fmt.Sprint(key), "."))
	return append(rows, inner...), err
}
