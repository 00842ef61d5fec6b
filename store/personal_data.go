package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/relance/relance/campaign"
)

// PersonalData is everything that is stored about one person.
type PersonalData struct {
	ExportedAt time.Time             `json:"exported_at"`
	Contact    *PersonalContact      `json:"contact" doc:"null if the contact was deleted."`
	OptOuts    []PersonalOptOut      `json:"opt_outs" nullable:"false" doc:"Numbers that asked to be left alone."`
	Campaigns  []PersonalCampaign    `json:"campaigns" nullable:"false" doc:"The campaigns that the person was in, the oldest first."`
	Webhooks   []PersonalWebhook     `json:"webhooks" nullable:"false" doc:"What the provider told about the person, as it came. Texts of replies are here and nowhere else."`
	Imports    []PersonalRejectedRow `json:"rejected_import_rows" nullable:"false" doc:"Rows of imported files that could not be used and have the number."`
	Answers    []PersonalAnswer      `json:"kept_answers" nullable:"false" doc:"Answers that are kept for a day for requests sent again."`
}

// PersonalContact is the contact.
type PersonalContact struct {
	ID         uuid.UUID  `json:"id" format:"uuid"`
	Phone      string     `json:"phone" example:"+33639980001"`
	Name       string     `json:"name" example:"Camille"`
	Attributes Attributes `json:"attributes"`
	Categories Texts      `json:"categories" nullable:"false" example:"[\"Customers\"]"`
	OptedOutAt *time.Time `json:"opted_out_at"`
	CreatedAt  time.Time  `json:"created_at"`
	UpdatedAt  time.Time  `json:"updated_at"`
}

// PersonalOptOut is a wish to be left alone.
type PersonalOptOut struct {
	Phone      string    `json:"phone" example:"+33639980001"`
	OptedOutAt time.Time `json:"opted_out_at"`
}

// PersonalCampaign is one campaign's part of the data.
type PersonalCampaign struct {
	CampaignID     uuid.UUID               `json:"campaign_id" format:"uuid"`
	CampaignName   string                  `json:"campaign_name" example:"Offre de printemps"`
	ContactID      uuid.UUID               `json:"contact_id" format:"uuid"`
	Phone          string                  `json:"phone" example:"+33639980001" doc:"As it was when the campaign began."`
	Variables      Attributes              `json:"variables" doc:"What filled the texts in, as it was when the campaign began."`
	State          campaign.RecipientState `json:"state" example:"message_2_sent"`
	StateReason    campaign.Reason         `json:"state_reason"`
	Message1SentAt *time.Time              `json:"message_1_sent_at" gorm:"column:message_1_sent_at"`
	WindowEndsAt   *time.Time              `json:"window_ends_at"`
	RepliedAt      *time.Time              `json:"replied_at"`
	FinishedAt     *time.Time              `json:"finished_at"`
	Messages       []PersonalMessage       `json:"messages" nullable:"false" gorm:"-"`
	Replies        []PersonalReply         `json:"replies" nullable:"false" gorm:"-"`
}

// PersonalMessage is a message to the person.
type PersonalMessage struct {
	ID          uuid.UUID              `json:"id" format:"uuid"`
	MessageType campaign.MessageType   `json:"message_type" example:"message_1"`
	Text        string                 `json:"text" doc:"As it is, or would be, sent; empty once RETENTION_TEXTS has passed."`
	MediaURL    string                 `json:"media_url"`
	Status      campaign.MessageStatus `json:"status" example:"read"`
	SentAt      *time.Time             `json:"sent_at"`
	DeliveredAt *time.Time             `json:"delivered_at"`
	ReadAt      *time.Time             `json:"read_at"`
	FailedAt    *time.Time             `json:"failed_at"`
	Error       string                 `json:"error"`
	ProviderID  *string                `json:"provider_id" doc:"The provider's id of the message."`
	WAID        *string                `json:"wa_id" gorm:"column:wa_id" doc:"WhatsApp's id of the message."`
}

// PersonalReply is a message of the person's.
type PersonalReply struct {
	InteractionType campaign.InteractionType `json:"interaction_type" example:"text"`
	ReceivedAt      time.Time                `json:"received_at"`
	Within24h       bool                     `json:"within_24h" gorm:"column:within_24h"`
}

// PersonalWebhook is what the provider told, as it came.
type PersonalWebhook struct {
	ReceivedAt time.Time `json:"received_at"`
	Outcome    string    `json:"outcome" example:"reply in time" doc:"What was made of it."`
	Content    any       `json:"content" doc:"The JSON as it came; a text where it is none."`
}

// PersonalRejectedRow is a row of a file that could not be used.
type PersonalRejectedRow struct {
	ImportID uuid.UUID `json:"import_id" format:"uuid"`
	Line     int64     `json:"line"`
	Reason   string    `json:"reason"`
	Columns  Texts     `json:"columns" nullable:"false" doc:"The file's first line."`
	Cells    Texts     `json:"cells" nullable:"false"`
}

// PersonalAnswer is an answer of the API that shows the person.
type PersonalAnswer struct {
	CreatedAt time.Time `json:"created_at"`
	Content   any       `json:"content"`
}

// PersonalData tells everything that is stored about a person. It reads all raw
// webhooks that there are. [ErrNotFound] for an id that neither a contact nor a
// recipient has, and for a number about which nothing is stored.
func (s *Store) PersonalData(ctx context.Context, who Person) (PersonalData, error) {
	data := PersonalData{
		OptOuts: []PersonalOptOut{}, Campaigns: []PersonalCampaign{}, Webhooks: []PersonalWebhook{},
		Imports: []PersonalRejectedRow{}, Answers: []PersonalAnswer{},
	}
	tx := s.db.WithContext(ctx)
	their, err := findTraces(tx, who)
	if err == nil {
		err = their.gather(tx, &data)
	}
	if err == nil {
		err = s.gatherWebhooks(ctx, their, &data)
	}
	if err == nil && data.empty() {
		err = ErrNotFound
	}
	if err != nil {
		return data, fmt.Errorf("gathering personal data: %w", err)
	}
	return data, nil
}

