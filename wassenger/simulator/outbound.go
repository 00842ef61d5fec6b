package simulator

import (
	"strings"
	"time"
)

// outbound is the provider's record of a message of ours: what requests are
// answered with, and the data of envelope B.
type outbound struct {
	ID              string         `json:"id"`
	WaID            string         `json:"waId"`
	Phone           string         `json:"phone"`
	WID             string         `json:"wid"`
	Status          string         `json:"status"`
	DeliveryStatus  string         `json:"deliveryStatus"`
	CreatedAt       string         `json:"createdAt"`
	DeliverAt       string         `json:"deliverAt"`
	ProcessedAt     string         `json:"processedAt,omitempty"`
	SentAt          string         `json:"sentAt,omitempty"`
	FailedAt        string         `json:"failedAt,omitempty"`
	FailureReason   string         `json:"failureReason,omitempty"`
	Message         string         `json:"message"`
	Reference       string         `json:"reference,omitempty"`
	Priority        string         `json:"priority"`
	RetentionPolicy string         `json:"retentionPolicy"`
	Retry           outboundRetry  `json:"retry"`
	WebhookStatus   string         `json:"webhookStatus"`
	Media           *outboundMedia `json:"media,omitempty"`
	Device          string         `json:"device"`
}

type outboundRetry struct {
	Max   int `json:"max,omitempty"`
	Count int `json:"count"`
}

type outboundMedia struct {
	Format string `json:"format"`
	URL    string `json:"url,omitempty"`
	File   string `json:"file,omitempty"`
}

const failureReason = "Message could not be delivered: the recipient cannot be reached on WhatsApp"

// outbound is the record of r in the given status.
func (s *Simulator) outbound(r *record, status string) outbound {
	created := milliseconds(r.At)
	o := outbound{
		ID: r.ID, WaID: r.WaID, Phone: r.Phone, WID: wid(r.Phone), Status: status, DeliveryStatus: status,
		CreatedAt: created, DeliverAt: created, Message: r.Text, Reference: r.Reference, Priority: r.Priority,
		RetentionPolicy: "plan_defaults", Retry: outboundRetry{Max: r.Retries}, WebhookStatus: "pending",
		Device: s.cfg.DeviceID,
	}
	if r.MediaURL != "" || r.MediaFile != "" {
		o.Media = &outboundMedia{Format: "native", URL: r.MediaURL, File: r.MediaFile}
	}
	if status == "queued" {
		return o
	}
	o.ProcessedAt = created
	if status != "failed" {
		o.SentAt = created
		return o
	}
	o.FailedAt, o.FailureReason = milliseconds(r.At.Add(r.plan.delivered)), failureReason
	return o
}

// outboundNow is the record of r as it stands at the moment. Callers hold s.mu.
func (s *Simulator) outboundNow(r *record) outbound {
	o := s.outbound(r, r.plan.status(now().Sub(r.At)))
	if r.told {
		o.WebhookStatus = "success"
	}
	return o
}

func wid(phone string) string { return strings.TrimPrefix(phone, "+") + "@c.us" }

// milliseconds is how the provider writes moments.
func milliseconds(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
