package wassenger

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/relance/relance/campaign"
)

// reaction is an emoji put on a message: the emoji alone or an object. Its exact
// form is not documented, so every form met in this family of APIs is read.
type reaction struct {
	Emoji text
	// Who put it there; empty if the payload does not say.
	Who       text
	FromMe    flag
	MessageID text
	At        moment
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *reaction) UnmarshalJSON(raw []byte) error {
	*r = reaction{}
	if !isObject(raw) {
		return r.Emoji.UnmarshalJSON(raw)
	}
	var o struct {
		Emoji      text   `json:"emoji"`
		Reaction   text   `json:"reaction"`
		Text       text   `json:"text"`
		Value      text   `json:"value"`
		FromNumber text   `json:"fromNumber"`
		Author     text   `json:"author"`
		From       text   `json:"from"`
		Sender     ref    `json:"sender"`
		FromMe     flag   `json:"fromMe"`
		MessageID  text   `json:"messageId"`
		Date       moment `json:"date"`
		Timestamp  moment `json:"timestamp"`
	}
	if err := decode(raw, &o); err != nil {
		return err
	}
	*r = reaction{
		Emoji:  firstText(o.Emoji, o.Reaction, o.Text, o.Value),
		Who:    firstText(o.FromNumber, o.Author, o.From, o.Sender.Phone, o.Sender.ID),
		FromMe: o.FromMe, MessageID: o.MessageID,
		At: moment{firstMoment(o.Date, o.Timestamp)},
	}
	return nil
}

// removed reports whether the reaction was taken back.
func (r reaction) removed() bool {
	emoji := strings.TrimSpace(string(r.Emoji))
	return emoji == "" || emoji == "-"
}

// reaction reads a reaction as an emoji reply that quotes the message reacted to.
func (d *delivery) reaction() campaign.Event {
	us := firstPhone(nil, d.envelope.Device.Phone)
	r := d.latestReaction(us)
	phone, ours := d.reactor(r, us)
	target, own := d.reactedTo(r)

	e := d.ignored(d.crowd())
	e.Key = d.key(target, reactionMark(r, phone, ours))
	switch {
	case e.Ignored != "":
		return e
	case ours:
		e.Ignored = "our own reaction"
		return e
	case r.removed():
		e.Ignored = "reaction removed"
		return e
	}
	e.Kind = campaign.EventReply
	e.At = firstMoment(r.At, d.told())
	e.Phone = phone
	e.WAID = string(own)
	e.Interaction = campaign.Emoji
	e.Body = string(r.Emoji)
	e.QuotedWAID = string(target)
	e.QuotedReference = string(d.Quoted.Reference)
	if own == "" {
		e.QuotedReference = string(firstText(d.Quoted.Reference, d.Reference))
	}
	return e
}

// maxReactions is how many reactions of a list are looked at, from its end. A
// conversation of two has two.
const maxReactions = 50

// latestReaction is the reaction that the event is about. A list holds those of
// both sides; ours are of no interest if there is another.
func (c *content) latestReaction(us string) reaction {
	if c.Reaction != nil {
		return *c.Reaction
	}
	listed := c.lastReactions()
	for _, r := range slices.Backward(listed) {
		if _, ours := c.reactor(r, us); !ours {
			return r
		}
	}
	switch {
	case len(listed) > 0:
		return listed[len(listed)-1]
	case c.Type == "reaction":
		return reaction{Emoji: c.Body}
	}
	return reaction{}
}

func (c *content) lastReactions() []reaction {
	var listed []json.RawMessage
	if decode(c.Reactions, &listed) != nil {
		return nil
	}
	listed = listed[max(0, len(listed)-maxReactions):]
	reactions := make([]reaction, len(listed))
	for i, raw := range listed {
		if decode(raw, &reactions[i]) != nil {
			return nil
		}
	}
	return reactions
}

// reactor is the phone number of who reacted, and whether it was us. The flow is
// the last thing to go by: it may be that of the message reacted to.
func (c *content) reactor(r reaction, us string) (phone string, ours bool) {
	if r.FromMe {
		return us, true
	}
	if r.Who != "" && r.Who == c.Chat.LID {
		return firstPhone(c.hidden(), c.Chat.Contact.Phone, c.Chat.ID), false
	}
	if phone = firstPhone(c.hidden(), r.Who); phone != "" {
		return phone, phone == us
	}
	if c.isOurs() {
		return us, true
	}
	return c.sender(), false
}

// reactedTo is the id of the message reacted to, and the reaction's own id if it
// has one: data may be the reaction or the message reacted to.
func (c *content) reactedTo(r reaction) (target, own text) {
	id, _ := c.ids()
	target = firstText(r.MessageID, c.MessageID, c.ReactionMessage, c.Quoted.WAID, c.Quoted.ID)
	if target == "" || target == id {
		return id, ""
	}
	return target, id
}

// reactionMark tells reactions to one message apart without writing a phone
// number into the key.
func reactionMark(r reaction, phone string, ours bool) string {
	if ours {
		phone = "us"
	}
	return hashed([]byte(phone + "|" + string(r.Emoji)))[:len("sha256:")+16]
}
