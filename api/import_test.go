package api_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var csvHeader = header{"Content-Type", "text/csv; charset=utf-8"}

// known returns the contacts by their numbers' last digits.
func (s *server) known() map[string]contact {
	s.t.Helper()
	byPhone := map[string]contact{}
	for _, c := range read[page[contact]](s.call("GET", "/contacts?limit=200", nil), 200).Items {
		byPhone[strings.TrimPrefix(c.Phone, "+336399800")] = c
	}
	return byPhone
}

func TestFilesOfManyShapesAreImported(t *testing.T) {
	for name, c := range map[string]struct {
		query, file string
		name        string
		attributes  map[string]string
	}{
		"comma":                {"", "phone,name,city\n+33639980001,Camille,Lyon\n", "Camille", map[string]string{"city": "Lyon"}},
		"semicolon, CRLF":      {"", "name;phone;city\r\nCamille;+33639980001;Lyon\r\n", "Camille", map[string]string{"city": "Lyon"}},
		"tab":                  {"", "phone\tname\tcity\n+33639980001\tCamille\tLyon", "Camille", map[string]string{"city": "Lyon"}},
		"byte order mark":      {"", "\ufeffphone,name,city\n+33639980001,Camille,Lyon\n", "Camille", map[string]string{"city": "Lyon"}},
		"quotes":               {"", "\"phone\",\"name\",city\n+33639980001,\"Camille \"\"Cam\"\"\",\"Lyon, 3e\nFrance\"\n", `Camille "Cam"`, map[string]string{"city": "Lyon, 3e\nFrance"}},
		"French":               {"?country=FR", "Téléphone;Nom;Ville de naissance\n06 39 98 00 01;Camille;Lyon\n", "Camille", map[string]string{"Ville_de_naissance": "Lyon"}},
		"French, no accents":   {"?country=fr", "NOM;TELEPHONE\nCamille;639980001\n", "Camille", map[string]string{}},
		"first and last name":  {"", "prénom,nom,mobile\nCamille,Durand,+33639980001\n", "Camille Durand", map[string]string{"prénom": "Camille", "nom": "Durand"}},
		"first name only":      {"", "First Name,Phone Number\nCamille,+33639980001\n", "Camille", map[string]string{"First_Name": "Camille"}},
		"number of all digits": {"?country=FR", "phone\n33639980001\n", "", map[string]string{}},
		"00 before country":    {"", "whatsapp\n0033639980001\n", "", map[string]string{}},
		"blank lines":          {"", "phone,name\n\n,\n+33639980001,Camille\n,,\n \n", "Camille", map[string]string{}},
		"fewer cells":          {"", "phone,name,city\n+33639980001\n", "", map[string]string{}},
		"Latin-1":              {"", "phone,name,city\n+33639980001,Beno\xeet,Orl\xe9ans\n", "Benoît", map[string]string{"city": "Orléans"}},
		"chosen columns":       {"?phone_column=Handy&name_column=Kunde", "Kunde;Handy;phone\nCamille;+33639980001;none\n", "Camille", map[string]string{"phone": "none"}},
		"guarded":              {"", "phone,name,city\n'+33639980001,'=Camille,'-\n", "=Camille", map[string]string{"city": "-"}},
		"column without name":  {"", "phone,,city\n+33639980001,x,Lyon\n", "", map[string]string{"city": "Lyon"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			job := s.importCSV(c.query, c.file)
			assert.Equal(t, "done", job.State)
			assert.Equal(t, 1.0, job.Progress)
			assert.Equal(t, [4]int64{1, 1, 0, 0}, [4]int64{job.Rows, job.Imported, job.Updated, job.Rejected}, "%+v", job.Errors)
			got := s.known()["01"]
			assert.Equal(t, c.name, got.Name)
			assert.Equal(t, c.attributes, got.Attributes)
		})
	}
}

func TestRejectedRowsHaveTheirLineAndReason(t *testing.T) {
	s := serve(t)
	job := s.importCSV("", strings.Join([]string{
		"phone,name,city",       // 1
		"+33639980001,A,Lyon",   // 2
		"0639980002,B,Lyon",     // 3: no country
		",C,Lyon",               // 4: no phone
		"3.3639980E+10,D,Lyon",  // 5: spoilt by a spreadsheet
		"\"+33639980005\",\"E",  // 6: a cell of two lines
		"e\",Lyon",              // 7
		"+33639980006,F\x00,x",  // 8: not storable
		"+33639980007,G,x,y",    // 9: too many cells
		"+336399800088,H,x",     // 10: too long
		"+33639980009,I\"I,x",   // 11: stray quote
		"+33639980010,Jeanne,x", // 12
	}, "\n"))
	assert.Equal(t, [4]int64{10, 3, 0, 7}, [4]int64{job.Rows, job.Imported, job.Updated, job.Rejected})
	reasons := map[int]string{}
	for _, e := range job.Errors {
		reasons[e.Line] = e.Reason
	}
	assert.Len(t, reasons, 7)
	for line, part := range map[int]string{3: "country", 4: "empty", 5: "not a phone number", 8: "U+0000", 9: "more cells", 10: "too long", 11: "quote"} {
		assert.Contains(t, reasons[line], part, "line %d", line)
	}
	assert.Equal(t, "E\ne", s.known()["05"].Name)
	assert.Equal(t, job, read[importJob](s.call("GET", "/imports/"+job.ID.String(), nil), 200))
	s.call("GET", "/imports/"+uuid.NewString(), nil).problem(404)
}

