package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/migrations"
)

// importTarget is the least speed of an import, as a share of a bare COPY's.
const importTarget = 1.0 / 3

// BenchmarkImport measures how long a file of ROWS contacts (1,000,000) takes
// from the first byte of its upload until all of it is in the contacts: all of
// them new; then the same file once more, into a category, when all of them are
// known. The floor is a bare COPY of the same rows into the same table with the
// same indexes and triggers.
func BenchmarkImport(b *testing.B) {
	rows := importRows(b)
	s := startServers(b)
	floor := copyFloor(s, rows)
	r := startRelance(s, startProvider(b))

	settle()
	fresh := r.importFile("", rows)
	require.Equal(b, rows, fresh.Imported)
	var category struct{ ID uuid.UUID }
	r.call("/categories", "application/json", `{"name":"Everybody"}`, &category)
	settle()
	known := r.importFile("?category_id="+category.ID.String(), rows)
	require.Equal(b, rows, known.Updated)
	require.NoError(b, r.expect(rows, `SELECT count(*) FROM contacts`))
	require.NoError(b, r.expect(rows, `SELECT contact_count FROM categories`))

	table := results.add(fmt.Sprintf("Import: a file of %d contacts", rows),
		"", "seconds", "received after", "rows per second", "of the floor", "target", "peak MB: Relance")
	perSecond := func(took time.Duration) float64 { return float64(rows) / took.Seconds() }
	row := func(name, target string, run importRun) {
		table.add(name, fmt.Sprintf("%.1f", run.took.Seconds()), fmt.Sprintf("%.1f", run.received.Seconds()),
			fmt.Sprintf("%.0f", perSecond(run.took)), fmt.Sprintf("%.2f", perSecond(run.took)/perSecond(floor)),
			target, fmt.Sprintf("%.0f", float64(run.peak)/1e6))
	}
	row("all new", fmt.Sprintf("> %.2f", importTarget), fresh)
	row("all known, into a category", "", known)
	table.add("floor: COPY", fmt.Sprintf("%.1f", floor.Seconds()), "", fmt.Sprintf("%.0f", perSecond(floor)), "1.00")
	b.ReportMetric(perSecond(fresh.took), "rows/s")
	b.ReportMetric(perSecond(floor), "floor-rows/s")
	b.ReportMetric(float64(fresh.peak)/1e6, "peak-MB")
	b.ReportMetric(0, "ns/op")
}

func importRows(b *testing.B) int {
	b.Helper()
	given := os.Getenv("ROWS")
	if given == "" {
		return 1_000_000
	}
	rows, err := strconv.Atoi(given)
	require.NoError(b, err, "ROWS")
	return rows
}

// importedPhone is the i-th number of a file, each once and in no order. They are
// never sent to.
func importedPhone(i int) string { return fmt.Sprintf("+336%08d", (i*7_654_321)%100_000_000) }

// copyFloor copies the contacts of a file, as they will be stored, into a table
// of their own.
func copyFloor(s *servers, rows int) time.Duration {
	s.b.Helper()
	ctx := s.b.Context()
	db := s.database("floor")
	_, err := migrations.Up(ctx, db)
	require.NoError(s.b, err)
	connection, err := db.Conn(ctx)
	require.NoError(s.b, err)
	defer connection.Close()
	settle()
	begun := time.Now()
	require.NoError(s.b, connection.Raw(func(driver any) error {
		_, err := driver.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{"contacts"},
			[]string{"id", "phone", "name", "attributes", "created_at", "updated_at"},
			pgx.CopyFromSlice(rows, func(i int) ([]any, error) {
				id, err := uuid.NewV7()
				return []any{
					id, importedPhone(i), fmt.Sprintf("Contact %d", i),
					fmt.Sprintf(`{"city": "Lyon", "loyalty": "%d points"}`, i%1000), begun, begun,
				}, err
			}))
		return err
	}))
	took := time.Since(begun)
	require.Equal(s.b, rows, count(s.b, db, `SELECT count(*) FROM contacts`))
	return took
}

// importRun is what came of an upload.
type importRun struct {
	State                       string
	Error                       string
	Imported, Updated, Rejected int

	received time.Duration // until the upload was answered
	took     time.Duration // until all of it was in the contacts
	peak     int64         // bytes
}

// importFile uploads a file that is written as it is sent.
func (r *relance) importFile(query string, rows int) importRun {
	r.b.Helper()
	reading, writing := io.Pipe()
	go func() {
		file := bufio.NewWriterSize(writing, 64<<10)
		fmt.Fprintln(file, "phone,name,city,loyalty")
		for i := range rows {
			fmt.Fprintf(file, "%s,Contact %d,Lyon,%d points\n", importedPhone(i), i, i%1000)
		}
		_ = writing.CloseWithError(file.Flush())
	}()
	begun := time.Now()
	var job struct{ ID uuid.UUID }
	r.ask(http.MethodPost, "/contacts/import"+query, reading, &job)
	run := importRun{received: time.Since(begun)}
	r.await("the import to be done", func() error {
		if r.ask(http.MethodGet, "/imports/"+job.ID.String(), nil, &run); run.State != "done" {
			return fmt.Errorf("it is %s: %s", run.State, run.Error)
		}
		return nil
	})
	run.took, run.peak = time.Since(begun), peakMemory("relance")
	return run
}

// ask is call for whatever takes its time.
func (r *relance) ask(method, path string, body io.Reader, into any) {
	r.b.Helper()
	ctx, cancel := context.WithTimeout(r.b.Context(), 10*time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, r.url+path, body)
	require.NoError(r.b, err)
	request.Header.Set("Content-Type", "text/csv")
	request.Header.Set("Authorization", "Bearer "+adminToken)
	response, err := http.DefaultClient.Do(request)
	require.NoError(r.b, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(r.b, err)
	require.Less(r.b, response.StatusCode, 300, "%s: %s", path, answer)
	require.NoError(r.b, json.Unmarshal(answer, into), "%s", answer)
}
