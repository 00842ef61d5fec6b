package store_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNumbersAreHashedByHMACUnderAKeyOfTheDatabase(t *testing.T) {
	b, other := open(t), open(t)
	inner := one[[]byte](b, `SELECT inner_pad FROM hashing_keys`)
	key := make([]byte, 32)
	for i := range key {
		key[i] = inner[i] ^ 0x36
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(phone(0)))
	require.Equal(t, mac.Sum(nil), one[[]byte](b, `SELECT number_hash($1)`, phone(0)))
	// The template of test databases is migrated once, so both have its key.
	other.exec(`UPDATE hashing_keys SET inner_pad = set_byte(inner_pad, 0, get_byte(inner_pad, 0) # 1)`)
	require.NotEqual(t, mac.Sum(nil), one[[]byte](other, `SELECT number_hash($1)`, phone(0)))
}
