package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/google/uuid"

	"github.com/relance/relance/store"
)

// largestImport bounds a file of contacts: some 700,000 of them.
const largestImport = 32 << 20

type importInput struct {
	CategoryID uuid.UUID `query:"category_id" format:"uuid" doc:"The category that every imported or updated contact joins."`
	Country    string    `query:"country" maxLength:"2" example:"FR" doc:"The country of phone numbers without a country code."`
	request    *http.Request
	writer     http.ResponseWriter
}

// Resolve keeps the request: huma would read the body as JSON.
func (in *importInput) Resolve(ctx huma.Context) []error {
	c := humagin.Unwrap(ctx)
	in.request, in.writer = c.Request, c.Writer
	_ = ctx.SetReadDeadline(time.Now().Add(time.Minute)) // not every connection has one
	return nil
}

type importView struct {
	ID         uuid.UUID         `json:"id" format:"uuid"`
	State      string            `json:"state" enum:"running,done,failed"`
	Progress   float64           `json:"progress" minimum:"0" maximum:"1" doc:"The share that is done."`
	Rows       int64             `json:"rows" doc:"imported + updated + rejected"`
	Imported   int64             `json:"imported" doc:"Rows that made a new contact."`
	Updated    int64             `json:"updated" doc:"Rows about a contact known before, or made by an earlier row of the file."`
	Rejected   int64             `json:"rejected" doc:"Rows that could not be used."`
	Errors     []importErrorView `json:"errors" nullable:"false" doc:"The first rejected rows, at most 1000."`
	CreatedAt  time.Time         `json:"created_at"`
	FinishedAt *time.Time        `json:"finished_at"`
}

type importErrorView struct {
	Line   int    `json:"line" doc:"The line of the file, 1 for the first."`
	Reason string `json:"reason"`
}

func viewImport(job store.ImportJob) importView {
	view := importView{
		ID: job.ID, State: job.State, Rows: job.Rows, Imported: job.Imported, Updated: job.Updated, Rejected: job.Rejected,
		Errors:    viewAll(job.Errors, func(e store.ImportError) importErrorView { return importErrorView(e) }),
		CreatedAt: job.CreatedAt.UTC(), FinishedAt: utc(job.FinishedAt),
	}
	if job.State == "done" {
		view.Progress = 1
	}
	return view
}

type importOutput struct {
	Location string `header:"Location"`
	Body     importView
}

func (a *API) importContacts(ctx context.Context, in *importInput) (*importOutput, error) {
	country, err := normalizeCountry(in.Country)
	if err != nil {
		return nil, invalid("query.country", "%s", err)
	}
	data, err := in.file()
	if err != nil {
		return nil, err
	}
	file, err := openContactFile(data, country)
	if err != nil {
		return nil, invalid("body", "%s", err)
	}
	job, err := a.store.ImportContacts(ctx, store.Import{CategoryID: in.CategoryID, CreatedBy: callerID(ctx), Rows: file.rows()})
	a.changedContacts(ctx, err)
	if err != nil {
		return nil, missing(err, map[string]string{"category": "query.category_id"})
	}
	return &importOutput{Location: "/imports/" + job.ID.String(), Body: viewImport(job)}, nil
}

// file reads the CSV file, which is the body or its part called file.
func (in *importInput) file() ([]byte, error) {
	kind, _, err := mime.ParseMediaType(in.request.Header.Get("Content-Type"))
	body := http.MaxBytesReader(in.writer, in.request.Body, largestImport)
	var file io.Reader = body
	switch {
	case err == nil && kind == "text/csv":
	case err == nil && kind == "multipart/form-data":
		in.request.Body = body
		if file, err = in.part(); err != nil {
			return nil, readProblem(err)
		}
	default:
		return nil, problem(http.StatusUnsupportedMediaType, "Send a CSV file as text/csv, or as the part called file of multipart/form-data.")
	}
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, readProblem(err)
	}
	return data, nil
}

func (in *importInput) part() (io.Reader, error) {
	parts, err := in.request.MultipartReader()
	if err != nil {
		return nil, fmt.Errorf("reading a form: %w", err)
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, invalid("body.file", "is missing")
		}
		if err != nil {
			return nil, fmt.Errorf("reading a form: %w", err)
		}
		if part.FormName() == "file" {
			return part, nil
		}
	}
}

// readProblem says what went wrong with a body that could not be read.
func readProblem(err error) error {
	var known *huma.ErrorModel
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &large):
		return problem(http.StatusRequestEntityTooLarge, fmt.Sprintf("The body must have at most %d bytes.", large.Limit))
	case errors.Is(err, multipart.ErrMessageTooLarge), errors.Is(err, io.ErrUnexpectedEOF):
		return problem(http.StatusBadRequest, "The body ended too soon.")
	}
	return problem(http.StatusBadRequest, "The body could not be read.")
}

type importStateOutput struct{ Body importView }

func (a *API) getImport(ctx context.Context, in *ByID) (*importStateOutput, error) {
	job, err := a.store.ImportJob(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &importStateOutput{Body: viewImport(job)}, nil
}

// csvBody tells OpenAPI about a body that huma does not read.
func csvBody() *huma.RequestBody {
	file := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	return &huma.RequestBody{
		Required: true,
		Description: "The first line names the columns: phone (or téléphone, mobile, whatsapp), name (or nom, prénom); " +
			"any other column becomes an attribute. Commas, semicolons or tabs; UTF-8. Of rows with the same number the last one wins.",
		Content: map[string]*huma.MediaType{
			"text/csv":            {Schema: file, Example: "phone,name,city\n+33639980001,Camille,Lyon\n"},
			"multipart/form-data": {Schema: &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{"file": file}, Required: []string{"file"}}},
		},
	}
}
