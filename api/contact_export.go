package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/relance/relance/store"
)

// ContactFiltering is what contacts are picked by, exported like [Paging].
type ContactFiltering struct {
	Query      string    `query:"q" example:"camille" maxLength:"100" doc:"A part of a name or of a phone number."`
	CategoryID uuid.UUID `query:"category_id" example:"0197d2c4-7a10-7c3e-9a41-5f0e3b6d2c18" format:"uuid" doc:"Only contacts in this category."`
	OptedOut   string    `query:"opted_out" example:"false" enum:"true,false" doc:"Only contacts who opted out, or only those who did not."`
}

func (in ContactFiltering) filter() (store.ContactFilter, error) {
	if err := storable(in.Query); err != nil {
		return store.ContactFilter{}, invalid("query.q", "%s", err)
	}
	filter := store.ContactFilter{Query: in.Query, CategoryID: in.CategoryID}
	if in.OptedOut != "" {
		optedOut := in.OptedOut == "true"
		filter.OptedOut = &optedOut
	}
	return filter, nil
}

// exportContacts writes a file that an import reads back: the columns that are
// no attributes are passed over by it. Contacts made while it is written are not
// in it.
func (a *API) exportContacts(ctx context.Context, in *ContactFiltering) (*huma.StreamResponse, error) {
	filter, err := in.filter()
	if err != nil {
		return nil, err
	}
	names, err := a.store.AttributeNames(ctx, filter)
	if err != nil {
		return nil, err
	}
	header := []string{"phone", "name"}
	for _, name := range names {
		header = append(header, attributeHeader(name))
	}
	header = append(header, ownPrefix+"opted_out_at", ownPrefix+"created_at")
	page := store.Page{Limit: exportPage}
	return a.streamCSV("contacts.csv", header, func(ctx context.Context) ([][]string, bool, error) {
		found, err := a.store.Contacts(ctx, filter, page)
		rows := make([][]string, len(found.Contacts))
		for i, c := range found.Contacts {
			rows[i] = contactRow(c, names)
		}
		page.After = found.Next
		return rows, found.Next != nil, err
	}), nil
}

func contactRow(c store.Contact, attributes []string) []string {
	row := make([]string, 0, len(attributes)+4)
	row = append(row, c.Phone, c.Name)
	for _, name := range attributes {
		row = append(row, c.Attributes[name])
	}
	return append(row, moment(c.OptedOutAt), moment(&c.CreatedAt))
}
