package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// SessionLifetime is how long a login lasts.
const SessionLifetime = 7 * 24 * time.Hour

// minTokenLength is asked of tokens that people choose themselves.
const minTokenLength = 16

// newSecret makes 256 bits that nobody can guess. Secrets of that strength need
// no slow hash: SHA-256 is what the database keeps of them.
func newSecret(prefix string) string {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails, says its documentation
	return prefix + base64.RawURLEncoding.EncodeToString(secret[:])
}

func hashed(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// CreateSession logs a user in. The returned secret is what the cookie holds;
// the database keeps its hash.
func (s *Store) CreateSession(ctx context.Context, userID uuid.UUID) (secret string, expiresAt time.Time, err error) {
	secret = newSecret("")
	err = s.transaction(ctx, "storing a session", func(tx *gorm.DB) error {
		if err := tx.Exec(`DELETE FROM sessions WHERE expires_at <= relance_now()`).Error; err != nil {
			return err
		}
		at, err := now(tx)
		if err != nil {
			return err
		}
		expiresAt = at.Add(SessionLifetime)
		// The hash must not come first: gorm would take a slice after a
		// parenthesis for a list of values.
		return tx.Exec(`INSERT INTO sessions (user_id, token_hash, expires_at) VALUES (?, ?, ?)`,
			userID, hashed(secret), expiresAt).Error
	})
	return secret, expiresAt, err
}

// UserBySession finds who is logged in with a secret; [ErrNotFound] when it is
// nobody's or has expired.
func (s *Store) UserBySession(ctx context.Context, secret string) (User, error) {
	var user User
	if err := first(s.db.WithContext(ctx), &user, `
		SELECT `+userColumns+` FROM sessions t JOIN users u ON u.id = t.user_id
		WHERE t.token_hash = ? AND t.expires_at > relance_now() AND u.disabled_at IS NULL`, hashed(secret)); err != nil {
		return user, fmt.Errorf("looking for a session: %w", err)
	}
	return user, nil
}

// DeleteSession logs out; a secret that is nobody's is no error.
func (s *Store) DeleteSession(ctx context.Context, secret string) error {
	if err := s.db.WithContext(ctx).Exec(`DELETE FROM sessions WHERE token_hash = ?`, hashed(secret)).Error; err != nil {
		return fmt.Errorf("deleting a session: %w", err)
	}
	return nil
}

// CreateToken makes an API token of a user. It is returned this once; the
// database keeps its hash.
func (s *Store) CreateToken(ctx context.Context, userID uuid.UUID, name string) (token string, err error) {
	token = newSecret("rel_")
	err = s.transaction(ctx, "storing an API token", func(tx *gorm.DB) error {
		return insertToken(tx, userID, name, token)
	})
	return token, err
}

func insertToken(tx *gorm.DB, userID uuid.UUID, name, token string) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	return tx.Exec(`INSERT INTO api_tokens (id, user_id, name, token_hash) VALUES (?, ?, ?, ?)`,
		id, userID, name, hashed(token)).Error
}

// UserByToken finds whose API token this is; [ErrNotFound] when it is nobody's
// or was revoked.
func (s *Store) UserByToken(ctx context.Context, token string) (User, error) {
	var row struct {
		User
		Unnoticed bool
	}
	db := s.db.WithContext(ctx)
	err := first(db, &row, `
		SELECT `+userColumns+`, coalesce(t.last_used_at < relance_now() - interval '1 minute', true) AS unnoticed
		FROM api_tokens t JOIN users u ON u.id = t.user_id
		WHERE t.token_hash = ? AND t.revoked_at IS NULL AND u.disabled_at IS NULL`, hashed(token))
	if err == nil && row.Unnoticed {
		// To the minute is enough, and spares a write per request.
		err = db.Exec(`UPDATE api_tokens SET last_used_at = relance_now() WHERE token_hash = ?`, hashed(token)).Error
	}
	if err != nil {
		return User{}, fmt.Errorf("looking for an API token: %w", err)
	}
	return row.User, nil
}
