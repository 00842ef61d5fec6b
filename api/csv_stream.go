package api

import (
	"context"
	"encoding/csv"
	"mime"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
)

const (
	// exportPage rows are read at once, and held in memory.
	exportPage = 2000
	// exportPause is how long reading a page, and each time sending it, may take.
	exportPause = time.Minute
)

// streamCSV answers with a file of RFC 4180, whatever its size, page by page: no
// transaction is open while a client takes its time. next is asked for pages
// until it says that there are no more. Who gets less than everything gets a
// connection that is cut.
func (a *API) streamCSV(filename string, header []string, next func(context.Context) (rows [][]string, more bool, err error)) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", "text/csv; charset=utf-8")
		ctx.SetHeader("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": filename}))
		ctx.SetStatus(http.StatusOK)
		connection := http.NewResponseController(humagin.Unwrap(ctx).Writer)
		w := csv.NewWriter(ctx.BodyWriter())
		if err := writePages(ctx.Context(), w, connection, header, next); err != nil {
			if ctx.Context().Err() == nil {
				a.logger.WarnContext(ctx.Context(), "An export was cut short.", "request_id", requestID(ctx.Context()), "error", err)
			}
			panic(http.ErrAbortHandler)
		}
	}}
}

func writePages(ctx context.Context, w *csv.Writer, connection *http.ResponseController, header []string,
	next func(context.Context) ([][]string, bool, error)) error {
	if err := writeRow(w, header); err != nil {
		return err
	}
	for more := true; more; {
		rows, m, err := readPage(ctx, next)
		if more = m; err != nil {
			return err
		}
		_ = connection.SetWriteDeadline(time.Now().Add(exportPause)) // not every connection has one
		for _, row := range rows {
			if err := writeRow(w, row); err != nil {
				return err
			}
		}
		if w.Flush(); w.Error() != nil {
			return w.Error()
		}
	}
	return nil
}

func readPage(ctx context.Context, next func(context.Context) ([][]string, bool, error)) ([][]string, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, exportPause)
	defer cancel()
	return next(ctx)
}

// writeRow keeps spreadsheets from running what others wrote. A phone number is
// written as it is: a plus and digits are a number to a spreadsheet, and nothing
// that could do harm, while every other program wants them so.
func writeRow(w *csv.Writer, row []string) error {
	safe := make([]string, len(row))
	for i, cell := range row {
		if safe[i] = cell; !e164.MatchString(cell) {
			safe[i] = guarded(cell)
		}
	}
	return w.Write(safe)
}

// answersCSV tells OpenAPI about an answer that huma does not write.
func answersCSV(op *huma.Operation) {
	op.Responses = map[string]*huma.Response{"200": {
		Description: "A CSV file (RFC 4180, UTF-8). Cells that a spreadsheet would run as a formula have an apostrophe before them.",
		Content:     map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}}
}

// moment writes a time in RFC 3339, nothing for none.
func moment(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.UTC().Format(time.RFC3339Nano)
}
