package api_test

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/relance/relance/store"
)

// exported reads the contacts of an export by their numbers.
func (s *server) exported(query string) map[string]map[string]string {
	s.t.Helper()
	rows := s.call("GET", "/contacts/export.csv"+query, nil).table()
	all := map[string]map[string]string{}
	for _, row := range rows[1:] {
		require.Len(s.t, row, len(rows[0]))
		cells := map[string]string{}
		for i, name := range rows[0] {
			cells[name] = row[i]
		}
		assert.NotContains(s.t, all, cells["phone"], "a contact is exported once")
		all[cells["phone"]] = cells
	}
	return all
}

func TestAnExportHoldsWhatItsFilterPicks(t *testing.T) {
	s := serve(t)
	vip := s.category("VIP")
	s.importCSV("?category_id="+vip.ID.String(), manyRows(4500)) // more than two pages
	s.importCSV("", "phone,name,shoe\n+33639980001,Zoé,41\n")
	zoe := s.known()["01"]
	s.call("POST", "/contacts/"+zoe.ID.String()+"/opt-out", nil)

	all := s.exported("")
	assert.Len(t, all, 4501)
	got := all["+33639980001"]
	assert.NotEmpty(t, got["relance:opted_out_at"])
	assert.NotEmpty(t, got["relance:created_at"])
	delete(got, "relance:opted_out_at")
	delete(got, "relance:created_at")
	assert.Equal(t, map[string]string{"phone": "+33639980001", "name": "Zoé", "city": "", "shoe": "41"}, got)

	assert.Len(t, s.exported("?category_id="+vip.ID.String()), 4500)
	assert.NotContains(t, s.exported("?category_id=" + vip.ID.String())["+33639000000"], "shoe", "nobody in it has one")
	assert.Len(t, s.exported("?opted_out=true"), 1)
	assert.Len(t, s.exported("?opted_out=false&q=Contact+12"), 111)
	assert.Empty(t, s.exported("?q=nobody"))
	s.call("GET", "/contacts/export.csv?category_id=x", nil).problem(422)
}

// phoneNumber is what may begin with a plus: to a spreadsheet it is a number.
var phoneNumber = regexp.MustCompile(`^\+[0-9]+$`)

func TestWhatWasExportedIsReadBackAsItWas(t *testing.T) {
	s := serve(t)
	texts := rapid.OneOf(
		rapid.StringMatching(`[=+\-@'][=+\-@'"; ,a]{0,5}`), rapid.SampledFrom([]string{"", "Zoé", "a,b;c\td", `"`, "two\nlines", "'", "+33639980001", "=HYPERLINK(1)"}), rapid.String())
	names := rapid.SampledFrom([]string{"city", "Ville_2", "phone", "mobile", "nom", "prénom", "last_name", "_", "e-mail"})
	rapid.Check(t, func(r *rapid.T) {
		_, err := s.store.Pool().Exec(`TRUNCATE contacts CASCADE`)
		require.NoError(t, err)
		for i := range rapid.IntRange(0, 4).Draw(r, "contacts") {
			attributes := map[string]string{}
			for name, value := range rapid.MapOfN(names, texts, 0, 4).Draw(r, "attributes") {
				if value = plain(value); value != "" { // what is empty is not there
					attributes[name] = value
				}
			}
			read[contact](s.call("POST", "/contacts", object{
				"phone": fmt.Sprintf("+3363998%04d", i), "name": plain(texts.Draw(r, "name")), "attributes": attributes}), 201)
		}
		want := s.stored()
		file := s.call("GET", "/contacts/export.csv", nil)
		for _, row := range file.table() {
			for _, cell := range row {
				if !phoneNumber.MatchString(cell) {
					require.NotRegexp(t, "^[=+@\t\r-]", cell)
				}
			}
		}
		_, err = s.store.Pool().Exec(`TRUNCATE contacts CASCADE`)
		require.NoError(t, err)
		job := s.importCSV("", string(file.body))
		require.EqualValues(t, len(want), job.Imported, "%+v", job)
		require.Equal(t, want, s.stored())
	})
}

// plain is a text that can be a name. A CSV file knows one way to end a line only.
func plain(text string) string {
	return strings.TrimSpace(strings.NewReplacer("\x00", "", "\r", "").Replace(text))
}

// stored is what is known of each contact, by phone.
func (s *server) stored() map[string]contact {
	s.t.Helper()
	all := map[string]contact{}
	for _, c := range read[page[contact]](s.call("GET", "/contacts?limit=200", nil), 200).Items {
		all[c.Phone] = contact{Name: c.Name, Attributes: c.Attributes}
	}
	return all
}

