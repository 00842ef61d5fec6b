package intake

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
)

// ErrForeignSeal: a parked webhook was sealed with the key of another database.
var ErrForeignSeal = errors.New("a parked webhook was sealed with another key than this database's")

// Seal encrypts webhooks that are parked in Temporal, whose histories hold no
// phone number and no text.
type Seal struct{ aead cipher.AEAD }

// NewSeal takes a key of 32 bytes, [store.Store.SealingKey].
func NewSeal(key []byte) (*Seal, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("preparing the seal: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("preparing the seal: %w", err)
	}
	return &Seal{aead: aead}, nil
}

func (s *Seal) close(raw []byte) ([]byte, error) {
	if s == nil {
		return nil, errors.New("there is no key to seal a webhook with")
	}
	return s.aead.Seal(nil, nil, raw, nil), nil //nolint:gosec // the nonce is random, and NewGCMWithRandomNonce wants none here
}

func (s *Seal) open(sealed []byte) ([]byte, error) {
	if s == nil {
		return nil, errors.New("there is no key to open a parked webhook with")
	}
	raw, err := s.aead.Open(nil, nil, sealed, nil)
	if err != nil {
		return nil, ErrForeignSeal
	}
	return raw, nil
}
