package api_test

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

// holding locks a contact in a transaction that is under way, until released.
func (s *server) holding(contact uuid.UUID) (release func()) {
	s.t.Helper()
	tx, err := s.store.Pool().BeginTx(context.Background(), nil)
	require.NoError(s.t, err)
	_, err = tx.Exec(`SELECT FROM contacts WHERE id = $1 FOR UPDATE`, contact)
	require.NoError(s.t, err)
	return func() { require.NoError(s.t, tx.Rollback()) }
}

// until repeats a look at an import until it is as wanted.
func (s *server) until(id uuid.UUID, wanted func(importJob) bool) importJob {
	s.t.Helper()
	var job importJob
	require.Eventually(s.t, func() bool {
		job = read[importJob](s.call("GET", "/imports/"+id.String(), nil), 200)
		return wanted(job)
	}, time.Minute, 2*time.Millisecond)
	return job
}

func TestAnImportIsToBeSeenWhileItRunsAndListsAreFreshWhenItIsDone(t *testing.T) {
	s, _ := cached(t)
	blocking := s.contact("+33639015000") // in the second batch
	s.names("/contacts")                  // into the cache
	release := s.holding(blocking.ID)
	job := read[importJob](s.call("POST", "/contacts/import", manyRows(30_000), csvHeader), 202)
	assert.Equal(t, "running", job.State)
	assert.EqualValues(t, 30_000, job.Rows)
	half := s.until(job.ID, func(j importJob) bool { return j.Imported > 0 })
	assert.Equal(t, "running", half.State)
	assert.InDelta(t, 1.0/3, half.Progress, 0.001)
	assert.EqualValues(t, 10_000, half.Imported)
	release()
	done := s.until(job.ID, func(j importJob) bool { return j.State != "running" })
	assert.Equal(t, 1.0, done.Progress)
	assert.Equal(t, [4]int64{30_000, 29_999, 1, 0}, [4]int64{done.Rows, done.Imported, done.Updated, done.Rejected})
	require.Eventually(t, func() bool { return len(s.names("/contacts")) == 50 }, time.Minute, 2*time.Millisecond)
}

func TestAnImportIsFinishedByAnotherProcessWhenItsOwnIsStopped(t *testing.T) {
	s := serve(t)
	vip := s.category("VIP")
	release := s.holding(s.contact("+33639015000").ID)
	job := read[importJob](s.call("POST", "/contacts/import?category_id="+vip.ID.String(), manyRows(30_000), csvHeader), 202)
	s.until(job.ID, func(j importJob) bool { return j.Imported > 0 })
	s.api.Close() // in the middle of the second batch
	release()
	half := read[importJob](s.call("GET", "/imports/"+job.ID.String(), nil), 200)
	assert.Equal(t, "running", half.State)
	assert.EqualValues(t, 10_000, half.Imported)

	another, err := store.Open(t.Context(), s.database, store.Options{DeviceID: device, Rules: campaign.DefaultRules()})
	require.NoError(t, err)
	defer another.Close()
	_, err = another.MergeImport(t.Context(), job.ID)
	require.NoError(t, err)
	done := s.until(job.ID, func(j importJob) bool { return j.State == "done" })
	assert.Equal(t, [4]int64{30_000, 29_999, 1, 0}, [4]int64{done.Rows, done.Imported, done.Updated, done.Rejected})
	assert.EqualValues(t, 30_000, read[category](s.call("GET", "/categories/"+vip.ID.String(), nil), 200).ContactCount)
}

func TestImportsThatWaitForEachOtherLeaveRoomForEverybodyElse(t *testing.T) {
	s := serve(t)
	release := s.holding(s.contact("+33639980001").ID)
	s.call("POST", "/contacts/import", "phone\n+33639980001\n", csvHeader) // waits for that contact
	var waiting []answer
	for i := range 20 { // more than there are connections to the database
		waiting = append(waiting, s.call("POST", "/contacts/import", fmt.Sprintf("phone\n+336399900%02d\n", i), csvHeader))
	}
	assert.Equal(t, 200, s.call("GET", "/auth/me", nil).status)
	release()
	for _, taken := range waiting {
		assert.EqualValues(t, 1, s.imported(taken).Imported)
	}
}

