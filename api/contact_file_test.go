package api

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
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

func TestAFileCanBeReadMoreThanOnce(t *testing.T) {
	f, err := openContactFile([]byte("phone,name\n+33639980001,A\nx,B\n"), "")
	require.NoError(t, err)
	for range 2 {
		var read []string
		for row, err := range f.rows() {
			require.NoError(t, err)
			read = append(read, row.Phone+row.Rejected)
		}
		assert.Equal(t, []string{"+33639980001", "phone is not a phone number; write it as +33639980001"}, read)
	}
	for range f.rows() {
		break // and left early
	}
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
		file, err := openContactFile(data, country)
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
