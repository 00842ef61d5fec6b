package wassenger

import (
	"strings"

	"github.com/relance/relance/campaign"
)

// reply reads an inbound message of a person.
func (d *delivery) reply() campaign.Event {
	if d.Type == "reaction" {
		return d.reaction()
	}
	waID, _ := d.ids()
	e := d.ignored(d.crowd())
	e.Key = d.key(waID)
	if e.Ignored == "" && d.isOurs() {
		e.Ignored = "our own message"
	}
	if e.Ignored != "" {
		return e
	}
	e.Kind = campaign.EventReply
	e.At = firstMoment(d.Date, d.Timestamp, d.told())
	e.Phone = d.sender()
	e.WAID = string(waID)
	e.Interaction = d.interaction()
	e.Body = d.words()
	e.QuotedWAID = string(firstText(d.Quoted.WAID, d.Quoted.ID))
	e.QuotedReference = string(d.Quoted.Reference)
	return e
}

// words is the text of a message: its body, its caption, or what was chosen of
// buttons or a list.
func (c *content) words() string {
	return string(firstText(c.Body, c.Media.Caption, c.Caption, c.SelectedID))
}

// interaction is the kind of an inbound message (Property 7). Whatever has no
// kind of its own, such as a location, a contact, a vote or a choice, is text.
func (c *content) interaction() campaign.InteractionType {
	switch c.Type {
	case "", "media", "file":
		return c.interactionOf(c.Media.kind())
	}
	return c.interactionOf(c.Type)
}

func (c *content) interactionOf(kind text) campaign.InteractionType {
	switch kind {
	case "", "text", "chat":
		return campaign.TypeOfText(c.words())
	case "audio", "voice", "ptt":
		if c.isVoice() {
			return campaign.Voice
		}
		return campaign.Audio
	case "image", "sticker":
		return campaign.Image
	case "video", "gif", "ptv":
		return campaign.Video
	case "document":
		return campaign.Document
	}
	return campaign.Text
}

// isVoice tells a recorded voice note from a sent audio file. Where the
// provider marks it is not documented, so all likely places count.
func (c *content) isVoice() bool {
	for _, mark := range []text{c.Type, c.Subtype, c.Media.Type, c.Media.Format} {
		if mark == "ptt" || mark == "voice" {
			return true
		}
	}
	mime := strings.ToLower(string(c.Media.MIME))
	return strings.HasPrefix(mime, "audio/ogg") && strings.Contains(mime, "opus")
}

// kind is the medium's type, or the first half of its MIME type.
func (m media) kind() text {
	if m.Type != "" {
		return m.Type
	}
	half, _, _ := strings.Cut(string(m.MIME), "/")
	if half == "application" {
		return "document"
	}
	return text(half)
}
