package api

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/relance/relance/store"
)

type importView struct {
	ID          uuid.UUID         `json:"id" example:"0197d2c4-90ce-7132-8f6b-3c2d1e0fa9b8" format:"uuid"`
	State       store.ImportState `json:"state" example:"running" enum:"running,done,failed"`
	Progress    float64           `json:"progress" example:"0.75" minimum:"0" maximum:"1" doc:"The share of the file that is in the contacts; 0 while it is being received."`
	Rows        int64             `json:"rows" example:"1000" doc:"Received so far; in the end imported + updated + skipped + rejected."`
	Imported    int64             `json:"imported" example:"900" doc:"Rows that made a new contact."`
	Updated     int64             `json:"updated" example:"80" doc:"Rows about a contact known before, or made by an earlier row of the file."`
	Skipped     int64             `json:"skipped" example:"0" doc:"The same where on_duplicate is skip."`
	Rejected    int64             `json:"rejected" example:"20" doc:"Rows that could not be used; errors.csv has them all."`
	Error       string            `json:"error" doc:"Why the import failed."`
	OnDuplicate store.OnDuplicate `json:"on_duplicate" example:"update" enum:"update,skip"`
	CategoryID  *uuid.UUID        `json:"category_id" example:"0197d2c4-7a10-7c3e-9a41-5f0e3b6d2c18" format:"uuid" nullable:"true"`
	CreatedBy   *uuid.UUID        `json:"created_by" example:"0197d2c0-05aa-7d12-8c44-b7e6a5948372" format:"uuid" nullable:"true"`
	CreatedAt   time.Time         `json:"created_at" example:"2026-06-01T08:00:00Z"`
	ReceivedAt  *time.Time        `json:"received_at" example:"2026-06-01T08:00:02Z" doc:"When the file was safely stored."`
	FinishedAt  *time.Time        `json:"finished_at"`
	Errors      []importErrorView `json:"errors" nullable:"false" doc:"The first rejected rows, at most 1000, for 30 days; left out of lists."`
}

type importErrorView struct {
	Line   int64  `json:"line" example:"17" doc:"The line of the file, 1 for the first."`
	Reason string `json:"reason" example:"phone is too short for its country"`
}

func viewImport(job store.ImportJob) importView {
	return importView{
		ID: job.ID, State: job.State, Progress: job.Progress(),
		Rows: job.Rows, Imported: job.Imported, Updated: job.Updated, Skipped: job.Skipped, Rejected: job.Rejected,
		Error: job.Error, OnDuplicate: job.OnDuplicate, CategoryID: job.CategoryID, CreatedBy: job.CreatedBy,
		CreatedAt: job.CreatedAt.UTC(), ReceivedAt: utc(job.ReceivedAt), FinishedAt: utc(job.FinishedAt),
		Errors: []importErrorView{},
	}
}

// mostErrors bounds how many rejected rows an import shows; errors.csv has all.
const mostErrors = 1000

type importStateOutput struct{ Body importView }

func (a *API) getImport(ctx context.Context, in *ByID) (*importStateOutput, error) {
	job, err := a.store.ImportJob(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	rejected, _, err := a.store.Rejections(ctx, in.ID, 0, mostErrors)
	if err != nil {
		return nil, err
	}
	view := viewImport(job)
	view.Errors = viewAll(rejected, func(r store.Rejection) importErrorView { return importErrorView{Line: r.Line, Reason: r.Reason} })
	return &importStateOutput{Body: view}, nil
}

func (a *API) listImports(ctx context.Context, in *Paging) (*listOutput[importView], error) {
	page, err := in.page()
	if err != nil {
		return nil, err
	}
	found, err := a.store.Imports(ctx, page)
	if err != nil {
		return nil, err
	}
	next, err := cursorAfter(found.Next)
	return &listOutput[importView]{Body: list[importView]{Items: viewAll(found.Imports, viewImport), NextCursor: next}}, err
}

// importErrors tells every rejected row, as it stood in the file. Its own two
// columns are passed over by an import, so that it can be mended and sent again.
func (a *API) importErrors(ctx context.Context, in *ByID) (*huma.StreamResponse, error) {
	job, err := a.store.ImportJob(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	header := append([]string{ownPrefix + "line", ownPrefix + "reason"}, job.Columns...)
	after := int64(0)
	return a.streamCSV(fmt.Sprintf("import-%s-errors.csv", in.ID), header, func(ctx context.Context) ([][]string, bool, error) {
		rejected, more, err := a.store.Rejections(ctx, in.ID, after, exportPage)
		rows := make([][]string, len(rejected))
		for i, r := range rejected {
			rows[i] = append([]string{strconv.FormatInt(r.Line, 10), r.Reason}, r.Cells...)
			after = r.Line
		}
		return rows, more, err
	}), nil
}
