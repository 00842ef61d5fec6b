package simulator

import (
	"fmt"
	"strings"
	"time"
)

const (
	deviceAlias = "Main"
	devicePlan  = "io-professional"
)

type chat struct {
	ID                    string      `json:"id"`
	Name                  string      `json:"name"`
	Date                  string      `json:"date"`
	Type                  string      `json:"type"`
	LID                   string      `json:"lid"`
	Status                string      `json:"status"`
	WaStatus              string      `json:"waStatus"`
	StatusUpdatedAt       string      `json:"statusUpdatedAt"`
	StatusUpdatedBy       *string     `json:"statusUpdatedBy"`
	PrevStatus            string      `json:"prevStatus"`
	PrevStatusUpdatedAt   string      `json:"prevStatusUpdatedAt"`
	FirstMessageAt        string      `json:"firstMessageAt"`
	LastMessageAt         string      `json:"lastMessageAt"`
	LastMessageTime       int64       `json:"lastMessageTime"`
	LastInboundMessageAt  string      `json:"lastInboundMessageAt"`
	LastOutboundMessageAt string      `json:"lastOutboundMessageAt"`
	LastAutoReply         *string     `json:"lastAutoReply"`
	LastAutoReplyAt       *string     `json:"lastAutoReplyAt"`
	Stats                 chatStats   `json:"stats"`
	Labels                []string    `json:"labels"`
	Owner                 chatOwner   `json:"owner"`
	Contact               chatContact `json:"contact"`
	Links                 chatLinks   `json:"links"`
}

type chatLinks struct {
	Chat     string `json:"chat"`
	Messages string `json:"messages"`
	Status   string `json:"status"`
	Contact  string `json:"contact"`
	Device   string `json:"device"`
}

type chatStats struct {
	Notes            int `json:"notes"`
	InboundMessages  int `json:"inboundMessages"`
	OutboundMessages int `json:"outboundMessages"`
	LocalMessages    int `json:"localMessages"`
}

type chatOwner struct {
	Agent      *string `json:"agent"`
	Department *string `json:"department"`
}

