package fleet

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
)

const (
	message1 = "Hello"
	message2 = "Thank you"
)

// launch imports so many contacts and starts a campaign to them, all over one API.
func (f *fleet) launch(contacts int) uuid.UUID {
	f.t.Helper()
	api := f.apis.all()[0]
	var category, taken struct{ ID uuid.UUID }
	f.post(api, "/categories", "application/json", `{"name":"Everybody"}`, &category)
	f.post(api, "/contacts/import?category_id="+category.ID.String(), "text/csv", contactFile(contacts), &taken)
	await(f.t, "the import", func() error {
		var job struct {
			State    string
			Imported int
		}
		if err := f.get(api, "/imports/"+taken.ID.String(), &job); err != nil {
			return err
		}
		if job.State != "done" || job.Imported != contacts {
			return fmt.Errorf("%d are imported, it is %s", job.Imported, job.State)
		}
		return nil
	})
	var started struct{ Campaign struct{ ID uuid.UUID } }
	f.post(api, "/campaigns/start", "application/json", fmt.Sprintf(
		`{"name":"Everybody","category_ids":[%q],"message_1":"%s {{name}}","message_2":"%s {{name}}"}`, category.ID, message1, message2), &started)
	return started.Campaign.ID
}

// contactFile has some of the 10,000 numbers that are reserved for fiction.
func contactFile(contacts int) string {
	var csv strings.Builder
	csv.WriteString("phone,name\n")
	for i := range contacts {
		fmt.Fprintf(&csv, "+33639%06d,Contact %d\n", 980000+i, i)
	}
	return csv.String()
}

// stats are what GET /campaigns/{id}/stats answers.
type stats struct {
	TotalContacts     int `json:"total_contacts"`
	MessagesSent      int `json:"messages_sent"`
	MessagesDelivered int `json:"messages_delivered"`
	MessagesRead      int `json:"messages_read"`
	Interactions      int `json:"interactions"`
	Failures          int `json:"failures"`
	Unknown           int `json:"unknown"`
	Replied           int `json:"replied"`
	ByType            struct {
		Message1 struct{ Sent int } `json:"message_1"`
		Message2 struct{ Sent int } `json:"message_2"`
	} `json:"by_type"`
	States map[campaign.RecipientState]int `json:"states"`
}

// everybodyIsFinal says how many are not, as the first API has it.
func (f *fleet) everybodyIsFinal(id uuid.UUID) error {
	var s stats
	if err := f.get(f.apis.all()[0], "/campaigns/"+id.String()+"/stats", &s); err != nil {
		return err
	}
	final := 0
	for state, n := range s.States {
		if state.Final() {
			final += n
		}
	}
	if final != f.size.contacts {
		return fmt.Errorf("%d of %d are final", final, f.size.contacts)
	}
	return nil
}

func (f *fleet) post(api *process, path, contentType, body string, into any) {
	f.t.Helper()
	require.NoError(f.t, f.ask(api, http.MethodPost, path, contentType, body, into))
}

func (f *fleet) get(api *process, path string, into any) error {
	return f.ask(api, http.MethodGet, path, "", "", into)
}

// ask asks one API process as an admin and decodes the answer.
func (f *fleet) ask(api *process, method, path, contentType, body string, into any) error {
	status, answer, err := call(f.t.Context(), f.client, method, api.url+path, contentType, body)
	if err != nil {
		return err
	}
	if status >= 300 {
		return fmt.Errorf("%s %s of %s: %d: %s", method, path, api.name, status, answer)
	}
	return json.Unmarshal(answer, into)
}
