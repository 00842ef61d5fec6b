package simulator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/campaign"
)

// ReplyType is a kind of reply as a contact sends it.
type ReplyType string

// The kinds of reply.
const (
	ReplyText     ReplyType = "text"
	ReplyEmoji    ReplyType = "emoji"
	ReplyReaction ReplyType = "reaction"
	ReplyVoice    ReplyType = "voice"
	ReplyAudio    ReplyType = "audio"
	ReplyImage    ReplyType = "image"
	ReplyVideo    ReplyType = "video"
	ReplyDocument ReplyType = "document"
	ReplySticker  ReplyType = "sticker"
)

// ReplyTypes lists every kind of reply.
var ReplyTypes = []ReplyType{
	ReplyText, ReplyEmoji, ReplyReaction, ReplyVoice, ReplyAudio,
	ReplyImage, ReplyVideo, ReplyDocument, ReplySticker,
}

// Interaction is what a campaign must take a reply of this kind for (Property 7).
func (t ReplyType) Interaction() campaign.InteractionType {
	switch t {
	case ReplyReaction:
		return campaign.Emoji
	case ReplySticker:
		return campaign.Image
	}
	return campaign.InteractionType(t)
}

var (
	replyTexts = []string{
		"Bonjour, oui ça m'intéresse !", "Merci pour l'info, je regarde ce soir.", "Je vous rappelle demain matin.",
		"C'est possible samedi ?", "D'accord, envoyez-moi les détails.", "Oui 👍 à bientôt", "Qui est-ce ?",
		"Combien ça coûte ?", "Pas pour le moment, merci.", "Super, merci beaucoup 🙏",
		"Yes, tell me more please.", "Sounds good, thanks!", "Can you call me back tomorrow?", "How much is it?",
		"I'll think about it.", "Who is this?", "Great, count me in 🎉", "ok", "1",
	}
	replyEmojis   = []string{"👍", "❤️", "😂🙏", "🎉🎉", "👋🏽", "😊 👌"}
	reactions     = []string{"👍", "❤️", "😂", "😮", "🙏", "🔥"}
	replyCaptions = []string{"", "", "Voilà", "Comme convenu", "Here you go", "C'est bien celui-ci ?"}
)

func (t ReplyType) text(d dice) string {
	switch t {
	case ReplyText:
		return pick(d, replyTexts)
	case ReplyEmoji:
		return pick(d, replyEmojis)
	case ReplyReaction:
		return pick(d, reactions)
	case ReplyImage, ReplyVideo, ReplyDocument:
		return pick(d, replyCaptions)
	}
	return ""
}

// ReplyRequest makes a contact speak.
type ReplyRequest struct {
	// Phone is the contact, in E.164; it need not have got any message.
	Phone string `json:"phone"`
	// Type is the kind of reply; empty means text.
	Type ReplyType `json:"type"`
	// Text is what is written, the caption of media, or the emoji of a
	// reaction, where "-" takes a reaction back. Empty: something fitting.
	Text string `json:"text"`
	// Quote names the message quoted or reacted to, by id, WhatsApp id or
	// reference. A reaction without it goes to the contact's last message.
	Quote string `json:"quote"`
}

// ErrReply is wrapped by what [Simulator.Reply] returns for a reply that no
// contact could send.
var ErrReply = errors.New("impossible reply")

// Reply makes a contact reply now and returns what stands in the ledger. The
// webhook leaves once [Simulator.Run] runs.
func (s *Simulator) Reply(req ReplyRequest) (Reply, error) {
	if req.Type == "" {
		req.Type = ReplyText
	}
	if !e164.MatchString(req.Phone) {
		return Reply{}, fmt.Errorf("%w: phone must be in E.164", ErrReply)
	}
	if !slices.Contains(ReplyTypes, req.Type) {
		return Reply{}, fmt.Errorf("%w: no such type %q", ErrReply, req.Type)
	}
	id := uuid.NewString()
	p := plannedReply{kind: req.Type, text: req.Text, quote: req.Quote != ""}
	if p.text == "" {
		p.text = req.Type.text(throw(s.cfg.Seed, "manual", id))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	to, err := s.answered(req)
	if err != nil {
		return Reply{}, err
	}
	reply := p.reply("manual/"+id, to, now())
	reply.Phone = req.Phone
	if err := s.happen(reply); err != nil {
		return Reply{}, err
	}
	return *reply, nil
}

// answered finds the message that a requested reply answers, an empty one if
// the contact never got any. Callers hold s.mu.
func (s *Simulator) answered(req ReplyRequest) (*record, error) {
	if req.Quote != "" {
		to := s.book.find(req.Quote)
		if to == nil || to.Phone != req.Phone {
			return nil, fmt.Errorf("%w: this contact got no message to quote under that name", ErrReply)
		}
		return to, nil
	}
	if to := last(s.book.byPhone[req.Phone]); to != nil {
		return to, nil
	}
	if req.Type == ReplyReaction {
		return nil, fmt.Errorf("%w: this contact got no message to react to", ErrReply)
	}
	return &record{}, nil
}

// happen enters a reply and schedules its webhooks. Callers hold s.mu.
func (s *Simulator) happen(r *Reply) error {
	r.WaID = "ACB1" + strings.ToUpper(hexID(28))
	if err := s.write(entry{Reply: r}); err != nil {
		return err
	}
	s.book.addReply(r)
	s.scheduleReply(r)
	return nil
}

// reply turns a planned reply into one that happens at the given moment.
func (p plannedReply) reply(id string, to *record, at time.Time) *Reply {
	r := &Reply{At: at, ID: id, Phone: to.Phone, Type: p.kind, Text: p.text, MessageID: to.ID}
	if p.quote || p.kind == ReplyReaction {
		r.QuotedWaID = to.WaID
	}
	return r
}
