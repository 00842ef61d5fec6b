package api

import (
	"context"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/relance/relance/cache"
	"github.com/relance/relance/store"
)

type contactView struct {
	ID          uuid.UUID         `json:"id" example:"0197d2c5-1b22-7f04-8d9e-2a4c6e8f0b13" format:"uuid"`
	Phone       string            `json:"phone" example:"+33639980001" doc:"E.164"`
	Name        string            `json:"name" example:"Camille"`
	Attributes  map[string]string `json:"attributes" example:"{\"city\":\"Lyon\"}" doc:"What message texts may show as {{attribute}}."`
	CategoryIDs []uuid.UUID       `json:"category_ids" example:"0197d2c4-7a10-7c3e-9a41-5f0e3b6d2c18" nullable:"false" format:"uuid"`
	OptedOutAt  *time.Time        `json:"opted_out_at" doc:"Since when the contact must not be messaged."`
	CreatedAt   time.Time         `json:"created_at" example:"2026-06-01T08:00:00Z"`
	UpdatedAt   time.Time         `json:"updated_at" example:"2026-06-01T09:00:00Z"`
}

func viewContact(c store.Contact) contactView {
	return contactView{
		ID: c.ID, Phone: c.Phone, Name: c.Name, Attributes: c.Attributes, CategoryIDs: c.CategoryIDs,
		OptedOutAt: utc(c.OptedOutAt), CreatedAt: c.CreatedAt.UTC(), UpdatedAt: c.UpdatedAt.UTC(),
	}
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	at := t.UTC()
	return &at
}

type contactOutput struct{ Body contactView }

func answerContact(c store.Contact, err error) (*contactOutput, error) {
	if err != nil {
		return nil, err
	}
	return &contactOutput{Body: viewContact(c)}, nil
}

type listContactsInput struct {
	Paging
	ContactFiltering
}

func (a *API) listContacts(ctx context.Context, in *listContactsInput) (*listOutput[contactView], error) {
	filter, err := in.filter()
	if err != nil {
		return nil, err
	}
	page, err := in.page()
	if err != nil {
		return nil, err
	}
	body, err := cache.Through(ctx, a.cache, listKey(cache.Contacts, *in), cache.ContactsTTL,
		func(ctx context.Context) (list[contactView], error) {
			found, err := a.store.Contacts(ctx, filter, page)
			if err != nil {
				return list[contactView]{}, err
			}
			next, err := cursorAfter(found.Next)
			return list[contactView]{Items: viewAll(found.Contacts, viewContact), NextCursor: next, Total: found.Total}, err
		})
	if err != nil {
		return nil, err
	}
	return &listOutput[contactView]{Body: body}, nil
}

// changedContacts forgets cached lists after a change to contacts, to categories
// or to who is in which: each shows something of the other. A change that was
// surely refused has changed nothing.
func (a *API) changedContacts(ctx context.Context, err error) {
	var absent *store.MissingError
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict) || errors.As(err, &absent) {
		return
	}
	a.cache.Invalidate(ctx, cache.Contacts, cache.Categories)
}

type createContactInput struct {
	Body struct {
		Phone       string            `json:"phone" maxLength:"40" example:"+33639980001"`
		Country     string            `json:"country,omitempty" maxLength:"2" example:"FR" doc:"The country of a phone number without a country code."`
		Name        string            `json:"name,omitempty" example:"Camille"`
		Attributes  map[string]string `json:"attributes,omitempty" example:"{\"city\":\"Lyon\"}"`
		CategoryIDs []uuid.UUID       `json:"category_ids,omitempty" example:"0197d2c4-7a10-7c3e-9a41-5f0e3b6d2c18" nullable:"false" maxItems:"1000" format:"uuid"`
	}
}

type createContactOutput struct {
	Location string `header:"Location"`
	Body     contactView
}

func (a *API) createContact(ctx context.Context, in *createContactInput) (*createContactOutput, error) {
	b := in.Body
	data, err := contactData(b.Phone, b.Country, b.Name, b.Attributes, b.CategoryIDs)
	if err != nil {
		return nil, err
	}
	contact, err := a.store.CreateContact(ctx, data)
	a.changedContacts(ctx, err)
	if err != nil {
		return nil, contactProblem(err)
	}
	return &createContactOutput{Location: "/contacts/" + contact.ID.String(), Body: viewContact(contact)}, nil
}

