package campaign

// InteractionType is the kind of a contact's reply (Property 7).
type InteractionType string

// The kinds of reply.
const (
	Text     InteractionType = "text"
	Emoji    InteractionType = "emoji" // emoji-only text, and reactions
	Voice    InteractionType = "voice"
	Audio    InteractionType = "audio"
	Image    InteractionType = "image" // stickers too
	Video    InteractionType = "video"
	Document InteractionType = "document"
)

// InteractionTypes lists every kind of reply.
var InteractionTypes = []InteractionType{Text, Emoji, Voice, Audio, Image, Video, Document}

// TypeOfText tells an emoji-only text from any other text.
func TypeOfText(body string) InteractionType {
	seen := false
	for _, r := range body {
		switch {
		case isEmoji(r):
			seen = true
		case isEmojiJoint(r) || isSpace(r):
			// parts of an emoji sequence, or space between emojis
		default:
			return Text
		}
	}
	if seen {
		return Emoji
	}
	return Text
}

func isSpace(r rune) bool { return r == ' ' || r == '\n' || r == '\r' || r == '\t' || r == '\u00a0' }

// isEmojiJoint holds for the runes that only glue or colour emojis: the
// zero-width joiner, variation selectors, the keycap mark and tag runes.
func isEmojiJoint(r rune) bool {
	return r == 0x200d || r == 0xfe0f || r == 0xfe0e || r == 0x20e3 || (r >= 0xe0020 && r <= 0xe007f)
}

// isEmoji covers the blocks of Unicode 16 whose characters phones show as
// pictures. Digits, # and * are left out although keycap emojis begin with
// them: a contact who sends "1" sends text.
func isEmoji(r rune) bool {
	switch {
	case r >= 0x1f000 && r <= 0x1faff: // tiles, cards, flags, pictographs, skin tones, symbols
		return true
	case r >= 0x2600 && r <= 0x27bf: // miscellaneous symbols and dingbats
		return true
	case r >= 0x2b05 && r <= 0x2b55, r >= 0x2194 && r <= 0x21aa, r >= 0x2934 && r <= 0x2935: // arrows, stars
		return true
	case r >= 0x231a && r <= 0x23ff, r >= 0x25aa && r <= 0x25fe: // clocks, media keys, squares
		return true
	case r == 0x00a9, r == 0x00ae, r == 0x203c, r == 0x2049, r == 0x2122, r == 0x2139,
		r == 0x3030, r == 0x303d, r == 0x3297, r == 0x3299, r == 0x24c2:
		return true
	}
	return false
}
