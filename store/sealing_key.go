package store

import (
	"context"
	"crypto/rand"
	"fmt"
)

// SealingKey is this database's key of 32 bytes for webhooks that have to be
// kept elsewhere while the database is away. It is made when first asked for.
func (s *Store) SealingKey(ctx context.Context) ([]byte, error) {
	fresh := make([]byte, 32)
	_, _ = rand.Read(fresh) // never fails
	if err := s.db.WithContext(ctx).Exec(`INSERT INTO sealing_keys (id, key) VALUES (1, ?) ON CONFLICT DO NOTHING`, fresh).Error; err != nil {
		return nil, fmt.Errorf("making the sealing key: %w", err)
	}
	var key []byte
	if err := value(s.db.WithContext(ctx), &key, `SELECT key FROM sealing_keys WHERE id = 1`); err != nil {
		return nil, fmt.Errorf("reading the sealing key: %w", err)
	}
	return key, nil
}
