package simulator

import (
	"slices"
	"time"
)

// Ledger is what truly happened, each list in order of arrival. Times are UTC.
type Ledger struct {
	Messages []Message `json:"messages"`
	Replies  []Reply   `json:"replies"`
	Webhooks []Webhook `json:"webhooks"`
}

// Message is one message that the provider accepted. It stands in the ledger
// before the request is answered, whether or not the answer ever arrives.
type Message struct {
	At        time.Time `json:"at"` // the moment of acceptance
	ID        string    `json:"id"`
	WaID      string    `json:"wa_id"`
	Reference string    `json:"reference"`
	Phone     string    `json:"phone"`
	Text      string    `json:"text"`
	MediaURL  string    `json:"media_url,omitempty"`
	MediaFile string    `json:"media_file,omitempty"`
	Priority  string    `json:"priority"`
	Retries   int       `json:"retries,omitempty"`
	// Before is how many messages the contact had got before this one.
	Before int `json:"before"`
}

// Reply is one answer that a contact sent.
type Reply struct {
	At    time.Time `json:"at"` // the moment the contact sent it
	ID    string    `json:"id"`
	WaID  string    `json:"wa_id"` // for a reaction the reaction's own id
	Phone string    `json:"phone"`
	Type  ReplyType `json:"type"`
	Text  string    `json:"text,omitempty"`
	// MessageID is the message that was answered, empty for a contact who was
	// made to speak unasked.
	MessageID string `json:"message_id,omitempty"`
	// QuotedWaID is the WhatsApp id of the message quoted or reacted to.
	QuotedWaID string `json:"quoted_wa_id,omitempty"`
}

// Webhook is one event on its way to one receiver. An event delivered twice on
// purpose stands here twice, the second time as Duplicate.
type Webhook struct {
	Key            string     `json:"key"`
	Event          string     `json:"event"`
	MessageID      string     `json:"message_id,omitempty"`
	ReplyID        string     `json:"reply_id,omitempty"`
	FirstAttemptAt time.Time  `json:"first_attempt_at"`
	First2xxAt     *time.Time `json:"first_2xx_at,omitempty"`
	Attempts       int        `json:"attempts"`
	// LastStatus is the HTTP status of the last attempt, 0 when there was no answer.
	LastStatus int  `json:"last_status"`
	Duplicate  bool `json:"duplicate,omitempty"`
	// GaveUp is set when the webhook grew too old to be tried again, or its
	// receiver was disabled or removed.
	GaveUp bool `json:"gave_up,omitempty"`
}

// record is a message and what becomes of it.
type record struct {
	Message
	plan  plan
	early bool // its webhooks overtake the answer to the send
	told  bool // some receiver has acknowledged one of its webhooks
}

// book is everything that happened, indexed.
type book struct {
	messages    []*record
	byID        map[string]*record
	byWaID      map[string]*record
	byReference map[string][]*record
	byPhone     map[string][]*record
	replies     []*Reply
	replyByID   map[string]*Reply
	webhooks    []*delivery // those attempted at least once
}

func newBook() book {
	return book{
		byID:        map[string]*record{},
		byWaID:      map[string]*record{},
		byReference: map[string][]*record{},
		byPhone:     map[string][]*record{},
		replyByID:   map[string]*Reply{},
	}
}

func (b *book) addMessage(r *record) {
	b.messages = append(b.messages, r)
	b.byID[r.ID], b.byWaID[r.WaID] = r, r
	b.byReference[r.Reference] = append(b.byReference[r.Reference], r)
	b.byPhone[r.Phone] = append(b.byPhone[r.Phone], r)
}

func (b *book) addReply(r *Reply) {
	b.replies = append(b.replies, r)
	b.replyByID[r.ID] = r
}

// find returns the newest message with that id, WhatsApp id or reference.
func (b *book) find(id string) *record {
	if r := b.byID[id]; r != nil {
		return r
	}
	if r := b.byWaID[id]; r != nil {
		return r
	}
	return last(b.byReference[id])
}

func last(records []*record) *record {
	if len(records) == 0 {
		return nil
	}
	return records[len(records)-1]
}

// Ledger returns a copy of the ledger as it is now.
func (s *Simulator) Ledger() Ledger {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := Ledger{
		Messages: make([]Message, 0, len(s.book.messages)),
		Replies:  make([]Reply, 0, len(s.book.replies)),
		Webhooks: make([]Webhook, 0, len(s.book.webhooks)),
	}
	for _, r := range s.book.messages {
		l.Messages = append(l.Messages, r.Message)
	}
	for _, r := range s.book.replies {
		l.Replies = append(l.Replies, *r)
	}
	for _, d := range s.book.webhooks {
		l.Webhooks = append(l.Webhooks, d.Webhook)
	}
	return l
}

// sortWebhooks restores the order of first attempts, which the journal, written
// when attempts end, does not keep.
func (b *book) sortWebhooks() {
	slices.SortStableFunc(b.webhooks, func(x, y *delivery) int { return x.FirstAttemptAt.Compare(y.FirstAttemptAt) })
}