func TestKnownContactsAreLeftAloneIfAskedForAndStillJoinTheCategory(t *testing.T) {
	s := serve(t)
	vip := s.category("VIP")
	s.importCSV("", "phone,name,city\n+33639980001,Camille,Lyon\n")
	job := s.importCSV("?on_duplicate=skip&category_id="+vip.ID.String(),
		"phone,name,city\n+33639980001,Other,Nice\n+33639980002,First,Paris\n+33639980002,Second,Lille\nx,,\n")
	assert.Equal(t, [5]int64{4, 1, 0, 2, 1}, [5]int64{job.Rows, job.Imported, job.Updated, job.Skipped, job.Rejected})
	known := s.known()
	assert.Equal(t, "Camille", known["01"].Name)
	assert.Equal(t, map[string]string{"city": "Lyon"}, known["01"].Attributes)
	assert.Equal(t, "First", known["02"].Name)
	assert.Equal(t, map[string]string{"city": "Paris"}, known["02"].Attributes)
	for _, c := range known {
		assert.Equal(t, []uuid.UUID{vip.ID}, c.CategoryIDs)
	}
	s.call("POST", "/contacts/import?on_duplicate=ignore", "phone\n", csvHeader).problem(422)
}

func TestColumnsThatAreNotThereAreNamed(t *testing.T) {
	s := serve(t)
	for query, location := range map[string]string{"?phone_column=Handy": "query.phone_column", "?name_column=Kunde": "query.name_column"} {
		assert.Equal(t, []string{location}, s.call("POST", "/contacts/import"+query, "phone,name\n+33639980001,A\n", csvHeader).problem(422).locations())
	}
	assert.Empty(t, s.known())
}

func TestImportsAreListedNewestFirst(t *testing.T) {
	s := serve(t)
	var ids []uuid.UUID
	for range 3 {
		ids = append(ids, s.importCSV("", "phone\nx\n").ID)
	}
	var listed []uuid.UUID
	for cursor := "?limit=2"; cursor != ""; {
		found := read[page[importJob]](s.call("GET", "/imports"+cursor, nil), 200)
		for _, job := range found.Items {
			listed = append(listed, job.ID)
			assert.EqualValues(t, 1, job.Rejected)
		}
		if cursor = ""; found.NextCursor != nil {
			cursor = "?limit=2&cursor=" + url.QueryEscape(*found.NextCursor)
		}
	}
	assert.Equal(t, []uuid.UUID{ids[2], ids[1], ids[0]}, listed)
}

// table reads a CSV answer.
func (a answer) table() [][]string {
	a.t.Helper()
	require.Equal(a.t, 200, a.status, "%s", a.body)
	assert.Equal(a.t, "text/csv; charset=utf-8", a.header.Get("Content-Type"))
	assert.Regexp(a.t, `^attachment; filename=[a-z0-9.-]+\.csv$`, a.header.Get("Content-Disposition"))
	reader := csv.NewReader(strings.NewReader(string(a.body)))
	reader.FieldsPerRecord = -1
	rows, err := reader.ReadAll()
	require.NoError(a.t, err)
	return rows
}

