package simulator

import "net/http"

type device struct {
	ID      string        `json:"id"`
	Phone   string        `json:"phone"`
	Alias   string        `json:"alias"`
	WID     string        `json:"wid"`
	Status  string        `json:"status"`
	Session deviceSession `json:"session"`
	Plan    string        `json:"plan"`
	Billing struct {
		Subscription struct {
			Product string `json:"product"`
		} `json:"subscription"`
	} `json:"billing"`
	Queue struct {
		Messages int `json:"messages"`
	} `json:"queue"`
	Settings struct {
		DeliverySpeed   int    `json:"deliverySpeed"`
		RetentionPolicy string `json:"retentionPolicy"`
		IsNewNumber     bool   `json:"isNewNumber"`
	} `json:"settings"`
}

type deviceSession struct {
	Status string `json:"status"`
}

func (s *Simulator) device() device {
	d := device{
		ID: s.cfg.DeviceID, Phone: s.cfg.DevicePhone, Alias: deviceAlias, WID: wid(s.cfg.DevicePhone),
		Status: "operative", Session: deviceSession{"online"}, Plan: devicePlan,
	}
	d.Billing.Subscription.Product = "io"
	d.Settings.RetentionPolicy = "plan_defaults"
	if s.faults.current().DeviceOffline {
		d.Session.Status = "offline"
	}
	return d
}

func (s *Simulator) getDevices(w http.ResponseWriter, _ *http.Request) {
	respond(w, http.StatusOK, []device{s.device()})
}

func (s *Simulator) getDevice(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("id") != s.cfg.DeviceID {
		reject(w, &problem{Status: http.StatusNotFound, Message: "The device does not exist", ErrorCode: "device:notfound"})
		return
	}
	respond(w, http.StatusOK, s.device())
}