func TestFilesThatCannotBeReadChangeNothing(t *testing.T) {
	s := serve(t)
	for name, file := range map[string]string{
		"empty":               "",
		"no phone column":     "name,city\nCamille,Lyon\n",
		"two phone columns":   "phone,mobile\n+33639980001,+33639980002\n",
		"two columns of name": "phone,city,city\n",
		"UTF-16":              "\xff\xfep\x00h\x00",
		"unclosed quote":      "phone,name\n+33639980001,\"Camille\n+33639980002,Dominique\n",
		"unclosed header":     "\"phone,name\n",
	} {
		t.Run(name, func(t *testing.T) {
			s.t = t
			p := s.call("POST", "/contacts/import", file, csvHeader).problem(422)
			assert.Equal(t, []string{"body"}, p.locations())
		})
	}
	s.t = t
	file := "phone\n+33639980001\n"
	assert.Equal(t, []string{"query.country"}, s.call("POST", "/contacts/import?country=XX", file, csvHeader).problem(422).locations())
	assert.Equal(t, []string{"query.category_id"}, s.call("POST", "/contacts/import?category_id="+uuid.NewString(), file, csvHeader).problem(422).locations())
	s.call("POST", "/contacts/import", file).problem(415)
	s.call("POST", "/contacts/import", file, header{"Content-Type", ""}).problem(415)
	assert.Empty(t, s.known())
}

func TestAnImportUpdatesWhomItKnowsAndTheLastRowWins(t *testing.T) {
	s := serve(t)
	vip := s.category("VIP")
	s.contact("+33639980001")
	job := s.importCSV("?category_id="+vip.ID.String(), strings.Join([]string{
		"phone,name,city,shoe",
		"+33639980001,,Lyon,41",          // known: keeps its name
		"+33639980002,Benoît,Paris,",     // new
		"+33 6 39 98 00 02,,Lille,",      // the same again
		"+33639980002,Benoît B.,,44",     // and again
		"+33639980001,Camille C.,Nice,,", // known again
	}, "\n"))
	assert.Equal(t, [4]int64{5, 1, 4, 0}, [4]int64{job.Rows, job.Imported, job.Updated, job.Rejected}, "%+v", job.Errors)

	known := s.known()
	assert.Equal(t, "Camille C.", known["01"].Name)
	assert.Equal(t, map[string]string{"city": "Nice", "shoe": "41"}, known["01"].Attributes)
	assert.Equal(t, "Benoît B.", known["02"].Name)
	assert.Equal(t, map[string]string{"city": "Lille", "shoe": "44"}, known["02"].Attributes)
	for _, c := range known {
		assert.Equal(t, []uuid.UUID{vip.ID}, c.CategoryIDs)
	}
	assert.EqualValues(t, 2, read[category](s.call("GET", "/categories/"+vip.ID.String(), nil), 200).ContactCount)
}

func TestAnImportLeavesOptOutsAlone(t *testing.T) {
	s := serve(t)
	c := s.contact("+33639980001")
	read[contact](s.call("POST", "/contacts/"+c.ID.String()+"/opt-out", nil), 200)
	s.importCSV("", "phone,name\n+33639980001,Camille\n")
	assert.NotNil(t, s.known()["01"].OptedOutAt)
}

func TestAFormWithAFileIsImported(t *testing.T) {
	s := serve(t)
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	require.NoError(t, w.WriteField("note", "ignored"))
	part, err := w.CreateFormFile("file", "contacts.csv")
	require.NoError(t, err)
	_, _ = part.Write([]byte("phone,name\n+33639980001,Camille\n"))
	require.NoError(t, w.Close())
	job := s.imported(s.call("POST", "/contacts/import", &form, header{"Content-Type", w.FormDataContentType()}))
	assert.EqualValues(t, 1, job.Imported)

	var none bytes.Buffer
	w = multipart.NewWriter(&none)
	require.NoError(t, w.WriteField("note", "no file"))
	require.NoError(t, w.Close())
	p := s.call("POST", "/contacts/import", &none, header{"Content-Type", w.FormDataContentType()}).problem(422)
	assert.Equal(t, []string{"body.file"}, p.locations())
	cut := "--" + w.Boundary() + "\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nphone\n+336"
	s.call("POST", "/contacts/import", cut, header{"Content-Type", w.FormDataContentType()}).problem(400)
	s.call("POST", "/contacts/import", cut, header{"Content-Type", "multipart/form-data"}).problem(400)
}

func TestAFileThatIsTooLargeIsRefusedAndChangesNothing(t *testing.T) {
	s := serve(t)
	s.api.LimitImports(200_000)
	large := manyRows(10_000)
	s.call("POST", "/contacts/import", large, csvHeader).problem(413)
	s.call("POST", "/contacts/import", io.MultiReader(strings.NewReader(large)), csvHeader).problem(413) // its length is not told
	assert.Empty(t, s.known())
	assert.Equal(t, "failed", read[page[importJob]](s.call("GET", "/imports", nil), 200).Items[0].State)
}

func TestTenThousandRowsAreImportedQuickly(t *testing.T) {
	s := serve(t)
	vip := s.category("VIP")
	began := time.Now()
	job := s.importCSV("?category_id="+vip.ID.String(), manyRows(10_000))
	t.Logf("imported %d contacts in %s", job.Imported, time.Since(began))
	assert.EqualValues(t, 10_000, job.Imported)
	assert.EqualValues(t, 10_000, read[category](s.call("GET", "/categories/"+vip.ID.String(), nil), 200).ContactCount)

	began = time.Now()
	job = s.importCSV("?category_id="+vip.ID.String(), manyRows(10_000))
	t.Logf("updated %d contacts in %s", job.Updated, time.Since(began))
	assert.EqualValues(t, 10_000, job.Updated)
}
