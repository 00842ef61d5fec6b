package api

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// column is what a header says its cells are.
type column struct {
	kind      columnKind
	attribute string // the attribute that its cells become; "" for none
}

type columnKind int

const (
	ignoredColumn columnKind = iota
	phoneColumn
	nameColumn
	firstNameColumn
	lastNameColumn
	attributeColumn
)

const (
	// ownPrefix begins the headers of columns that Relance writes and does not
	// take back. No attribute's name has a colon.
	ownPrefix = "relance:"
	// attributePrefix begins the header of an attribute whose name alone would be
	// taken for something else, such as attribute:mobile.
	attributePrefix = "attribute:"
)

// headerKind knows the names that columns go by, as foldHeader writes them.
func headerKind(header string) columnKind {
	switch foldHeader(header) {
	case "":
		return ignoredColumn
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

// mostColumns bounds a file's width; of one contact mostAttributes can be kept.
const mostColumns = 1000

// mapping says which columns hold what where their headers do not: "" leaves it
// to the headers.
type mapping struct{ phone, name string }

// columns reads a file's first line. Its errors are about the file, or name the
// query parameter that is wrong.
func (m mapping) columns(header []string) ([]column, error) {
	phone, err := chosen(header, m.phone)
	if err != nil {
		return nil, invalid("query.phone_column", "%s", err)
	}
	name, err := chosen(header, m.name)
	if err != nil {
		return nil, invalid("query.name_column", "%s", err)
	}
	if phone >= 0 && phone == name {
		return nil, invalid("query.name_column", "is the phone column")
	}
	columns := make([]column, len(header))
	for i, cell := range header {
		kind := headerKind(cell)
		switch {
		case i == phone:
			kind = phoneColumn
		case i == name:
			kind = nameColumn
		case strings.HasPrefix(cell, ownPrefix):
			kind = ignoredColumn
		case strings.HasPrefix(cell, attributePrefix),
			phone >= 0 && kind == phoneColumn, // chosen is chosen
			name >= 0 && (kind == nameColumn || kind == firstNameColumn || kind == lastNameColumn):
			kind = attributeColumn
		}
		columns[i] = column{kind: kind}
		if kind == attributeColumn || kind == firstNameColumn || kind == lastNameColumn {
			columns[i].attribute = attributeOf(cell)
		}
	}
	lastNameBesideFirst(columns, header)
	return columns, checkColumns(columns)
}

// attributeOf is "" for a header that cannot name an attribute: "name" always
// means the whole name.
func attributeOf(header string) string {
	if name := attributeName(strings.TrimPrefix(header, attributePrefix)); name != "name" {
		return name
	}
	return ""
}

// chosen finds the column that a caller names: as it is written, else as people
// might write it; -1 when none is named.
func chosen(header []string, wanted string) (int, error) {
	if wanted = strings.TrimSpace(wanted); wanted == "" {
		return -1, nil
	}
	found := -1
	for i, cell := range header {
		if strings.TrimSpace(cell) == wanted {
			return i, nil
		}
		if found < 0 && foldHeader(cell) == foldHeader(wanted) {
			found = i
		}
	}
	if found < 0 {
		return -1, errors.New("is not in the file's first line")
	}
	return found, nil
}

// lastNameBesideFirst: beside a first name, a column called name or nom holds
// the last name.
func lastNameBesideFirst(columns []column, header []string) {
	has := func(kind columnKind) bool {
		return slices.ContainsFunc(columns, func(c column) bool { return c.kind == kind })
	}
	i := slices.IndexFunc(columns, func(c column) bool { return c.kind == nameColumn })
	if i >= 0 && has(firstNameColumn) && !has(lastNameColumn) {
		columns[i] = column{kind: lastNameColumn, attribute: attributeOf(header[i])}
	}
}

func checkColumns(columns []column) error {
	seen, kinds := map[string]bool{}, map[columnKind]int{}
	for _, c := range columns {
		kinds[c.kind]++
		if utf8.RuneCountInString(c.attribute) > longestAttributeName {
			return fileProblem("has a column whose name has more than %d characters", longestAttributeName)
		}
		if c.attribute != "" && seen[c.attribute] {
			return fileProblem("has two columns called %q", c.attribute)
		}
		seen[c.attribute] = true
	}
	switch {
	case kinds[phoneColumn] == 0:
		return fileProblem("has no column called phone (or téléphone, mobile, whatsapp) in its first line; phone_column can name another")
	case kinds[phoneColumn] > 1:
		return fileProblem("has more than one phone column; phone_column can say which it is")
	case kinds[nameColumn] > 1:
		return fileProblem("has more than one name column; name_column can say which it is")
	case len(columns) > mostColumns:
		return fileProblem("has %d columns; at most %d can be read", len(columns), mostColumns)
	}
	return nil
}

// attributeHeader is the header under which columns reads an attribute back.
func attributeHeader(name string) string {
	if headerKind(name) != attributeColumn {
		return attributePrefix + name
	}
	return name
}

// fileProblem is a problem with the file itself.
func fileProblem(format string, args ...any) error {
	return invalid("body", "%s", fmt.Sprintf(format, args...))
}