func TestAnExportThatFailsHalfWayIsCutAndDoesNotLookComplete(t *testing.T) {
	s := serve(t)
	_, err := s.store.ImportContacts(t.Context(), store.Import{Rows: func(yield func(store.ImportRow, error) bool) {
		for i := range 20_000 { // 40 MB: more than a connection holds
			row := store.ImportRow{ContactData: store.ContactData{
				Phone: fmt.Sprintf("+336%08d", i), Attributes: store.Attributes{"a": noise(), "b": noise()},
			}}
			if !yield(row, nil) {
				return
			}
		}
	}})
	require.NoError(t, err)
	for _, encoding := range []string{"identity", "gzip"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/contacts/export.csv", nil)
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+adminToken)
		request.Header.Set("Accept-Encoding", encoding)
		response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
		require.NoError(t, err)
		defer response.Body.Close()
		_, err = io.ReadFull(response.Body, make([]byte, 1024))
		require.NoError(t, err, encoding)
		_, err = s.store.Pool().Exec(`ALTER TABLE contacts RENAME TO gone`)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, response.Body)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, encoding)
		_, err = s.store.Pool().Exec(`ALTER TABLE gone RENAME TO contacts`)
		require.NoError(t, err)
	}
	assert.Contains(t, s.log.String(), "An export was cut short.")
}

// noise cannot be compressed to much less than it is.
func noise() string {
	bytes := make([]byte, 500)
	_, _ = rand.Read(bytes)
	return hex.EncodeToString(bytes)
}

func TestACampaignsRecipientsAreExported(t *testing.T) {
	s := serve(t)
	id := s.running(3)
	_, err := s.store.Pool().Exec(`UPDATE messages SET status = 'read', delivered_at = now(), read_at = now() WHERE status = 'sent';
		UPDATE messages SET error = '=cmd|calc' WHERE status = 'failed'`)
	require.NoError(t, err)
	rows := s.call("GET", "/campaigns/"+id.String()+"/recipients.csv", nil).table()
	require.Len(t, rows, 4)
	of := func(row int, column string) string {
		for i, name := range rows[0] {
			if name == column {
				return rows[row][i]
			}
		}
		t.Fatalf("there is no column %s", column)
		return ""
	}
	for row, want := range []string{"message_1_sent", "failed", "pending"} {
		assert.Equal(t, fmt.Sprintf("+3363900000%d", row), of(row+1, "phone"))
		assert.Equal(t, fmt.Sprintf("Contact %d", row), of(row+1, "name"))
		assert.Equal(t, want, of(row+1, "state"))
	}
	for _, column := range []string{"message_1_sent_at", "message_1_delivered_at", "message_1_read_at", "window_ends_at"} {
		assert.Regexp(t, `^20\d\d-.*Z$`, of(1, column), column)
		assert.Empty(t, of(3, column), column)
	}
	assert.Equal(t, "refused", of(2, "reason"))
	assert.Equal(t, "'=cmd|calc", of(2, "error"))
	assert.NotEmpty(t, of(2, "finished_at"))
	for _, column := range []string{"replied_at", "message_2_status", "message_2_sent_at", "message_2_delivered_at", "message_2_read_at"} {
		assert.Empty(t, of(1, column), column)
	}
	assert.Len(t, s.call("GET", "/campaigns/"+id.String()+"/recipients.csv?state=failed", nil).table(), 2)
	s.call("GET", "/campaigns/"+uuid.NewString()+"/recipients.csv", nil).problem(404)
	s.call("GET", "/campaigns/"+id.String()+"/recipients.csv?state=x", nil).problem(422)
}

func TestACampaignsResultsAreItsStatistics(t *testing.T) {
	s := serve(t)
	id := s.running(3)
	rows := s.call("GET", "/campaigns/"+id.String()+"/results.csv", nil).table()
	assert.Equal(t, []string{"metric", "value"}, rows[0])
	metrics := map[string]string{}
	for _, row := range rows[1:] {
		metrics[row[0]] = row[1]
	}
	assert.Len(t, metrics, len(rows)-1, "each metric once")
	for metric, want := range map[string]string{
		"total_contacts": "3", "messages_sent": "1", "failures": "1", "interactions": "0",
		"by_type.message_1.sent": "1", "by_type.message_2.sent": "0", "states.pending": "1", "states.failed": "1", "states.message_2_sent": "0",
	} {
		assert.Equal(t, want, metrics[metric], metric)
	}
	s.call("GET", "/campaigns/"+uuid.NewString()+"/results.csv", nil).problem(404)
}
