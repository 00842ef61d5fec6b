package campaign_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
)

func TestWholeMessageInFourLanguagesIsAWish(t *testing.T) {
	for body, want := range map[string]campaign.Wish{
		"STOP": campaign.WishOptOut, "stop": campaign.WishOptOut, "  Stop!!  ": campaign.WishOptOut, "« Stop »": campaign.WishOptOut,
		"STOP 🛑": campaign.WishOptOut, "Opt-out": campaign.WishOptOut, "Unsubscribe.": campaign.WishOptOut,
		"Arrêt": campaign.WishOptOut, "ARRET": campaign.WishOptOut, "arre\u0302ter": campaign.WishOptOut,
		"Désabonnez-moi !": campaign.WishOptOut, "désinscription": campaign.WishOptOut,
		"¡BAJA!": campaign.WishOptOut, "No más": campaign.WishOptOut, "no mas": campaign.WishOptOut, "Darme de baja": campaign.WishOptOut,
		"SAIR": campaign.WishOptOut, "Não quero mais": campaign.WishOptOut, "nao  quero\nmais": campaign.WishOptOut,
		"start": campaign.WishOptIn, "Réabonner": campaign.WishOptIn, "ALTA": campaign.WishOptIn, "Voltar": campaign.WishOptIn,
		"M’abonner": campaign.WishOptIn, "m'abonner": campaign.WishOptIn,
	} {
		require.Equal(t, want, campaign.WishOf(body), "%q", body)
	}
}

func TestWishInsideAnotherSentenceIsNone(t *testing.T) {
	for _, body := range []string{
		"", "!!!", "Oui", "yes", "no", "non", "1", "please don't stop", "Stop by tomorrow", "je veux arrêter de fumer",
		"nonstop", "stopp", "bus stop", "When does it end?", "🛑", strings.Repeat("stop ", 1000), "stop" + strings.Repeat("!", 1000),
	} {
		require.Equal(t, campaign.NoWish, campaign.WishOf(body), "%.40q", body)
	}
}
