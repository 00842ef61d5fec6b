package api

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

func TestHeadersBecomeNamesThatTextsCanShow(t *testing.T) {
	for header, want := range map[string]string{
		"city": "city", "City": "City", " Ville de naissance ": "Ville_de_naissance", "prénom": "prénom",
		"2nd name": "_2nd_name", "e-mail": "e-mail", "a|b": "a_b", "{{x}}": "__x__", "€": "_", "-": "_-",
	} {
		name := attributeName(header)
		assert.Equal(t, want, name)
		assert.NoError(t, campaign.ValidateText("{{"+name+"}}"))
	}
}

// opened reads a file in pieces of odd sizes, as they come over a network.
func opened(data []byte, country string, chosen mapping) (*contactFile, error) {
	return openContactFile(iotest.HalfReader(bytes.NewReader(data)), country, chosen)
}

func TestTheFirstRowBeyondASCIIDecidesTheCharset(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		want []string // names, or why a row is rejected
	}{
		"UTF-8":                 {"phone,name\n+33639980001,Benoît\n", []string{"Benoît"}},
		"Latin-1":               {"phone,name\n+33639980001,Beno\xeet\n", []string{"Benoît"}},
		"Windows-1252":          {"phone,name\n+33639980001,\x80 \x9cuvre\x92s\n", []string{"€ œuvre’s"}},
		"Latin-1 header":        {"t\xe9l\xe9phone,pr\xe9nom\n+33639980001,Zo\xeb\n", []string{"Zoë"}},
		"late":                  {"phone,name\n" + strings.Repeat("+33639980001,A\n", 3) + "+33639980001,Zo\xeb\n", []string{"A", "A", "A", "Zoë"}},
		"Latin-1 in UTF-8":      {"phone,name\n+33639980001,Zoë\n+33639980002,Zo\xeb\n", []string{"Zoë", "is not UTF-8, which the rows before it are"}},
		"Latin-1 after a BOM":   {"\ufeffphone,name\n+33639980002,Zo\xeb\n", []string{"is not UTF-8, which the rows before it are"}},
		"UTF-8 in Latin-1":      {"phone,name\n+33639980001,Zo\xeb\n+33639980002,Zoë\n", []string{"Zoë", "Zoë"}},
		"Latin-1 between quote": {"phone;name\r\n+33639980001;\"Zo\xeb\r\n; \"\"\xe9\"\"\"\r\n", []string{"Zoë\n; \"é\""}},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := opened([]byte(c.file), "", mapping{})
			require.NoError(t, err)
			var got []string
			for row, err := range f.rows() {
				require.NoError(t, err)
				got = append(got, row.Name+row.Rejected)
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestColumnsCanBeChosen(t *testing.T) {
	for name, c := range map[string]struct {
		header string
		chosen mapping
		want   []column
		wrong  string
	}{
		"by their headers":         {"Handy,Kunde", mapping{"Handy", "Kunde"}, []column{{phoneColumn, ""}, {nameColumn, ""}}, ""},
		"however they are written": {"Téléphone portable,Kunde", mapping{"telephone_portable", ""}, []column{{phoneColumn, ""}, {attributeColumn, "Kunde"}}, ""},
		"exactly, if one fits":     {"Handy,handy", mapping{"handy", ""}, []column{{attributeColumn, "Handy"}, {phoneColumn, ""}}, ""},
		"of several phones":        {"phone,mobile", mapping{"mobile", ""}, []column{{attributeColumn, "phone"}, {phoneColumn, ""}}, ""},
		"of several names":         {"phone,name,nom,prénom", mapping{"", "nom"}, []column{{phoneColumn, ""}, {attributeColumn, ""}, {nameColumn, ""}, {attributeColumn, "prénom"}}, ""},
		"ours":                     {"phone,relance:line,attribute:mobile,attribute:name", mapping{}, []column{{phoneColumn, ""}, {ignoredColumn, ""}, {attributeColumn, "mobile"}, {attributeColumn, ""}}, ""},
		"not there":                {"phone,name", mapping{"Handy", ""}, nil, "query.phone_column"},
		"nor there":                {"phone,name", mapping{"", "Kunde"}, nil, "query.name_column"},
		"twice the same":           {"phone,name", mapping{"phone", "phone"}, nil, "query.name_column"},
	} {
		t.Run(name, func(t *testing.T) {
			columns, err := c.chosen.columns(strings.Split(c.header, ","))
			if c.wrong != "" {
				var problem *huma.ErrorModel
				require.ErrorAs(t, err, &problem)
				assert.Equal(t, c.wrong, problem.Errors[0].Location)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, columns)
		})
	}
}

func TestAHeaderThatIsExportedIsReadBackAsItsAttribute(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		name := attributeName(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"phone", "Mobile", "nom", "prénom", "last_name", "e.-"})).Draw(r, "name"))
		if name == "" || name == "name" || storable(name) != nil {
			r.Skip()
		}
		columns, err := mapping{}.columns([]string{"phone", "name", attributeHeader(name)})
		require.NoError(t, err)
		require.Equal(t, []column{{phoneColumn, ""}, {nameColumn, ""}, {attributeColumn, name}}, columns)
	})
}

