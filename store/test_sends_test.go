package store_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

func TestNoTestMessageIsLetThroughToWhoeverAskedToBeLeftAlone(t *testing.T) {
	b := open(t)
	contacts := b.contacts(2)
	id := b.launched(contacts)
	_, _, err := b.SetOptedOut(t.Context(), contacts[0], true)
	require.NoError(t, err)
	_, _, err = b.SetOptedOut(t.Context(), contacts[1], true)
	require.NoError(t, err)
	b.erase(store.Person{ContactID: contacts[1]})
	b.searched()
	b.says(2, "STOP") // who is nobody's contact
	const mexican, alsoMexican = "+525512345678", "+5215512345678"
	b.exec(`INSERT INTO opt_outs (phone, opted_out_at) VALUES ($1, now())`, mexican)

	for who, number := range map[string]string{
		"a contact": phone(0), "an erased contact": phone(1), "a stranger": phone(2), "another spelling of the number": alsoMexican,
	} {
		_, err := b.ReserveTestSend(t.Context(), id, campaign.Message1, number, uuid.Nil, time.Second)
		var refused *store.RefusedError
		require.ErrorAs(t, err, &refused, who)
		require.Empty(t, refused.Obstacle, who)
	}
	_, err = b.ReserveTestSend(t.Context(), id, campaign.Message1, phone(3), uuid.Nil, time.Second)
	require.NoError(t, err)
}
