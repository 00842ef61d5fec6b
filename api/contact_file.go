package api

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/relance/relance/store"
)

// contactFile is a CSV file of contacts: a header row that names a phone column,
// perhaps name columns, and any further columns, which become attributes.
type contactFile struct {
	data    []byte
	comma   rune
	country string
	columns []column
}

// column is what a header says its cells are.
type column struct {
	kind      columnKind
	attribute string // the attribute that its cells become; "" for none
}

type columnKind int

const (
	blankColumn columnKind = iota
	phoneColumn
	nameColumn
	firstNameColumn
	lastNameColumn
	attributeColumn
)

// headers are the names that columns go by, as foldHeader writes them.
func headerKind(header string) columnKind {
	switch foldHeader(header) {
	case "":
		return blankColumn
	case "phone", "phonenumber", "telephone", "tel", "mobile", "mobilephone", "cell", "cellphone", "portable",
		"numero", "numerodetelephone", "whatsapp", "whatsappnumber", "msisdn", "gsm":
		return phoneColumn
	case "name", "nom", "fullname", "nomcomplet", "displayname":
		return nameColumn
	case "firstname", "prenom", "givenname":
		return firstNameColumn
	case "lastname", "nomdefamille", "surname", "familyname":
		return lastNameColumn
	}
	return attributeColumn
}

// foldHeader leaves out what people write differently: case, accents, spaces.
func foldHeader(header string) string {
	return strings.NewReplacer(" ", "", "_", "", "-", "", ".", "", "\u00a0", "",
		"é", "e", "è", "e", "ê", "e", "ë", "e", "à", "a", "â", "a", "ç", "c", "î", "i", "ï", "i", "ô", "o", "û", "u", "ù", "u",
		"e\u0301", "e", "e\u0300", "e").Replace(strings.ToLower(strings.TrimSpace(header)))
}

// attributeName makes a header into a name that a message text can show: as it
// is written, with _ for what {{…}} does not take.
func attributeName(header string) string {
	name := strings.Map(func(r rune) rune {
		if r == '_' || r == '.' || r == '-' || unicode.IsLetter(r) || unicode.IsNumber(r) {
			return r
		}
		return '_'
	}, strings.TrimSpace(header))
	if first, _ := utf8.DecodeRuneInString(name); name != "" && first != '_' && !unicode.IsLetter(first) {
		name = "_" + name
	}
	return name
}

// openContactFile reads the header. Its errors are for the caller to read.
func openContactFile(data []byte, country string) (*contactFile, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return nil, errors.New("must be UTF-8; in a spreadsheet, save it as \"CSV UTF-8\"")
	}
	f := &contactFile{data: data, comma: delimiter(data), country: country}
	header, err := f.reader().Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("is empty; its first line must name the columns, such as phone,name")
	}
	if err != nil {
		return nil, fmt.Errorf("has a first line that is not CSV: %w", err)
	}
	return f, f.readHeader(header)
}

func (f *contactFile) readHeader(header []string) error {
	seen := map[string]bool{}
	kinds := map[columnKind]int{}
	for _, cell := range header {
		kind := headerKind(cell)
		kinds[kind]++
		c := column{kind: kind}
		if kind == attributeColumn || kind == firstNameColumn || kind == lastNameColumn {
			c.attribute = attributeName(cell)
			if seen[c.attribute] {
				return fmt.Errorf("has two columns called %q", c.attribute)
			}
			seen[c.attribute] = true
		}
		f.columns = append(f.columns, c)
	}
	switch {
	case kinds[phoneColumn] == 0:
		return errors.New("has no column called phone (or téléphone, mobile, whatsapp) in its first line")
	case kinds[phoneColumn] > 1:
		return errors.New("has more than one phone column")
	case kinds[nameColumn] > 1:
		return errors.New("has more than one name column")
	case len(seen) > mostAttributes:
		return fmt.Errorf("has %d columns beside phone and name; at most %d can be kept", len(seen), mostAttributes)
	}
	// Beside a first name, a column called name or nom holds the last name.
	if i := slices.IndexFunc(f.columns, func(c column) bool { return c.kind == nameColumn }); i >= 0 && kinds[firstNameColumn] > 0 && kinds[lastNameColumn] == 0 {
		f.columns[i] = column{kind: lastNameColumn, attribute: lastNameAttribute(header[i])}
	}
	return nil
}