func TestARowIsNeverHeldBeyondItsLimit(t *testing.T) {
	endless := io.MultiReader(strings.NewReader("phone,name\n+33639980001,A\n+33639980002,\"B"), endlessly("x\n"))
	f, err := openContactFile(endless, "", mapping{})
	require.NoError(t, err)
	var rows []string
	var end error
	for row, err := range f.rows() {
		rows, end = append(rows, row.Name), err
	}
	assert.Equal(t, []string{"A", ""}, rows)
	require.ErrorContains(t, end, "never closed")
	assert.Less(t, cap(f.raw.kept), 4*longestRow)

	_, err = openContactFile(io.MultiReader(strings.NewReader("phone,\""), endlessly("x")), "", mapping{})
	var problem *huma.ErrorModel
	require.ErrorAs(t, err, &problem)
	assert.Contains(t, problem.Errors[0].Message, "first line")
}

type endlessly string

func (e endlessly) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e[i%len(e)]
	}
	return len(p), nil
}

func TestARejectedRowKeepsWhatStoodInIt(t *testing.T) {
	f, err := opened([]byte("phone;name;city\r\n"+strings.Repeat("+33639980001;A;B\r\n", 10_000)+
		"x;\"Zo\xeb\";Lyon\r\n\r\n+33639980002;I\"I;Lyon\r\n+33639980003;C;\r\n"), "", mapping{})
	require.NoError(t, err)
	var rejected []store.ImportRow
	n := 0
	for row, err := range f.rows() {
		require.NoError(t, err)
		if n++; row.Rejected != "" {
			rejected = append(rejected, row)
		}
	}
	assert.Equal(t, 10_003, n)
	require.Len(t, rejected, 2)
	assert.Equal(t, []string{"x", "Zoë", "Lyon"}, rejected[0].Cells)
	assert.Equal(t, 10_002, rejected[0].Line)
	assert.Equal(t, []string{"+33639980002", `I"I`, "Lyon"}, rejected[1].Cells)
	assert.Equal(t, 10_004, rejected[1].Line)
}

func TestGuardedTextsAreNoFormulasAndReadBackAsTheyWere(t *testing.T) {
	beginning := rapid.StringMatching(`[=+\-@\t\r'a]{0,4}`)
	rapid.Check(t, func(r *rapid.T) {
		text := beginning.Draw(r, "beginning") + rapid.String().Draw(r, "text")
		safe := guarded(text)
		require.Equal(t, text, unguarded(safe))
		require.False(t, beginsFormula(safe))
	})
	for text, want := range map[string]string{"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@a": "'@a", "\tx": "'\tx", "\rx": "'\rx", "'=": "''=", "'n": "'n", "a=": "a=", "": ""} {
		assert.Equal(t, want, guarded(text))
	}
}

func TestNumbersThatAreNormalAlreadyAreKnownWithoutTheLibrary(t *testing.T) {
	for code, plan := range plainPlans {
		rapid.Check(t, func(r *rapid.T) {
			first := rapid.SampledFrom([]byte(plan.first)).Draw(r, "first")
			number := "+" + code + string(first) + rapid.StringMatching(fmt.Sprintf(`[0-9]{%d}`, plan.digits-1)).Draw(r, "rest")
			require.True(t, isPlainE164(number), number)
			normal, err := normalizePhone(number, rapid.SampledFrom([]string{"", "FR", "US", "GB"}).Draw(r, "country"))
			require.NoError(t, err, number)
			require.Equal(t, number, normal)
		})
	}
	rapid.Check(t, func(r *rapid.T) { // whatever is taken for plain is normal
		raw := rapid.StringMatching(`\+?[0-9]{0,16}[ x]?`).Draw(r, "raw")
		if isPlainE164(raw) {
			normal, err := normalizePhone(raw, "")
			require.NoError(t, err)
			require.Equal(t, raw, normal)
		}
	})
}

func FuzzContactFile(f *testing.F) {
	for _, seed := range []string{
		"phone,name\n+33639980001,Camille\n", "téléphone;nom;prénom\n0639980001;D;C\n", "phone\tx\n\"a\nb\"\t\n",
		"\ufeffPhone\n\n,,,\n", "phone,{{x}},\x00\n+33639980001,a,b", "phone\n\"", "phone\r+33639980001\r",
	} {
		f.Add([]byte(seed), "FR")
	}
	f.Fuzz(func(t *testing.T, data []byte, country string) {
		country, err := normalizeCountry(country)
		if err != nil {
			return
		}
		file, err := opened(data, country, mapping{})
		if err != nil {
			return
		}
		line := 0
		for row, err := range file.rows() {
			if err != nil {
				return
			}
			require.Greater(t, row.Line, line, "lines only grow")
			line = row.Line
			if row.Rejected != "" {
				continue
			}
			require.Regexp(t, `^\+[1-9][0-9]{6,14}$`, row.Phone)
			require.NoError(t, storable(row.Name))
			require.LessOrEqual(t, len(row.Attributes), mostAttributes)
			for name, value := range row.Attributes {
				require.NoError(t, storable(name+value))
				require.True(t, utf8.ValidString(name+value))
				require.NoError(t, campaign.ValidateText("{{"+name+"}}"))
				require.NotEqual(t, "name", name)
			}
		}
	})
}
