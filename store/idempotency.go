package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

const (
	// IdempotencyLifetime is how long an idempotency key is remembered.
	IdempotencyLifetime = 24 * time.Hour
	// IdempotencyHold is how long a run may hold a key without answering. It is
	// longer than any request may take, so whoever holds it longer is dead or
	// frozen, and the next to ask takes over.
	IdempotencyHold = 2 * time.Minute
)

var (
	// ErrKeyReused: the key was used for another request.
	ErrKeyReused = errors.New("idempotency key used for another request")
	// ErrKeyInFlight: a request with the key has not been answered yet.
	ErrKeyInFlight = errors.New("idempotency key in flight")
)

// StoredAnswer is what a request with an idempotency key was answered.
type StoredAnswer struct {
	Status                int
	ContentType, Location string
	Body                  []byte
}

// KeyClaim is the right to run a request that carries an idempotency key.
type KeyClaim struct {
	// MadeID is the id that what the request makes must get. A run that takes
	// over has the same, so it finds what the run before it made.
	MadeID uuid.UUID

	userID uuid.UUID
	hash   []byte
	holder uuid.UUID
}

// ClaimKey decides, in a transaction of its own, what to do about a request of a
// user with an idempotency key: run it, for which there is a claim; or answer it
// as before. [ErrKeyReused] and [ErrKeyInFlight] are the caller's to answer.
func (s *Store) ClaimKey(ctx context.Context, userID uuid.UUID, hash, fingerprint []byte) (*KeyClaim, *StoredAnswer, error) {
	claim := &KeyClaim{userID: userID, hash: hash, holder: uuid.New()}
	var stored *StoredAnswer
	err := s.transaction(ctx, "claiming an idempotency key", func(tx *gorm.DB) error {
		stored = nil
		if err := tx.Exec(`DELETE FROM idempotency_keys WHERE user_id = ? AND key_hash = ? AND created_at < relance_now() - make_interval(secs => ?)
			AND (held_until IS NULL OR held_until <= relance_now())`,
			userID, hash, IdempotencyLifetime.Seconds()).Error; err != nil {
			return err
		}
		// The row is locked even where the condition does not hold, so what is read
		// below is what was decided on here.
		err := value(tx, &claim.MadeID, `
			INSERT INTO idempotency_keys AS k (user_id, key_hash, fingerprint, holder, held_until)
			VALUES (@user, @hash, @fingerprint, @holder, relance_now() + make_interval(secs => @hold))
			ON CONFLICT (user_id, key_hash) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
			WHERE k.status IS NULL AND k.fingerprint = excluded.fingerprint
			  AND (k.held_until IS NULL OR k.held_until <= relance_now())
			RETURNING made_id`, map[string]any{
			"user": userID, "hash": hash, "fingerprint": fingerprint, "holder": claim.holder, "hold": IdempotencyHold.Seconds(),
		})
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		var row struct {
			StoredAnswer
			Same, Answered bool
		}
		if err := first(tx, &row, `SELECT fingerprint = ? AS same, status IS NOT NULL AS answered,
			coalesce(status, 0) AS status, content_type, location, body FROM idempotency_keys WHERE user_id = ? AND key_hash = ?`,
			fingerprint, userID, hash); err != nil {
			return err
		}
		switch {
		case !row.Same:
			return ErrKeyReused
		case !row.Answered:
			return ErrKeyInFlight
		}
		stored = &row.StoredAnswer
		return nil
	})
	if err != nil || stored != nil {
		return nil, stored, err
	}
	return claim, nil, nil
}

// AnswerKey stores what the request was answered. A run that was taken over from
// stores nothing: the answer is its successor's.
func (s *Store) AnswerKey(ctx context.Context, claim *KeyClaim, answer StoredAnswer) error {
	err := s.db.WithContext(ctx).Exec(`UPDATE idempotency_keys SET status = @status, content_type = @type, location = @location, body = @body,
		holder = NULL, held_until = NULL WHERE user_id = @user AND key_hash = @hash AND holder = @holder`, map[string]any{
		"status": answer.Status, "type": answer.ContentType, "location": answer.Location, "body": answer.Body,
		"user": claim.userID, "hash": claim.hash, "holder": claim.holder,
	}).Error
	if err != nil {
		return fmt.Errorf("storing the answer of an idempotency key: %w", err)
	}
	return nil
}

// ReleaseKey lets the next request with the key run. The key stays bound to its
// request and to the id of what that makes.
func (s *Store) ReleaseKey(ctx context.Context, claim *KeyClaim) error {
	err := s.db.WithContext(ctx).Exec(`UPDATE idempotency_keys SET holder = NULL, held_until = NULL WHERE user_id = ? AND key_hash = ? AND holder = ?`,
		claim.userID, claim.hash, claim.holder).Error
	if err != nil {
		return fmt.Errorf("releasing an idempotency key: %w", err)
	}
	return nil
}

type madeIDKey struct{}

// WithMadeID makes the campaign that is created in a context have an id that is
// known beforehand. Created again with the same id it is the campaign that there
// is already: a request that was run twice has launched one.
func WithMadeID(ctx context.Context, id uuid.UUID) context.Context {
	return context.WithValue(ctx, madeIDKey{}, id)
}

// madeID is the id of [WithMadeID], or else a new one.
func madeID(ctx context.Context) (uuid.UUID, error) {
	if id, ok := ctx.Value(madeIDKey{}).(uuid.UUID); ok {
		return id, nil
	}
	return uuid.NewV7()
}
