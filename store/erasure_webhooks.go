package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/relance/relance/campaign"
)

// toldAbout is whom events tell about, as a table: the parameter is told.
const toldAbout = `jsonb_to_recordset(CAST(@events AS jsonb)) AS told (phones text[], message uuid, wa_message text)`

// told is what people are recognised by in events, in their order.
func told(events []campaign.Event) string {
	type about struct {
		Phones    []string  `json:"phones"`
		Message   uuid.UUID `json:"message"`
		WAMessage string    `json:"wa_message"`
	}
	all := make([]about, len(events))
	for i, event := range events {
		if event.Phone != "" {
			all[i].Phones = campaign.PhoneSpellings(event.Phone)
		}
		all[i].Message, all[i].WAMessage = reference(event.Reference), event.WAID
		if event.Kind == campaign.EventReply {
			all[i].Message, all[i].WAMessage = reference(event.QuotedReference), event.QuotedWAID
		}
	}
	encoded, err := json.Marshal(all)
	if err != nil {
		return "[]" // cannot be: they are texts
	}
	return string(encoded)
}

// AboutErased tells of each event whether it is about somebody who was erased.
func (s *Store) AboutErased(ctx context.Context, events []campaign.Event) ([]bool, error) {
	return aboutErased(s.db.WithContext(ctx), events)
}

func aboutErased(tx *gorm.DB, events []campaign.Event) ([]bool, error) {
	var erased []bool
	if err := tx.Raw(`
		SELECT about_erased(phones, message, wa_message)
		FROM ROWS FROM (jsonb_to_recordset(CAST(@events AS jsonb)) AS (phones text[], message uuid, wa_message text))
		     WITH ORDINALITY AS told (phones, message, wa_message, n)
		ORDER BY n`, map[string]any{"events": told(events)}).Scan(&erased).Error; err != nil {
		return nil, fmt.Errorf("looking for the erased: %w", err)
	}
	return erased, nil
}

// WithoutElements leaves those elements out of a webhook that drop holds for. nil
// means that nothing would be left: the webhook is not an array, or all of it goes.
func WithoutElements(raw []byte, drop func(i int, element []byte) bool) []byte {
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) != nil {
		return nil
	}
	var left []json.RawMessage
	for i, element := range elements {
		if !drop(i, element) {
			left = append(left, element)
		}
	}
	if len(left) == 0 {
		return nil
	}
	encoded, err := json.Marshal(left)
	if err != nil {
		return nil // cannot be: they have just been read
	}
	return encoded
}
