package campaign

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEmojiOnlyTextIsAnEmoji(t *testing.T) {
	for body, want := range map[string]InteractionType{
		"👍": Emoji, "👍🏽 👍🏽": Emoji, "❤️": Emoji, "👨‍👩‍👧": Emoji, "🇫🇷": Emoji, "☺": Emoji, "🏴󠁧󠁢󠁥󠁮󠁧󠁿": Emoji, "⭐️": Emoji,
		"ok 👍": Text, "1": Text, "1️⃣": Text, "": Text, "   ": Text, "Oui": Text, "…": Text, "你好": Text,
	} {
		require.Equal(t, want, TypeOfText(body), "%q", body)
	}
}
