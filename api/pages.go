package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/relance/relance/store"
)

// Paging is what every list takes. It is exported because huma looks into
// exported embedded types only.
type Paging struct {
	Limit  int    `query:"limit" example:"20" minimum:"1" maximum:"200" default:"50" doc:"How many items at most."`
	Cursor string `query:"cursor" maxLength:"1000" doc:"The next_cursor of the page before."`
}

// list is one page of a list.
type list[T any] struct {
	Items      []T     `json:"items" nullable:"false"`
	NextCursor *string `json:"next_cursor" example:"eyJDcmVhdGVkQXQiOiIyMDI2LTA2LTAxVDA5OjAwOjAwWiIsIklEIjoiMDE5N2QyYzYtM2M1ZC03YTkxLWIyZjctOTFkM2U1YTdjMDI0In0" doc:"Ask for the next page with it; null on the last page."`
	Total      *int64  `json:"total,omitempty" example:"1250" doc:"All items of the list; left out where counting them is not cheap."`
}

type listOutput[T any] struct{ Body list[T] }

// viewAll never makes null of an empty list.
func viewAll[Row, View any](rows []Row, view func(Row) View) []View {
	views := make([]View, len(rows))
	for i, row := range rows {
		views[i] = view(row)
	}
	return views
}

// cursorTo makes an opaque cursor of a place in a list.
func cursorTo(place any) (*string, error) {
	encoded, err := json.Marshal(place)
	if err != nil {
		return nil, err
	}
	cursor := base64.RawURLEncoding.EncodeToString(encoded)
	return &cursor, nil
}

// place reads a cursor that cursorTo made; nil for the beginning of the list.
func place[T any](cursor string) (*T, error) {
	if cursor == "" {
		return nil, nil
	}
	var at T
	encoded, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		err = json.Unmarshal(encoded, &at)
	}
	if err != nil {
		return nil, invalid("query.cursor", "is not a next_cursor of this list")
	}
	return &at, nil
}

// page reads the place in a list that runs from new to old.
func (in Paging) page() (store.Page, error) {
	after, err := place[store.Position](in.Cursor)
	return store.Page{Limit: in.Limit, After: after}, err
}

// cursorAfter is the cursor to the page after a position; nil when there is none.
func cursorAfter(next *store.Position) (*string, error) {
	if next == nil {
		return nil, nil
	}
	return cursorTo(next)
}

// ByID is the path of one thing, exported like [Paging].
type ByID struct {
	ID uuid.UUID `path:"id" example:"0197d2c6-3c5d-7a91-b2f7-91d3e5a7c024" format:"uuid"`
}

// listKey is the cache's key of a list. What was asked is hashed: it may be a
// person's name or number.
func listKey(prefix string, asked any) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%#v", asked))
	return prefix + "list:" + hex.EncodeToString(sum[:])
}
