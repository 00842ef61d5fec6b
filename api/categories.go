package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/cache"
	"github.com/relance/relance/store"
)

type categoryView struct {
	ID           uuid.UUID `json:"id" example:"0197d2c4-7a10-7c3e-9a41-5f0e3b6d2c18" format:"uuid"`
	Name         string    `json:"name" example:"Clients 2026"`
	ContactCount int64     `json:"contact_count" example:"1250" doc:"Exact, opted-out contacts included."`
	CreatedAt    time.Time `json:"created_at" example:"2026-06-01T08:00:00Z"`
}

func viewCategory(c store.Category) categoryView {
	return categoryView{ID: c.ID, Name: c.Name, ContactCount: c.ContactCount, CreatedAt: c.CreatedAt.UTC()}
}

type categoryOutput struct{ Body categoryView }

func answerCategory(c store.Category, err error) (*categoryOutput, error) {
	if err != nil {
		return nil, err
	}
	return &categoryOutput{Body: viewCategory(c)}, nil
}

func (a *API) listCategories(ctx context.Context, in *Paging) (*listOutput[categoryView], error) {
	after, err := place[string](in.Cursor)
	if err == nil && after != nil {
		err = storable(*after)
	}
	if err != nil {
		return nil, invalid("query.cursor", "is not a next_cursor of this list")
	}
	name := ""
	if after != nil {
		name = *after
	}
	body, err := cache.Through(ctx, a.cache, listKey(cache.Categories, *in), cache.CategoriesTTL,
		func(ctx context.Context) (list[categoryView], error) {
			found, err := a.store.Categories(ctx, name, in.Limit)
			body := list[categoryView]{Items: viewAll(found.Categories, viewCategory), Total: &found.Total}
			if err == nil && found.More {
				body.NextCursor, err = cursorTo(found.Categories[in.Limit-1].Name)
			}
			return body, err
		})
	if err != nil {
		return nil, err
	}
	return &listOutput[categoryView]{Body: body}, nil
}

type categoryBody struct {
	Name string `json:"name" minLength:"1" example:"Customers 2025"`
}

const longestCategory = 100

func (b categoryBody) check() (string, error) {
	name, err := required(b.Name, longestCategory)
	if err != nil {
		return "", invalid("body.name", "%s", err)
	}
	return name, nil
}

func categoryProblem(err error) error {
	switch {
	case errors.Is(err, store.ErrDuplicateName):
		return taken("body.name", "Another category has this name.")
	case errors.Is(err, store.ErrCategoryAwaited):
		return problem(http.StatusConflict, "A campaign that is about to start is meant for this category.")
	}
	return missing(err, map[string]string{"contact": "body.contact_ids"})
}

type createCategoryInput struct{ Body categoryBody }

type createCategoryOutput struct {
	Location string `header:"Location"`
	Body     categoryView
}

func (a *API) createCategory(ctx context.Context, in *createCategoryInput) (*createCategoryOutput, error) {
	name, err := in.Body.check()
	if err != nil {
		return nil, err
	}
	category, err := a.store.CreateCategory(ctx, name)
	a.changedContacts(ctx, err)
	if err != nil {
		return nil, categoryProblem(err)
	}
	return &createCategoryOutput{Location: "/categories/" + category.ID.String(), Body: viewCategory(category)}, nil
}

func (a *API) getCategory(ctx context.Context, in *ByID) (*categoryOutput, error) {
	return answerCategory(a.store.Category(ctx, in.ID))
}

type renameCategoryInput struct {
	ByID
	Body categoryBody
}

func (a *API) renameCategory(ctx context.Context, in *renameCategoryInput) (*categoryOutput, error) {
	name, err := in.Body.check()
	if err != nil {
		return nil, err
	}
	category, err := a.store.RenameCategory(ctx, in.ID, name)
	a.changedContacts(ctx, err)
	return answerCategory(category, categoryProblem(err))
}

func (a *API) deleteCategory(ctx context.Context, in *ByID) (*struct{}, error) {
	err := a.store.DeleteCategory(ctx, in.ID)
	a.changedContacts(ctx, err)
	return nil, categoryProblem(err)
}

type membersInput struct {
	ByID
	Body struct {
		ContactIDs []uuid.UUID `json:"contact_ids" example:"0197d2c5-1b22-7f04-8d9e-2a4c6e8f0b13,0197d2c5-1b23-7b6c-a1d0-4e5f60718293" nullable:"false" minItems:"1" maxItems:"100000" format:"uuid"`
	}
}

func (a *API) addToCategory(ctx context.Context, in *membersInput) (*categoryOutput, error) {
	note(ctx, "contacts", len(in.Body.ContactIDs))
	category, err := a.store.AddToCategory(ctx, in.ID, in.Body.ContactIDs)
	a.changedContacts(ctx, err)
	return answerCategory(category, categoryProblem(err))
}

func (a *API) removeFromCategory(ctx context.Context, in *membersInput) (*categoryOutput, error) {
	note(ctx, "contacts", len(in.Body.ContactIDs))
	category, err := a.store.RemoveFromCategory(ctx, in.ID, in.Body.ContactIDs)
	a.changedContacts(ctx, err)
	return answerCategory(category, categoryProblem(err))
}
