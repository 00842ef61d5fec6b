package wassenger

import (
	"encoding/json"
	"strings"
)

// envelope is what the provider wraps an event in. Chat events carry id, created
// and a device object; delivery events carry date and name the device in data.
type envelope struct {
	Event     text            `json:"event"`
	Created   moment          `json:"created"`
	CreatedAt moment          `json:"createdAt"`
	Date      moment          `json:"date"`
	Message   text            `json:"message"` // a sentence about a delivery event
	Device    ref             `json:"device"`
	Data      json.RawMessage `json:"data"`
}

// content is an event's data in any of its shapes: a chat message (flow, ack, from,
// chat, meta), where id is WhatsApp's; or a delivery record (deliveryStatus,
// waId, phone), where id is the provider's.
type content struct {
	record
	Device ref `json:"device"`

	Type       text   `json:"type"`
	Subtype    text   `json:"subtype"`
	Flow       text   `json:"flow"`
	FromMe     flag   `json:"fromMe"`
	Ack        text   `json:"ack"`
	From       text   `json:"from"`
	FromNumber text   `json:"fromNumber"`
	To         text   `json:"to"`
	ToNumber   text   `json:"toNumber"`
	Date       moment `json:"date"`
	Timestamp  moment `json:"timestamp"`
	Body       text   `json:"body"`
	Caption    text   `json:"caption"`
	SelectedID text   `json:"selectedId"` // the choice of a button or list reply
	Chat       chat   `json:"chat"`
	Media      media  `json:"media"`
	Meta       meta   `json:"meta"`
	Quoted     ref    `json:"quoted"`

	Reaction        *reaction       `json:"reaction"`
	Reactions       json.RawMessage `json:"reactions"`
	MessageID       text            `json:"messageId"`
	ReactionMessage text            `json:"reactionMessage"`

	ProcessedAt moment `json:"processedAt"`
	SentAt      moment `json:"sentAt"`
	DeliveredAt moment `json:"deliveredAt"`
	ReadAt      moment `json:"readAt"`
	FailedAt    moment `json:"failedAt"`

	// Message is the text in a delivery record, and in one described variant of
	// chat events the object that holds the message.
	Message json.RawMessage `json:"message"`
}

type chat struct {
	ID      text `json:"id"`
	Type    text `json:"type"`
	LID     text `json:"lid"`
	Contact struct {
		Phone text `json:"phone"`
	} `json:"contact"`
}

// UnmarshalJSON implements json.Unmarshaler: a chat may be its id alone.
func (c *chat) UnmarshalJSON(raw []byte) error {
	*c = chat{}
	if isObject(raw) {
		type fields chat
		return decode(raw, (*fields)(c))
	}
	return c.ID.UnmarshalJSON(raw)
}

type media struct {
	Type    text `json:"type"`
	Format  text `json:"format"`
	MIME    text `json:"mime"`
	Caption text `json:"caption"`
}

type meta struct {
	IsGroup        flag `json:"isGroup"`
	IsChannel      flag `json:"isChannel"`
	IsBroadcast    flag `json:"isBroadcast"`
	IsNotification flag `json:"isNotification"`
}

// open reads the event's data; false means that it is no object.
func (e *envelope) open() (content, bool) {
	var outer content
	if !isObject(e.Data) || decode(e.Data, &outer) != nil {
		return content{}, false
	}
	if !isObject(outer.Message) {
		return outer, true
	}
	var inner content
	if decode(outer.Message, &inner) != nil {
		return content{}, false
	}
	if inner.Chat.Type == "" && inner.Chat.Contact.Phone == "" {
		id := inner.Chat.ID
		inner.Chat = outer.Chat
		inner.Chat.ID = firstText(id, outer.Chat.ID)
	}
	return inner, true
}

// sender is the phone number of who wrote an inbound message.
func (c *content) sender() string {
	return firstPhone(c.hidden(), c.FromNumber, c.Chat.Contact.Phone, c.From)
}

// addressee is the phone number that an outbound message went to.
func (c *content) addressee() string {
	return firstPhone(c.hidden(), c.Phone, c.ToNumber, c.Chat.Contact.Phone, c.WID, c.To)
}

// hidden lists the ids in the payload that stand for a person without telling
// the phone number.
func (c *content) hidden() []text {
	hidden := []text{c.Chat.LID}
	for _, id := range []text{c.From, c.To, c.WID, c.Chat.ID} {
		if endsIn(id, "@lid") {
			hidden = append(hidden, id)
		}
	}
	return hidden
}

func (c *content) isOurs() bool { return bool(c.FromMe) || (c.Flow != "" && c.Flow != "inbound") }

// ids tells WhatsApp's id of the message from the provider's.
func (c *content) ids() (waID, providerID text) {
	isChatMessage := c.Flow != "" || c.Ack != "" || c.From != "" || c.Chat.ID != ""
	switch {
	case c.WAID != "" && c.WAID != c.ID:
		return c.WAID, c.ID
	case c.WAID == "" && !isChatMessage:
		return "", c.ID
	}
	return c.ID, ""
}

// crowd says why nobody in particular is behind the message, or "".
func (c *content) crowd() string {
	switch {
	case bool(c.Meta.IsGroup) || c.Chat.Type == "group" || c.at("@g.us"):
		return "group"
	case bool(c.Meta.IsChannel) || c.Chat.Type == "channel" || c.at("@newsletter"):
		return "channel"
	case bool(c.Meta.IsBroadcast) || c.at("@broadcast"):
		return "broadcast or status"
	case bool(c.Meta.IsNotification) || c.Type == "system":
		return "notification"
	}
	return ""
}

// at reports whether any party of the message has an id with this ending.
func (c *content) at(server string) bool {
	for _, id := range []text{c.From, c.To, c.WID, c.Chat.ID} {
		if endsIn(id, server) {
			return true
		}
	}
	return false
}

func endsIn(id text, server string) bool { return strings.HasSuffix(string(id), server) }
