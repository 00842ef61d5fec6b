package api

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/relance/relance/store"
)

// contactFile is a CSV file of contacts that is read as it comes in: a header
// row that names a phone column, perhaps name columns, and any further columns,
// which become attributes. No more than a row of it is held.
type contactFile struct {
	csv     *csv.Reader
	raw     *rowKeeper
	text    charset
	comma   rune
	country string
	header  []string
	columns []column
}

const (
	// longestRow bounds a row: an unclosed quote makes one of all that follows it.
	longestRow = 1 << 20
	// longRow is the length from which it is worth keeping cells apart from their row.
	longRow = 4 << 10
	// fileBuffer is read at once; a file's first line should end within it.
	fileBuffer = 64 << 10
)

var errRowTooLong = fmt.Errorf("a row has more than %d bytes", longestRow)

// openContactFile reads the header. Its errors are for the caller to read.
func openContactFile(file io.Reader, country string, chosen mapping) (*contactFile, error) {
	begun := bufio.NewReaderSize(file, fileBuffer)
	f := &contactFile{country: country}
	beginning, err := begun.Peek(fileBuffer)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if bytes.HasPrefix(beginning, []byte("\xff\xfe")) || bytes.HasPrefix(beginning, []byte("\xfe\xff")) {
		return nil, fileProblem("is UTF-16; in a spreadsheet, save it as \"CSV UTF-8\"")
	}
	if bytes.HasPrefix(beginning, []byte("\ufeff")) {
		beginning, f.text = beginning[3:], utf8Text
		_, _ = begun.Discard(3) // has been peeked at
	}
	f.comma = delimiter(beginning)
	f.raw = &rowKeeper{from: begun}
	f.csv = csv.NewReader(bufio.NewReaderSize(f.raw, fileBuffer))
	f.csv.Comma, f.csv.FieldsPerRecord, f.csv.ReuseRecord = f.comma, -1, true
	return f, f.readHeader(chosen)
}

func (f *contactFile) readHeader(chosen mapping) error {
	cells, err := f.csv.Read()
	var syntax *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		return fileProblem("is empty; its first line must name the columns, such as phone,name")
	case errors.As(err, &syntax), errors.Is(err, errRowTooLong):
		return fileProblem("has a first line that is not CSV: %s", err)
	case err != nil:
		return err
	}
	f.header = make([]string, len(cells))
	if err := f.text.decode(cells); err != nil {
		return fileProblem("has a first line that %s", err)
	}
	for i, cell := range cells {
		if storable(cell) != nil {
			return fileProblem("has a first line that is no text")
		}
		f.header[i] = strings.TrimSpace(cell)
	}
	f.columns, err = chosen.columns(f.header)
	return err
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

// rows reads the file below its header, once. A file that cannot be read to its
// end, and a quote that is never closed, end it with an error: nobody can tell
// how many rows that swallowed.
func (f *contactFile) rows() iter.Seq2[store.ImportRow, error] {
	return func(yield func(store.ImportRow, error) bool) {
		for {
			f.raw.begin(f.csv.InputOffset())
			cells, err := f.csv.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			row, blank, err := f.row(cells, err)
			if blank {
				continue
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

func (f *contactFile) row(cells []string, err error) (row store.ImportRow, blank bool, fatal error) {
	var syntax *csv.ParseError
	switch {
	case errors.As(err, &syntax) && syntax.Line == syntax.StartLine:
		return store.ImportRow{Line: syntax.StartLine, Rejected: "has a quote where none belongs", Cells: f.uncut()}, false, nil
	case errors.As(err, &syntax):
		return row, false, brokenFile("has a quote in line %d that is never closed", syntax.StartLine)
	case errors.Is(err, errRowTooLong):
		return row, false, brokenFile("has a row of more than %d bytes; perhaps a quote in it is never closed", longestRow)
	case err != nil:
		return row, false, &store.FileError{Reason: "The upload broke off.", Err: err}
	}
	if !slices.ContainsFunc(cells, func(cell string) bool { return strings.TrimSpace(cell) != "" }) {
		return row, true, nil
	}
	row.Line, _ = f.csv.FieldPos(0)
	cells = f.apart(cells)
	if err = f.text.decode(cells); err == nil {
		err = f.fill(&row.ContactData, cells)
	}
	if err != nil {
		row.Rejected, row.Cells = err.Error(), slices.Clone(cells)
	}
	return row, false, nil
}

// apart keeps the cells of a long row apart from its text, of which they are
// parts: one name would keep a megabyte in memory. What is beyond the widest file
// becomes one cell.
func (f *contactFile) apart(cells []string) []string {
	if f.csv.InputOffset()-f.raw.row <= longRow {
		return cells
	}
	if len(cells) > mostColumns {
		cells[mostColumns] = strings.TrimSpace(strings.Join(cells[mostColumns:], " "))
		cells = cells[:mostColumns+1]
	}
	for i, cell := range cells {
		cells[i] = strings.Clone(cell)
	}
	return cells
}

// brokenFile is what is wrong with a file of which nothing is kept.
func brokenFile(format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	return &store.FileError{Reason: "The file " + what + ".", Err: fileProblem("%s", what)}
}

// uncut is a row that is no CSV, as it stands in the file.
func (f *contactFile) uncut() []string {
	raw := f.raw.upTo(f.csv.InputOffset())
	cells := strings.Split(strings.Trim(string(raw), "\r\n"), string(f.comma))
	_ = f.text.decode(cells) // it is rejected anyway
	return cells
}

// fill reads one row; its errors are for people to read.
func (f *contactFile) fill(data *store.ContactData, cells []string) error {
	var first, last string
	for i, cell := range cells {
		if cell = strings.TrimSpace(unguarded(cell)); cell == "" {
			continue // an empty cell says nothing about a contact
		}
		if i >= len(f.columns) {
			return errors.New("has more cells than the first line has columns")
		}
		var err error
		switch c := f.columns[i]; c.kind {
		case ignoredColumn, attributeColumn:
		case phoneColumn:
			if data.Phone, err = importedPhone(cell, f.country); err != nil {
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
		if err := f.keepAttribute(data, f.columns[i].attribute, cell); err != nil {
			return err
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

func (f *contactFile) keepAttribute(data *store.ContactData, name, cell string) error {
	if name == "" {
		return nil
	}
	value, err := label(cell, longestAttribute)
	if err != nil {
		return fmt.Errorf("%s %w", name, err)
	}
	if data.Attributes == nil {
		data.Attributes = store.Attributes{} // of a wide file most rows may be blank
	}
	if data.Attributes[name] = value; len(data.Attributes) > mostAttributes {
		return fmt.Errorf("has more than %d columns beside phone and name", mostAttributes)
	}
	return nil
}
