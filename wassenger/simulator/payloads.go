package simulator

import (
	"encoding/json"
	"strings"

	"github.com/relance/relance/campaign"
)

// chatEvent is envelope A: events about a message as it stands in a chat.
type chatEvent struct {
	ID      string      `json:"id"` // WhatsApp's id of the message, not of the event
	Object  string      `json:"object"`
	Event   string      `json:"event"`
	Created int64       `json:"created"`
	Device  eventDevice `json:"device"`
	Data    chatMessage `json:"data"`
}

type eventDevice struct {
	ID    string `json:"id"`
	Phone string `json:"phone"`
	Alias string `json:"alias"`
	Plan  string `json:"plan"`
}

type chatMessage struct {
	ID         string            `json:"id"`
	Type       string            `json:"type"`
	Flow       string            `json:"flow"`
	Status     string            `json:"status"`
	Ack        string            `json:"ack"`
	From       string            `json:"from"`
	FromNumber string            `json:"fromNumber"`
	To         string            `json:"to"`
	ToNumber   string            `json:"toNumber"`
	Date       string            `json:"date"`
	Timestamp  int64             `json:"timestamp"`
	Body       string            `json:"body,omitempty"`
	Reference  string            `json:"reference,omitempty"`
	Media      *chatMedia        `json:"media,omitempty"`
	Quoted     *quoted           `json:"quoted,omitempty"`
	Reaction   *string           `json:"reaction,omitempty"`
	Reactions  []reactionOf      `json:"reactions,omitempty"`
	Chat       chat              `json:"chat"`
	Events     struct{}          `json:"events"`
	Meta       chatMeta          `json:"meta"`
	Links      map[string]string `json:"links"`
}

type quoted struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	Flow string `json:"flow"`
	From string `json:"from"`
	To   string `json:"to"`
	Body string `json:"body,omitempty"`
}

type reactionOf struct {
	Emoji      string `json:"emoji"`
	From       string `json:"from"`
	FromNumber string `json:"fromNumber"`
	Date       string `json:"date"`
}

// recordEvent is envelope B: events about the provider's record of a message.
type recordEvent struct {
	Event     string   `json:"event"`
	Date      string   `json:"date"`
	Message   string   `json:"message"`
	Entity    string   `json:"entity"`
	EntityID  string   `json:"entityId"`
	EntityURL string   `json:"entityUrl"`
	User      string   `json:"user"`
	Data      outbound `json:"data"`
}

// body writes the webhook of an event. It is the same every time.
func (s *Simulator) body(n *notice) []byte {
	if n.raw != nil {
		return n.raw
	}
	var event any
	switch n.event {
	case eventSent:
		event = s.recordEvent(n, "sent", "Message sent")
	case eventFailed:
		event = s.recordEvent(n, "failed", "Message delivery failed")
	case eventAck, eventOurs:
		event = s.chatEvent(n, s.ourMessage(&n.message.Message, n.ack))
	case eventReaction:
		event = s.chatEvent(n, s.reactionMessage(n.reply))
	default:
		event = s.chatEvent(n, s.replyMessage(n.reply))
	}
	if n.inArray {
		event = []any{event}
	}
	content, err := json.Marshal(event)
	if err != nil {
		panic("simulator: a payload of strings and numbers cannot fail to be written: " + err.Error())
	}
	return content
}

func (s *Simulator) recordEvent(n *notice, status, sentence string) recordEvent {
	return recordEvent{
		Event: n.event, Date: milliseconds(n.at), Message: sentence, Entity: "message",
		EntityID: n.message.ID, EntityURL: "/v1/messages/" + n.message.ID, User: hookID(s.cfg.DeviceID),
		Data: s.outbound(n.message, status),
	}
}

func (s *Simulator) chatEvent(n *notice, m chatMessage) chatEvent {
	return chatEvent{
		ID: m.ID, Object: "message", Event: n.event, Created: n.at.Unix(), Data: m,
		Device: eventDevice{ID: s.cfg.DeviceID, Phone: s.cfg.DevicePhone, Alias: deviceAlias, Plan: devicePlan},
	}
}

// ourMessage is a message of ours as it stands in the contact's chat.
func (s *Simulator) ourMessage(m *Message, ack string) chatMessage {
	c := s.chatMessage(m.Phone, m.WaID, "outbound", m.At)
	c.Ack, c.Body, c.Reference = ack, m.Text, m.Reference
	c.From, c.To, c.FromNumber, c.ToNumber = c.To, c.From, c.ToNumber, c.FromNumber
	c.Meta.ContainsEmoji = containsEmoji(c.Body)
	if m.MediaURL != "" || m.MediaFile != "" {
		c.Type = "image"
		c.Media = s.media(c, "image")
		c.Media.Caption, c.Body = m.Text, ""
	}
	return c
}

// replyMessage is an answer of a contact.
func (s *Simulator) replyMessage(r *Reply) chatMessage {
	c := s.chatMessage(r.Phone, r.WaID, "inbound", r.At)
	c.Ack, c.Body = "delivered", r.Text
	c.Meta.ContainsEmoji = containsEmoji(r.Text)
	if r.QuotedWaID != "" {
		c.Quoted = s.quoted(r)
	}
	if r.Type == ReplyText || r.Type == ReplyEmoji {
		return c
	}
	c.Type = string(r.Type)
	if r.Type == ReplyVoice {
		c.Type = "audio" // told apart by the type of its media
	}
	c.Media = s.media(c, r.Type)
	c.Media.Caption, c.Body = r.Text, ""
	c.Meta.IsDoc = r.Type == ReplyDocument
	return c
}

// reactionMessage is a reaction of a contact to a message of ours. How Wassenger
// writes it is not known; the two likeliest forms take turns, since both must
// be understood.
func (s *Simulator) reactionMessage(r *Reply) chatMessage {
	emoji := r.Text
	if emoji == "-" {
		emoji = "" // taken back
	}
	target := s.quotedMessage(r)
	if throw(s.cfg.Seed, "reaction", r.ID).chance(0.5) {
		c := s.ourMessage(target, "read")
		c.Reactions = []reactionOf{{Emoji: emoji, From: wid(r.Phone), FromNumber: r.Phone, Date: milliseconds(r.At)}}
		return c
	}
	c := s.chatMessage(r.Phone, target.WaID, "inbound", r.At)
	c.Type, c.Ack, c.Reaction = "reaction", "delivered", &emoji
	c.Meta.ContainsEmoji = emoji != ""
	return c
}

func (s *Simulator) quoted(r *Reply) *quoted {
	m := s.quotedMessage(r)
	return &quoted{ID: m.WaID, Type: "text", Flow: "outbound", From: wid(s.cfg.DevicePhone), To: wid(r.Phone), Body: m.Text}
}

// quotedMessage is the message that a reply points at, of which only the id is
// known if the journal came from elsewhere.
func (s *Simulator) quotedMessage(r *Reply) *Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.book.byWaID[r.QuotedWaID]; m != nil {
		return &m.Message
	}
	return &Message{WaID: r.QuotedWaID, Phone: r.Phone, At: r.At}
}

func containsEmoji(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return campaign.TypeOfText(string(r)) == campaign.Emoji })
}