type replaceContactInput struct {
	ByID
	Body struct {
		Phone       string            `json:"phone" maxLength:"40" example:"+33639980001"`
		Country     string            `json:"country,omitempty" maxLength:"2" example:"FR" doc:"The country of a phone number without a country code."`
		Name        string            `json:"name" example:"Camille"`
		Attributes  map[string]string `json:"attributes" example:"{\"city\":\"Lyon\"}"`
		CategoryIDs []uuid.UUID       `json:"category_ids" example:"0197d2c4-7a10-7c3e-9a41-5f0e3b6d2c18" nullable:"false" maxItems:"1000" format:"uuid"`
	}
}

func (a *API) replaceContact(ctx context.Context, in *replaceContactInput) (*contactOutput, error) {
	b := in.Body
	data, err := contactData(b.Phone, b.Country, b.Name, b.Attributes, b.CategoryIDs)
	if err != nil {
		return nil, err
	}
	contact, err := a.store.UpdateContact(ctx, in.ID, data)
	a.changedContacts(ctx, err)
	return answerContact(contact, contactProblem(err))
}

// contactProblem names the field that the database refused.
func contactProblem(err error) error {
	if errors.Is(err, store.ErrDuplicatePhone) {
		return taken("body.phone", "Another contact has this phone number.")
	}
	return missing(err, map[string]string{"category": "body.category_ids"})
}

// Limits on what is known of a contact.
const (
	longestName          = 200
	longestAttributeName = 100
	longestAttribute     = 1000
	mostAttributes       = 50
)

// contactData checks what a caller says about a contact.
func contactData(phone, country, name string, attributes map[string]string, categoryIDs []uuid.UUID) (store.ContactData, error) {
	var wrong fields
	data := store.ContactData{CategoryIDs: categoryIDs, Attributes: store.Attributes{}}
	var err error
	if country, err = normalizeCountry(country); err != nil {
		wrong.wrong("body.country", "%s", err)
	} else if data.Phone, err = normalizePhone(phone, country); err != nil {
		wrong.wrong("body.phone", "%s", err)
	}
	if data.Name, err = label(name, longestName); err != nil {
		wrong.wrong("body.name", "%s", err)
	}
	if len(attributes) > mostAttributes {
		wrong.wrong("body.attributes", "must be at most %d, are %d", mostAttributes, len(attributes))
	}
	for key, value := range attributes {
		if utf8.RuneCountInString(key) > longestAttributeName {
			wrong.wrong("body.attributes", "cannot have a name of more than %d characters", longestAttributeName)
		} else if key != attributeName(key) || key == "name" {
			wrong.wrong("body.attributes", "cannot have the name %q: a name begins with a letter, goes on with letters, digits, _, . or -, and is not \"name\"", key)
		} else if data.Attributes[key], err = label(value, longestAttribute); err != nil {
			wrong.wrong("body.attributes."+key, "%s", err)
		}
	}
	return data, wrong.problem()
}

func (a *API) getContact(ctx context.Context, in *ByID) (*contactOutput, error) {
	return answerContact(a.store.Contact(ctx, in.ID))
}

func (a *API) deleteContact(ctx context.Context, in *ByID) (*struct{}, error) {
	err := a.store.DeleteContact(ctx, in.ID)
	a.changedContacts(ctx, err)
	return nil, err
}

func (a *API) optOut(ctx context.Context, in *ByID) (*contactOutput, error) {
	return a.setOptedOut(ctx, in.ID, true)
}

func (a *API) optIn(ctx context.Context, in *ByID) (*contactOutput, error) {
	return a.setOptedOut(ctx, in.ID, false)
}

func (a *API) setOptedOut(ctx context.Context, id uuid.UUID, optedOut bool) (*contactOutput, error) {
	contact, stopped, err := a.store.SetOptedOut(ctx, id, optedOut)
	a.changedContacts(ctx, err)
	a.wakeStopped(ctx, stopped)
	return answerContact(contact, err)
}

// wakeStopped tells the workflows of recipients that there is nothing left to do
// for them. They find it at the end of the window at the latest.
func (a *API) wakeStopped(ctx context.Context, stopped []store.Recipient) {
	if len(stopped) == 0 {
		return
	}
	a.soon(ctx, func(ctx context.Context) {
		for _, recipient := range stopped {
			if err := a.options.Engine.Wake(ctx, recipient.CampaignID, recipient.ContactID); err != nil {
				a.logger.WarnContext(ctx, "A contact's workflow could not be woken.",
					"request_id", requestID(ctx), "campaign_id", recipient.CampaignID, "contact_id", recipient.ContactID, "error", err)
			}
		}
	})
}
