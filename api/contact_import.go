package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/google/uuid"

	"github.com/relance/relance/store"
)

const (
	// largestImport bounds a file of contacts: some millions of them.
	largestImport = 256 << 20
	// importTimeout is what sending it may take,
	importTimeout = 30 * time.Minute
	// importPause how long nothing of it may come,
	importPause = 30 * time.Second
	// and importsAtOnce bounds the memory that receiving takes, some 30 MB each.
	importsAtOnce = 2
)

type importInput struct {
	CategoryID  uuid.UUID `query:"category_id" example:"0197d2c4-7a10-7c3e-9a41-5f0e3b6d2c18" format:"uuid" doc:"The category that every contact of the file joins."`
	Country     string    `query:"country" maxLength:"2" example:"FR" doc:"The country of phone numbers without a country code."`
	OnDuplicate string    `query:"on_duplicate" example:"skip" enum:"update,skip" default:"update" doc:"What to do about a number that is known, from before or from an earlier row: update the contact (the last row wins), or leave its name and attributes alone (the first row wins). It joins the category either way."`
	PhoneColumn string    `query:"phone_column" maxLength:"1000" example:"Handy" doc:"The header of the column that holds phone numbers; by default the one that is called phone, mobile or the like."`
	NameColumn  string    `query:"name_column" maxLength:"1000" example:"Kunde" doc:"The header of the column that holds whole names."`
	request     *http.Request
	writer      http.ResponseWriter
}

// Resolve keeps the request: huma would read the body as JSON.
func (in *importInput) Resolve(ctx huma.Context) []error {
	c := humagin.Unwrap(ctx)
	in.request, in.writer = c.Request, c.Writer
	return nil
}

type importOutput struct {
	Location string `header:"Location"`
	Body     importView
}

// importContacts answers when the file is safely stored; it is merged into the
// contacts after that.
func (a *API) importContacts(ctx context.Context, in *importInput) (*importOutput, error) {
	select {
	case a.imports <- struct{}{}:
		defer func() { <-a.imports }()
	case <-time.After(requestTimeout):
		return nil, problem(http.StatusServiceUnavailable, "Other files are being received. Try again in a moment.")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	body := &upload{
		from: http.MaxBytesReader(in.writer, in.request.Body, a.largestImport), connection: http.NewResponseController(in.writer),
		until: time.Now().Add(importTimeout),
	}
	defer body.end()
	if in.request.ContentLength > a.largestImport {
		return nil, readProblem(&http.MaxBytesError{Limit: a.largestImport})
	}
	job, err := a.receiveImport(ctx, in, body)
	if err != nil {
		body.drain()
		return nil, missing(readProblem(err), map[string]string{"category": "query.category_id"})
	}
	a.mergeImport(ctx, job.ID)
	return &importOutput{Location: "/imports/" + job.ID.String(), Body: viewImport(job)}, nil
}

func (a *API) receiveImport(ctx context.Context, in *importInput, body io.Reader) (store.ImportJob, error) {
	country, err := normalizeCountry(in.Country)
	if err != nil {
		return store.ImportJob{}, invalid("query.country", "%s", err)
	}
	content, err := in.file(body)
	if err != nil {
		return store.ImportJob{}, err
	}
	file, err := openContactFile(content, country, mapping{phone: in.PhoneColumn, name: in.NameColumn})
	if err != nil {
		return store.ImportJob{}, err
	}
	return a.store.ReceiveImport(ctx, store.Import{
		CategoryID: in.CategoryID, CreatedBy: callerID(ctx), OnDuplicate: store.OnDuplicate(in.OnDuplicate),
		Columns: file.header, Rows: file.rows(),
	})
}

// mergeImport merges a received import, also when the request is over. Should it
// not come to its end, the dispatcher goes on with it.
func (a *API) mergeImport(ctx context.Context, id uuid.UUID) {
	a.background.run(ctx, func(ctx context.Context) {
		// Batches of different imports take turns in any case. Waiting for that in the
		// database would take one of our connections for each import.
		select {
		case a.merging <- struct{}{}:
			defer func() { <-a.merging }()
		case <-ctx.Done():
			return
		}
		_, err := a.store.MergeImport(ctx, id)
		a.changedContacts(context.WithoutCancel(ctx), err)
		if err != nil {
			a.logger.WarnContext(ctx, "An import is not merged yet; the dispatcher goes on with it.", "import_id", id, "error", err)
		}
	})
}

// upload is a request's body that may take its time as long as it keeps coming.
type upload struct {
	from       io.Reader
	connection *http.ResponseController
	until      time.Time
	err        error
}

func (u *upload) Read(p []byte) (int, error) {
	deadline := time.Now().Add(importPause)
	if deadline.After(u.until) {
		deadline = u.until
	}
	_ = u.connection.SetReadDeadline(deadline) // not every connection has one
	n, err := u.from.Read(p)
	u.err = err
	return n, err
}

// drain reads the rest of a body that has been refused: clients that are still
// sending would not see why.
func (u *upload) drain() {
	if u.err == nil {
		_, _ = io.Copy(io.Discard, u)
	}
}

// end gives the connection back as it was, with time for the answer: that of the
// request may be over.
func (u *upload) end() {
	_ = u.connection.SetReadDeadline(time.Time{})
	_ = u.connection.SetWriteDeadline(time.Now().Add(requestTimeout))
}

// file finds the CSV file, which is the body or its part called file.
func (in *importInput) file(body io.Reader) (io.Reader, error) {
	kind, parameters, err := mime.ParseMediaType(in.request.Header.Get("Content-Type"))
	switch {
	case err == nil && kind == "text/csv":
		return body, nil
	case err == nil && kind == "multipart/form-data" && parameters["boundary"] != "":
		return part(multipart.NewReader(body, parameters["boundary"]))
	case err == nil && kind == "multipart/form-data":
		return nil, problem(http.StatusBadRequest, "The form has no boundary.")
	}
	return nil, problem(http.StatusUnsupportedMediaType, "Send a CSV file as text/csv, or as the part called file of multipart/form-data.")
}

func part(form *multipart.Reader) (io.Reader, error) {
	for {
		part, err := form.NextPart()
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
	case errors.Is(err, multipart.ErrMessageTooLarge), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return problem(http.StatusBadRequest, "The body ended too soon.")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return problem(http.StatusRequestTimeout, "The body did not come.")
	}
	var file *store.FileError
	if errors.As(err, &file) {
		return problem(http.StatusBadRequest, "The body could not be read.")
	}
	return err
}

// csvBody tells OpenAPI about a body that huma does not read.
func csvBody() *huma.RequestBody {
	const example = "phone,name,city\n+33639980001,Camille,Lyon\n"
	file := &huma.Schema{Type: huma.TypeString, Format: "binary", Examples: []any{example}}
	return &huma.RequestBody{
		Required: true,
		Description: "The first line names the columns: phone (or téléphone, mobile, whatsapp), name (or nom, prénom); " +
			"any other column becomes an attribute, also one called attribute:… after its name, and one called relance:… is passed over. " +
			"Commas, semicolons or tabs; UTF-8, or Windows-1252 with Latin-1, which the first row beyond ASCII decides. " +
			"An apostrophe before =, +, -, @, tab or carriage return at the beginning of a cell is taken off, as exports put it there. " +
			"At most 256 MiB, and 1 MiB for a row.",
		Content: map[string]*huma.MediaType{
			"text/csv":            {Schema: file, Example: example},
			"multipart/form-data": {Schema: &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{"file": file}, Required: []string{"file"}}},
		},
	}
}
