package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// Token is an API token, without its secret.
type Token struct {
	ID         uuid.UUID
	Name       string // what it is for
	CreatedAt  time.Time
	LastUsedAt *time.Time // to the minute
}

// CreateToken makes an API token of a user. Its secret is returned this once;
// the database keeps its hash.
func (s *Store) CreateToken(ctx context.Context, userID uuid.UUID, name string) (Token, string, error) {
	secret := newSecret("rel_")
	var token Token
	err := s.transaction(ctx, "storing an API token", func(tx *gorm.DB) error {
		var err error
		token, err = insertToken(tx, userID, name, secret)
		return err
	})
	return token, secret, err
}

func insertToken(tx *gorm.DB, userID uuid.UUID, name, secret string) (Token, error) {
	var token Token
	id, err := uuid.NewV7()
	if err != nil {
		return token, err
	}
	return token, first(tx, &token, `INSERT INTO api_tokens (id, user_id, name, token_hash) VALUES (?, ?, ?, ?)
		RETURNING id, name, created_at, last_used_at`, id, userID, name, hashed(secret))
}

// TokenList is one page of a user's tokens, newest first.
type TokenList struct {
	Tokens []Token
	Next   *Position // nil on the last page
}

// Tokens lists the API tokens of a user that have not been revoked.
func (s *Store) Tokens(ctx context.Context, userID uuid.UUID, page Page) (TokenList, error) {
	query := s.db.WithContext(ctx).Table("api_tokens").Select("id, name, created_at, last_used_at").
		Where("user_id = ? AND revoked_at IS NULL", userID).Order("created_at DESC, id DESC").Limit(page.Limit + 1)
	if page.After != nil {
		query = query.Where("(created_at, id) < (?, ?)", page.After.CreatedAt, page.After.ID)
	}
	var list TokenList
	var rows []Token
	if err := query.Scan(&rows).Error; err != nil {
		return list, fmt.Errorf("listing API tokens: %w", err)
	}
	var more bool
	if list.Tokens, more = cut(rows, page.Limit); more {
		last := list.Tokens[page.Limit-1]
		list.Next = &Position{CreatedAt: last.CreatedAt, ID: last.ID}
	}
	return list, nil
}

// RevokeToken makes an API token of a user worthless for good; [ErrNotFound]
// when the user has none with this id.
func (s *Store) RevokeToken(ctx context.Context, userID, id uuid.UUID) error {
	revoked := s.db.WithContext(ctx).Exec(`UPDATE api_tokens SET revoked_at = relance_now() WHERE user_id = ? AND id = ? AND revoked_at IS NULL`,
		userID, id)
	if revoked.Error != nil {
		return fmt.Errorf("revoking an API token: %w", revoked.Error)
	}
	if revoked.RowsAffected == 0 {
		return fmt.Errorf("revoking an API token: %w", ErrNotFound)
	}
	return nil
}