type chatContact struct {
	WID         string `json:"wid"`
	Phone       string `json:"phone"`
	Type        string `json:"type"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
	ShortName   string `json:"shortName"`
	SyncedAt    string `json:"syncedAt"`
	Image       struct {
		URL string `json:"url"`
	} `json:"image"`
	Info struct {
		Kind     string  `json:"kind"`
		FullName *string `json:"fullName"`
	} `json:"info"`
	LocationInfo struct {
		Alpha2              string   `json:"alpha2"`
		CountryCallingCodes []string `json:"countryCallingCodes"`
	} `json:"locationInfo"`
	Metadata     []string `json:"metadata"`
	Campaigns    []string `json:"campaigns"`
	Subscription struct {
		Status    string `json:"status"`
		UpdatedAt string `json:"updatedAt"`
	} `json:"subscription"`
}

type chatMeta struct {
	IsGroup           bool   `json:"isGroup"`
	IsChannel         bool   `json:"isChannel"`
	IsBroadcast       bool   `json:"isBroadcast"`
	IsNotification    bool   `json:"isNotification"`
	IsBizNotification bool   `json:"isBizNotification"`
	IsForwarded       bool   `json:"isForwarded"`
	IsEphemeral       bool   `json:"isEphemeral"`
	IsRevoked         bool   `json:"isRevoked"`
	IsFailed          bool   `json:"isFailed"`
	IsDoc             bool   `json:"isDoc"`
	IsGif             bool   `json:"isGif"`
	IsLive            bool   `json:"isLive"`
	IsStar            bool   `json:"isStar"`
	IsPSA             bool   `json:"isPSA"`
	IsUnreadType      bool   `json:"isUnreadType"`
	IsLinkPreview     bool   `json:"isLinkPreview"`
	ContainsEmoji     bool   `json:"containsEmoji"`
	RTL               bool   `json:"rtl"`
	NotifyName        string `json:"notifyName"`
	Source            string `json:"source"`
	IsFirstMessage    bool   `json:"isFirstMessage"`
}

type chatMedia struct {
	ID        string            `json:"id"`
	Type      string            `json:"type"`
	Caption   string            `json:"caption,omitempty"`
	MIME      string            `json:"mime"`
	Size      int               `json:"size"`
	Filename  string            `json:"filename"`
	Extension string            `json:"extension"`
	Chat      string            `json:"chat"`
	Flow      string            `json:"flow"`
	Meta      mediaMeta         `json:"meta"`
	Links     map[string]string `json:"links"`
}

type mediaMeta struct {
	HasPreview  bool    `json:"hasPreview"`
	AspectRatio float64 `json:"aspectRatio,omitempty"`
	Duration    int     `json:"duration,omitempty"` // seconds
}

// chatMessage is the frame of any message between a contact and the device, as
// if the contact had sent it.
func (s *Simulator) chatMessage(phone, waID, flow string, at time.Time) chatMessage {
	links := s.links(phone)
	return chatMessage{
		ID: waID, Type: "text", Flow: flow, Status: "active",
		From: wid(phone), FromNumber: phone, To: wid(s.cfg.DevicePhone), ToNumber: s.cfg.DevicePhone,
		Date: milliseconds(at), Timestamp: at.Unix(),
		Chat: s.chat(phone, at),
		Meta: chatMeta{NotifyName: s.name(phone), Source: "android"},
		Links: map[string]string{
			"message": "/v1/chat/" + s.cfg.DeviceID + "/messages/" + waID, "chatMessages": links.Messages,
			"chat": links.Chat, "contact": links.Contact, "device": links.Device,
		},
	}
}

func (s *Simulator) links(phone string) chatLinks {
	base := "/v1/chat/" + s.cfg.DeviceID
	chat := base + "/chats/" + wid(phone)
	return chatLinks{
		Chat: chat, Messages: base + "/messages?chat=" + wid(phone), Status: chat + "/status",
		Contact: base + "/contacts/" + wid(phone), Device: "/v1/devices/" + s.cfg.DeviceID,
	}
}

func (s *Simulator) chat(phone string, at time.Time) chat {
	when, name := milliseconds(at), s.name(phone)
	c := chat{
		ID: wid(phone), Name: name, Date: when, Type: "chat", LID: s.lid(phone), Status: "pending", WaStatus: "active",
		StatusUpdatedAt: when, PrevStatus: "pending", PrevStatusUpdatedAt: when, FirstMessageAt: when, LastMessageAt: when,
		LastMessageTime: at.Unix(), LastInboundMessageAt: when, LastOutboundMessageAt: when,
		Stats: chatStats{LocalMessages: 1}, Labels: []string{}, Links: s.links(phone),
		Contact: chatContact{
			WID: wid(phone), Phone: phone, Type: "user", Name: name, DisplayName: name, ShortName: name, SyncedAt: when,
			Metadata: []string{}, Campaigns: []string{},
		},
	}
	c.Contact.Image.URL = "https://pictures.invalid/" + s.lid(phone) + ".jpg"
	c.Contact.Info.Kind = "personal"
	c.Contact.LocationInfo.Alpha2, c.Contact.LocationInfo.CountryCallingCodes = country(phone)
	c.Contact.Subscription.Status, c.Contact.Subscription.UpdatedAt = "active", when
	return c
}

var names = []string{
	"Ana", "Luc", "Inès", "Karim", "Chloé", "Mathis", "Jeanne", "Omar", "Léa", "Tom", "Nora", "Hugo", "Zoé", "Emma", "Paul",
}

func (s *Simulator) name(phone string) string { return pick(throw(s.cfg.Seed, "name", phone), names) }

// lid is the id that WhatsApp hides a number behind. It has nothing of the number.
func (s *Simulator) lid(phone string) string {
	return fmt.Sprintf("%015d@lid", throw(s.cfg.Seed, "lid", phone).Int64N(1e15))
}

func country(phone string) (alpha2 string, codes []string) {
	for _, c := range [][2]string{{"+33", "FR"}, {"+34", "ES"}, {"+32", "BE"}, {"+41", "CH"}, {"+44", "GB"}, {"+49", "DE"}, {"+1", "US"}} {
		if strings.HasPrefix(phone, c[0]) {
			return c[1], []string{c[0]}
		}
	}
	return "ZZ", []string{}
}

type medium struct {
	kind, mime, extension string
	duration              int
	ratio                 float64
}

var mediums = map[ReplyType]medium{
	ReplyVoice:    {kind: "ptt", mime: "audio/ogg; codecs=opus", extension: "oga", duration: 7},
	ReplyAudio:    {kind: "audio", mime: "audio/mpeg", extension: "mp3", duration: 42},
	ReplyImage:    {kind: "image", mime: "image/jpeg", extension: "jpg", ratio: 0.75},
	ReplyVideo:    {kind: "video", mime: "video/mp4", extension: "mp4", duration: 12, ratio: 1.78},
	ReplyDocument: {kind: "document", mime: "application/pdf", extension: "pdf"},
	ReplySticker:  {kind: "sticker", mime: "image/webp", extension: "webp", ratio: 1},
}

// media is the file of a message, which cannot be downloaded.
func (s *Simulator) media(c chatMessage, kind ReplyType) *chatMedia {
	m, id := mediums[kind], hookID(c.ID)
	return &chatMedia{
		ID: id, Type: m.kind, MIME: m.mime, Size: 20_000 + len(c.Body), Filename: id + "." + m.extension, Extension: m.extension,
		Chat: c.Chat.ID, Flow: c.Flow,
		Meta: mediaMeta{HasPreview: m.ratio > 0, AspectRatio: m.ratio, Duration: m.duration},
		Links: map[string]string{
			"download": "/v1/chat/" + s.cfg.DeviceID + "/files/" + id + "/download",
			"resource": "/v1/chat/" + s.cfg.DeviceID + "/files/" + id,
			"message":  c.Links["message"], "chat": c.Links["chat"], "contact": c.Links["contact"],
		},
	}
}