func TestEveryRejectedRowIsHandedBackAndCanBeMended(t *testing.T) {
	s := serve(t)
	var file strings.Builder
	file.WriteString("Nom;Téléphone;Ville\n+33639980001 is no name;+33639980001;Lyon\n=SUM(A1);06 39 98 00 02;\"Saint-\nÉtienne\"\n\"a;b\";;\n")
	for i := range 5000 {
		fmt.Fprintf(&file, "Nobody %d;none;\n", i)
	}
	job := s.importCSV("", file.String())
	assert.EqualValues(t, 5002, job.Rejected)
	assert.Len(t, job.Errors, 1000)
	answered := s.call("GET", "/imports/"+job.ID.String()+"/errors.csv", nil)
	rows := answered.table()
	require.Len(t, rows, 5003)
	assert.Equal(t, []string{"relance:line", "relance:reason", "Nom", "Téléphone", "Ville"}, rows[0])
	assert.Equal(t, []string{"3", "phone has no country code; write it as +33639980001 or name the country", "'=SUM(A1)", "06 39 98 00 02", "Saint-\nÉtienne"}, rows[1])
	assert.Equal(t, []string{"5", "phone must not be empty", "a;b", "", ""}, rows[2])
	assert.Equal(t, "5005", rows[5002][0])

	mended := s.importCSV("?country=FR", string(answered.body))
	assert.EqualValues(t, 1, mended.Imported)
	assert.Equal(t, "=SUM(A1)", s.known()["02"].Name)
	assert.Equal(t, map[string]string{"Ville": "Saint-\nÉtienne"}, s.known()["02"].Attributes, "the columns that were added are no attributes")
	s.call("GET", "/imports/"+uuid.NewString()+"/errors.csv", nil).problem(404)
}

func TestAnUploadThatBreaksOffIsFailedAndChangesNothing(t *testing.T) {
	s := serve(t)
	address := strings.TrimPrefix(s.url, "http://")
	connection, err := net.Dial("tcp", address)
	require.NoError(t, err)
	rows := manyRows(25_000)
	fmt.Fprintf(connection, "POST /contacts/import HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: text/csv\r\nContent-Length: %d\r\n\r\n%s",
		address, adminToken, len(rows)+1, rows)
	require.Eventually(t, func() bool {
		jobs := read[page[importJob]](s.call("GET", "/imports", nil), 200).Items
		return len(jobs) == 1 && jobs[0].Rows >= 20_000 && jobs[0].State == "running"
	}, time.Minute, 2*time.Millisecond)
	require.NoError(t, connection.Close())
	var job importJob
	require.Eventually(t, func() bool {
		job = read[page[importJob]](s.call("GET", "/imports", nil), 200).Items[0]
		return job.State == "failed"
	}, time.Minute, 2*time.Millisecond)
	assert.Equal(t, "The upload broke off.", job.Error)
	assert.Empty(t, s.known())
}

func TestTheMemoryOfAnImportDoesNotGrowWithItsFile(t *testing.T) {
	wide := "phone"
	for i := range 999 {
		wide += fmt.Sprintf(",column %d", i)
	}
	number := func(i int) string { return fmt.Sprintf("+336%08d", 39_000_000+i) }
	for name, c := range map[string]struct {
		header string
		rows   int
		row    func(i int) string
		good   bool
	}{
		"long rows":                   {"phone,note", 45_000, func(i int) string { return number(i) + "," + strings.Repeat("x", 980) }, true},
		"few cells of a wide file":    {wide, 15_000, func(i int) string { return number(i) + ",x" }, true},
		"much that is passed over":    {"phone,relance:x", 450, func(i int) string { return number(i) + "," + strings.Repeat("x", 100<<10) }, true},
		"rejected rows of cells":      {"phone", 20_000, func(int) string { return "x" + strings.Repeat(",", 980) }, false},
		"rejected rows of many cells": {"phone", 60, func(int) string { return "x" + strings.Repeat(",", 300<<10) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			reading, writing := io.Pipe()
			var most uint64
			before := liveHeap()
			go func() {
				file := bufio.NewWriter(writing)
				fmt.Fprintln(file, c.header)
				for i := range c.rows {
					fmt.Fprintln(file, c.row(i))
					if i%(c.rows/10) == c.rows/20 {
						most = max(most, liveHeap())
					}
				}
				_ = writing.CloseWithError(file.Flush())
			}()
			job := s.imported(s.call("POST", "/contacts/import", reading, csvHeader))
			if c.good {
				assert.EqualValues(t, c.rows, job.Imported)
			} else {
				assert.EqualValues(t, c.rows, job.Rejected)
			}
			grown := max(most, before) - before
			t.Logf("%d MB more than before", grown>>20)
			assert.Less(t, grown, uint64(35<<20))
		})
	}
}

// liveHeap is what is in use, and not only not collected yet.
func liveHeap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
