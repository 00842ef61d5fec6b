package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Session is a login, without its secret.
type Session struct {
	ID         uuid.UUID
	Agent      string // what the browser calls itself
	CreatedAt  time.Time
	LastUsedAt *time.Time // to the minute
	ExpiresAt  time.Time
	Current    bool
}

// mostSessions bounds the list of a user's sessions.
const mostSessions = 200

// Sessions lists a user's sessions that have not expired, newest first, at most
// 200. The one with the given secret, if any, is marked as the current one.
func (s *Store) Sessions(ctx context.Context, userID uuid.UUID, secret string) ([]Session, error) {
	var sessions []Session
	err := s.db.WithContext(ctx).Raw(`
		SELECT id, agent, created_at, last_used_at, expires_at, token_hash = ? AS current FROM sessions
		WHERE user_id = ? AND expires_at > relance_now() ORDER BY created_at DESC, id DESC LIMIT ?`,
		hashed(secret), userID, mostSessions).Scan(&sessions).Error
	if err != nil {
		return nil, fmt.Errorf("listing sessions: %w", err)
	}
	return sessions, nil
}

// EndSession ends one session of a user; [ErrNotFound] when the user has none
// with this id.
func (s *Store) EndSession(ctx context.Context, userID, id uuid.UUID) error {
	ended := s.db.WithContext(ctx).Exec(`DELETE FROM sessions WHERE user_id = ? AND id = ?`, userID, id)
	if ended.Error != nil {
		return fmt.Errorf("ending a session: %w", ended.Error)
	}
	if ended.RowsAffected == 0 {
		return fmt.Errorf("ending a session: %w", ErrNotFound)
	}
	return nil
}

// EndOtherSessions ends a user's sessions but the one with the given secret, and
// tells how many.
func (s *Store) EndOtherSessions(ctx context.Context, userID uuid.UUID, secret string) (int64, error) {
	ended := s.db.WithContext(ctx).Exec(`DELETE FROM sessions WHERE user_id = ? AND token_hash <> ?`, userID, hashed(secret))
	if ended.Error != nil {
		return 0, fmt.Errorf("ending sessions: %w", ended.Error)
	}
	return ended.RowsAffected, nil
}