// lastNameAttribute is "" for a header that cannot name an attribute: "name"
// always means the whole name.
func lastNameAttribute(header string) string {
	if name := attributeName(header); name != "name" {
		return name
	}
	return ""
}

// delimiter is whichever of comma, semicolon and tab the first line has most of.
func delimiter(data []byte) rune {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	best, most := ',', 0
	for _, candidate := range []rune{',', ';', '\t'} {
		if n := bytes.Count(line, []byte(string(candidate))); n > most {
			best, most = candidate, n
		}
	}
	return best
}

func (f *contactFile) reader() *csv.Reader {
	r := csv.NewReader(bytes.NewReader(f.data))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = f.comma, -1, true
	return r
}

// rows reads the file below its header, anew each time. Only a quote that is
// never closed ends it with an error: nobody can tell how many rows it swallowed.
func (f *contactFile) rows() iter.Seq2[store.ImportRow, error] {
	return func(yield func(store.ImportRow, error) bool) {
		r := f.reader()
		_, _ = r.Read() // the header was fine before
		for {
			cells, err := r.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			row, blank, err := f.row(r, cells, err)
			if blank {
				continue
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

func (f *contactFile) row(r *csv.Reader, cells []string, err error) (row store.ImportRow, blank bool, fatal error) {
	var syntax *csv.ParseError
	if errors.As(err, &syntax) {
		if syntax.Line != syntax.StartLine {
			return row, false, invalid("body", "has a quote in line %d that is never closed", syntax.StartLine)
		}
		return store.ImportRow{Line: syntax.StartLine, Rejected: "has a quote where none belongs"}, false, nil
	}
	if err != nil {
		return row, false, fmt.Errorf("reading CSV: %w", err)
	}
	if !slices.ContainsFunc(cells, func(cell string) bool { return strings.TrimSpace(cell) != "" }) {
		return row, true, nil
	}
	row.Line, _ = r.FieldPos(0)
	if err := f.fill(&row.ContactData, cells); err != nil {
		row.Rejected = err.Error()
	}
	return row, false, nil
}

// fill reads one row; its errors are for people to read.
func (f *contactFile) fill(data *store.ContactData, cells []string) error {
	data.Attributes = store.Attributes{}
	var first, last string
	for i, cell := range cells {
		if cell = strings.TrimSpace(cell); cell == "" {
			continue // an empty cell says nothing about a contact
		}
		if i >= len(f.columns) {
			return errors.New("has more cells than the first line has columns")
		}
		var err error
		switch c := f.columns[i]; c.kind {
		case blankColumn, attributeColumn:
		case phoneColumn:
			if data.Phone, err = normalizePhone(cell, f.country); err != nil {
				return fmt.Errorf("phone %w", err)
			}
		case nameColumn:
			data.Name, err = label(cell, longestName)
		case firstNameColumn:
			first, err = label(cell, longestName)
		case lastNameColumn:
			last, err = label(cell, longestName)
		}
		if err != nil {
			return fmt.Errorf("name %w", err)
		}
		if key := f.columns[i].attribute; key != "" {
			if data.Attributes[key], err = label(cell, longestAttribute); err != nil {
				return fmt.Errorf("%s %w", key, err)
			}
		}
	}
	if data.Phone == "" {
		return errors.New("phone must not be empty")
	}
	if data.Name == "" {
		data.Name = strings.TrimSpace(first + " " + last)
	}
	return nil
}
