package campaign

import "strings"

// Wish is what a contact's message says about being written to at all.
type Wish string

// The wishes.
const (
	NoWish     Wish = ""        // an ordinary message
	WishOptOut Wish = "opt-out" // leave me alone
	WishOptIn  Wish = "opt-in"  // write to me again
)

// WishOf reads a wish from a message. Only the whole message counts, whatever
// its case, accents and punctuation: "STOP!" is a wish, "don't stop" is none.
// English, French, Spanish and Portuguese are understood.
func WishOf(body string) Wish {
	if len(body) > longestWish {
		return NoWish
	}
	return wishes[plain(body)]
}

// longestWish is well over the longest known wish in bytes, whatever is around it.
const longestWish = 200

// wishes by their plain form. Words that also answer an ordinary question, such
// as yes and no, are left out on purpose.
var wishes = wishTable(map[Wish][]string{
	WishOptOut: {
		"stop", "stop all", "stopall", "unsubscribe", "unsubscribe me", "cancel", "end", "quit",
		"opt out", "optout", "remove", "remove me", "stop messages", "no more messages",

		"arrêt", "arrêter", "arrêtez", "désabonner", "désabonnement", "me désabonner", "désabonnez-moi",
		"désinscrire", "désinscription", "me désinscrire", "désinscrivez-moi", "stop pub", "résilier",

		"baja", "alto", "cancelar", "no más", "parar", "detener", "darme de baja", "dar de baja", "darse de baja",
		"no más mensajes", "cancelar suscripción",

		"sair", "pare", "descadastrar", "remover", "me remova", "não quero mais", "não enviar mais",
		"cancelar inscrição", "desinscrever",
	},
	WishOptIn: {
		"start", "unstop", "subscribe", "opt in", "optin", "resume",

		"réabonner", "me réabonner", "réabonnez-moi", "abonner", "m'abonner", "reprendre", "réinscrire", "me réinscrire",

		"alta", "darme de alta", "suscribir", "suscribirme", "reanudar",

		"voltar", "inscrever", "me inscrever", "assinar", "recadastrar",
	},
})

func wishTable(words map[Wish][]string) map[string]Wish {
	table := map[string]Wish{}
	for wish, list := range words {
		for _, word := range list {
			table[plain(word)] = wish
		}
	}
	return table
}

// plain keeps the letters and digits of a text, in lower case and without
// accents, and one space between words.
func plain(text string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(text) {
		switch {
		case r >= 0x300 && r <= 0x36f: // an accent of its own, after its letter
			continue
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
		case accented[r] != 0:
			r = accented[r]
		default:
			gap = b.Len() > 0
			continue
		}
		if gap {
			b.WriteByte(' ')
			gap = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// accented are the letters of the understood languages, by their plain ones.
var accented = func() map[rune]rune {
	letters := map[rune]rune{}
	for base, variants := range map[rune]string{
		'a': "àáâãäå", 'c': "ç", 'e': "èéêë", 'i': "ìíîï", 'n': "ñ", 'o': "òóôõö", 'u': "ùúûü", 'y': "ýÿ",
	} {
		for _, r := range variants {
			letters[r] = base
		}
	}
	return letters
}()