func (d PersonalData) empty() bool {
	return d.Contact == nil && len(d.OptOuts)+len(d.Campaigns)+len(d.Webhooks)+len(d.Imports)+len(d.Answers) == 0
}

// gather reads what indexes lead to, and small tables.
func (t traces) gather(tx *gorm.DB, data *PersonalData) error {
	var err error
	if data.ExportedAt, err = now(tx); err != nil {
		return err
	}
	data.ExportedAt = data.ExportedAt.UTC()
	values := t.values()
	contact := &PersonalContact{}
	err = first(tx, contact, `
		SELECT k.id, k.phone, k.name, k.attributes, k.opted_out_at, k.created_at, k.updated_at, (
		    SELECT coalesce(jsonb_agg(c.name ORDER BY c.name), '[]') FROM contact_categories kc JOIN categories c ON c.id = kc.category_id
		    WHERE kc.contact_id = k.id) AS categories
		FROM contacts k WHERE k.id = ANY (@contacts) ORDER BY k.created_at DESC LIMIT 1`, values)
	switch {
	case err == nil:
		data.Contact = contact
	case !errors.Is(err, ErrNotFound):
		return err
	}
	if err := tx.Raw(`SELECT phone, opted_out_at FROM opt_outs WHERE phone = ANY (string_to_array(@phones, ',')) ORDER BY phone`, values).
		Scan(&data.OptOuts).Error; err != nil {
		return err
	}
	if err := t.gatherCampaigns(tx, data); err != nil {
		return err
	}
	if err := tx.Raw(`SELECT r.import_id, r.line, r.reason, j.columns, r.cells FROM import_rejections r JOIN import_jobs j ON j.id = r.import_id
		WHERE `+rejectionAbout+` ORDER BY j.created_at, r.line`, values).Scan(&data.Imports).Error; err != nil {
		return err
	}
	var answers []struct {
		CreatedAt time.Time
		Body      []byte
	}
	if err := tx.Raw(`SELECT created_at, body FROM idempotency_keys WHERE `+answerAbout+` ORDER BY created_at`, values).Scan(&answers).Error; err != nil {
		return err
	}
	for _, answer := range answers {
		data.Answers = append(data.Answers, PersonalAnswer{CreatedAt: answer.CreatedAt, Content: readable(answer.Body)})
	}
	return nil
}

func (t traces) gatherCampaigns(tx *gorm.DB, data *PersonalData) error {
	if err := tx.Raw(`
		SELECT r.campaign_id, c.name AS campaign_name, r.contact_id, r.phone, r.variables, r.state, r.state_reason,
		       r.message_1_sent_at, r.window_ends_at, r.replied_at, r.finished_at
		FROM recipients r JOIN campaigns c ON c.id = r.campaign_id
		WHERE r.contact_id = ANY (@contacts) OR r.phone = ANY (string_to_array(@phones, ','))
		ORDER BY c.created_at, c.id, r.contact_id`, t.values()).Scan(&data.Campaigns).Error; err != nil {
		return err
	}
	for i := range data.Campaigns {
		part := &data.Campaigns[i]
		part.Messages, part.Replies = []PersonalMessage{}, []PersonalReply{}
		if err := tx.Raw(`
			SELECT m.id, m.message_type, CASE m.message_type WHEN 'message_1' THEN c.message_1 ELSE c.message_2 END AS text,
			       CASE m.message_type WHEN 'message_1' THEN c.message_1_media_url ELSE c.message_2_media_url END AS media_url,
			       m.status, m.sent_at, m.delivered_at, m.read_at, m.failed_at, m.error, m.provider_id, m.wa_id
			FROM messages m JOIN campaigns c ON c.id = m.campaign_id
			WHERE m.campaign_id = ? AND m.contact_id = ? ORDER BY m.message_type`, part.CampaignID, part.ContactID).Scan(&part.Messages).Error; err != nil {
			return err
		}
		for j := range part.Messages {
			part.Messages[j].Text = campaign.Render(part.Messages[j].Text, part.Variables)
		}
		if err := tx.Raw(`SELECT interaction_type, received_at, within_24h FROM interactions
			WHERE campaign_id = ? AND contact_id = ? ORDER BY received_at`, part.CampaignID, part.ContactID).Scan(&part.Replies).Error; err != nil {
			return err
		}
	}
	return nil
}

// gatherWebhooks reads what the provider told. What one webhook tells about others
// too is left out.
func (s *Store) gatherWebhooks(ctx context.Context, their traces, data *PersonalData) error {
	mentioned, err := their.mentions(s.db.WithContext(ctx))
	if err != nil {
		return err
	}
	return s.eachWebhook(ctx, data.ExportedAt, mentioned, func(webhook storedWebhook) error {
		content := webhook.Raw
		if theirs := WithoutElements(content, func(_ int, element []byte) bool { return !mentioned.in(element) }); theirs != nil {
			content = theirs
		}
		data.Webhooks = append(data.Webhooks, PersonalWebhook{
			ReceivedAt: webhook.ReceivedAt.UTC(), Outcome: webhook.Outcome, Content: readable(content),
		})
		return nil
	})
}

// readable is JSON as such, and anything else as a text.
func readable(raw []byte) any {
	if json.Valid(raw) {
		return json.RawMessage(raw)
	}
	if utf8.Valid(raw) {
		return string(raw)
	}
	return fmt.Sprintf("%q", raw)
}
