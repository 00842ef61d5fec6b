package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/devstack/testenv"
	"github.com/relance/relance/migrations"
	"github.com/relance/relance/store"
)

func TestAPersonIsExportedAndErasedFromTheCommandLine(t *testing.T) {
	url := testenv.Database(t, migrations.UpAt)
	t.Setenv("DATABASE_URL", url)
	t.Setenv("REDIS_URL", "")
	s, err := store.Open(t.Context(), url, store.Options{Rules: campaign.DefaultRules()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	contact, err := s.CreateContact(t.Context(), store.ContactData{Phone: "+33639980001", Name: "Camille"})
	require.NoError(t, err)

	exported, err := command(t, "+33 6 39 98 00 01\n", "person", "export")
	require.NoError(t, err)
	var data store.PersonalData
	require.NoError(t, json.Unmarshal([]byte(exported), &data), exported)
	assert.Equal(t, "Camille", data.Contact.Name)

	_, err = command(t, "", "person", "erase", "--phone", "+33639980001")
	require.ErrorContains(t, err, "add --yes")
	_, err = command(t, "06 39 98 00 01\n", "person", "erase", "--yes")
	require.ErrorContains(t, err, "must begin with + and its country code")
	_, err = command(t, "", "person", "erase", "--yes", "--contact", "Camille")
	require.ErrorContains(t, err, "--contact must be the id of a contact")
	said, err := command(t, "", "person", "erase", "--yes", "--phone", "+33639980001")
	require.NoError(t, err)
	assert.Contains(t, said, "Erased "+contact.ID.String())
	assert.NotContains(t, said, "33639980001")
	_, err = s.Contact(t.Context(), contact.ID)
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = command(t, "", "person", "export", "--contact", contact.ID.String())
	require.ErrorContains(t, err, "nothing is stored about this person")
	_, err = command(t, "", "person", "erase", "--yes", "--contact", contact.ID.String())
	require.NoError(t, err, "erased again")

	page, err := s.Audit(t.Context(), store.AuditFilter{}, 0, 10)
	require.NoError(t, err)
	var done []string
	for _, entry := range page.Entries {
		assert.Equal(t, contact.ID, *entry.SubjectID)
		assert.Equal(t, store.AuditDone, entry.Outcome)
		done = append(done, entry.Action)
	}
	assert.Equal(t, []string{"person-erase", "person-erase", "person-export"}, done)
}
