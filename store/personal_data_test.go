package store_test

import (
	"encoding/json"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/store"
)

func TestExportHasWhateverIsStoredAboutAPersonAndNothingAboutAnother(t *testing.T) {
	b := open(t)
	ada, _, answered := b.everywhere()
	data, err := b.PersonalData(t.Context(), store.Person{ContactID: ada})
	require.NoError(t, err)

	assert.Equal(t, phone(0), data.Contact.Phone)
	assert.Equal(t, store.Attributes{"street": "Ockham Park"}, data.Contact.Attributes)
	assert.Equal(t, store.Texts{"VIP"}, data.Contact.Categories)
	assert.Len(t, data.OptOuts, 1)
	require.Len(t, data.Campaigns, 2)
	first := data.Campaigns[0]
	assert.Equal(t, answered, first.CampaignID)
	assert.Equal(t, "Ada Lovelace", first.Variables["name"])
	require.Len(t, first.Messages, 2)
	assert.Equal(t, []string{"Hello Ada Lovelace", "Thank you Ada Lovelace"}, []string{first.Messages[0].Text, first.Messages[1].Text})
	assert.Len(t, first.Replies, 1)
	assert.Len(t, data.Webhooks, 3)
	require.Len(t, data.Imports, 1)
	assert.Equal(t, store.Texts{"06 39 98 00 00", "Ada Lovelace"}, data.Imports[0].Cells)
	assert.Len(t, data.Answers, 1)

	encoded, err := json.Marshal(data)
	require.NoError(t, err)
	assert.Contains(t, string(encoded), "my secret answer")
	for _, word := range bobs {
		assert.NotContains(t, string(encoded), word)
	}

	byNumber, err := b.PersonalData(t.Context(), store.Person{Phone: phone(0)})
	require.NoError(t, err)
	byNumber.ExportedAt = data.ExportedAt
	assert.Equal(t, data, byNumber)

	b.erase(store.Person{ContactID: ada})
	b.searched()
	for _, who := range []store.Person{{ContactID: ada}, {Phone: phone(0)}, {ContactID: uuid.New()}} {
		_, err := b.PersonalData(t.Context(), who)
		require.ErrorIs(t, err, store.ErrNotFound)
	}
}
