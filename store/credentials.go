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

// CreateSession logs a user in, and records it in the audit log. The returned
// secret is what the cookie holds; the database keeps its hash. agent is what
// the browser calls itself. [ErrWrongCredentials] for who has been disabled or
// got another password since [Store.UserByPassword].
func (s *Store) CreateSession(ctx context.Context, user User, agent string) (secret string, expiresAt time.Time, err error) {
	err = s.transaction(ctx, "storing a session", func(tx *gorm.DB) error {
		if err := tx.Exec(`DELETE FROM sessions WHERE expires_at <= relance_now()`).Error; err != nil {
			return err
		}
		// What ends the sessions that there are must not be followed by this one.
		valid := false
		if err := value(tx, &valid, `SELECT disabled_at IS NULL AND (? = '' OR password_hash = ?) FROM users WHERE id = ? FOR SHARE`,
			user.passwordHash, user.passwordHash, user.ID); err != nil {
			return err
		}
		if !valid {
			return ErrWrongCredentials
		}
		if secret, expiresAt, err = insertSession(tx, user.ID, agent); err != nil {
			return err
		}
		return insertAudit(tx, user.ID, ActionLogin, AuditDone)
	})
	return secret, expiresAt, err
}

func insertSession(tx *gorm.DB, userID uuid.UUID, agent string) (secret string, expiresAt time.Time, err error) {
	secret = newSecret("")
	at, err := now(tx)
	if err != nil {
		return "", at, err
	}
	expiresAt = at.Add(SessionLifetime)
	// The hash must not come first: gorm would take a slice after a parenthesis
	// for a list of values.
	return secret, expiresAt, tx.Exec(`INSERT INTO sessions (user_id, token_hash, expires_at, agent) VALUES (?, ?, ?, ?)`,
		userID, hashed(secret), expiresAt, agent).Error
}

// UserBySession finds who is logged in with a secret; [ErrNotFound] when it is
// nobody's or has expired.
func (s *Store) UserBySession(ctx context.Context, secret string) (User, error) {
	user, err := s.noticedUser(ctx, "sessions", `t.expires_at > relance_now()`, secret)
	if err != nil {
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

// noticedUser finds whose secret this is, and notes when it was last used.
func (s *Store) noticedUser(ctx context.Context, table, valid, secret string) (User, error) {
	var row struct {
		User
		Unnoticed bool
	}
	db := s.db.WithContext(ctx)
	err := first(db, &row, `
		SELECT `+userColumns+`, coalesce(t.last_used_at < relance_now() - interval '1 minute', true) AS unnoticed
		FROM `+table+` t JOIN users u ON u.id = t.user_id
		WHERE t.token_hash = ? AND `+valid+` AND u.disabled_at IS NULL`, hashed(secret))
	if err == nil && row.Unnoticed {
		// To the minute is enough, and spares a write per request.
		err = db.Exec(`UPDATE `+table+` SET last_used_at = relance_now() WHERE token_hash = ?`, hashed(secret)).Error
	}
	if err != nil {
		return User{}, err
	}
	return row.User, nil
}

// UserByToken finds whose API token this is; [ErrNotFound] when it is nobody's
// or was revoked.
func (s *Store) UserByToken(ctx context.Context, token string) (User, error) {
	user, err := s.noticedUser(ctx, "api_tokens", `t.revoked_at IS NULL`, token)
	if err != nil {
		return user, fmt.Errorf("looking for an API token: %w", err)
	}
	return user, nil
}
