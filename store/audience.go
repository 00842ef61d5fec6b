package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// Audience is whom a campaign is meant for.
type Audience struct {
	CategoryIDs []uuid.UUID
	ContactIDs  []uuid.UUID
}

// Reach is whom a campaign would reach if its audience were frozen now.
type Reach struct {
	Contacts int64     // each counted once, without those who opted out
	At       time.Time // the database's clock
}

// Reach counts an audience exactly. Categories or contacts that do not exist
// are a [MissingError].
func (s *Store) Reach(ctx context.Context, audience Audience) (Reach, error) {
	var reach Reach
	err := s.transaction(ctx, "counting the audience", func(tx *gorm.DB) error {
		if err := audience.hold(tx); err != nil {
			return err
		}
		// The largest category's members are counted already, and there may be a
		// million: only who is in the rest of the audience and not among them is
		// counted here. Who opted out is taken off, because they are few and have an index.
		return first(tx, &reach, `
			WITH largest AS MATERIALIZED (
			    SELECT id, contact_count FROM categories WHERE id = ANY (CAST(@categories AS uuid[])) ORDER BY contact_count DESC LIMIT 1),
			rest AS MATERIALIZED (
			    SELECT contact_id FROM contact_categories
			    WHERE category_id = ANY (CAST(@categories AS uuid[])) AND category_id <> (SELECT id FROM largest)
			    UNION SELECT unnest(CAST(@contacts AS uuid[])))
			SELECT coalesce((SELECT contact_count FROM largest), 0)
			       + (SELECT count(*) FROM rest WHERE NOT EXISTS (
			              SELECT FROM contact_categories kc WHERE kc.contact_id = rest.contact_id AND kc.category_id = (SELECT id FROM largest)))
			       - (SELECT count(*) FROM contacts k WHERE k.opted_out_at IS NOT NULL AND (k.id = ANY (CAST(@contacts AS uuid[]))
			              OR EXISTS (SELECT FROM contact_categories kc WHERE kc.contact_id = k.id AND kc.category_id = ANY (CAST(@categories AS uuid[]))))) AS contacts,
			       relance_now() AS at`,
			map[string]any{"categories": UUIDs(audience.CategoryIDs), "contacts": UUIDs(audience.ContactIDs)})
	})
	return reach, err
}

// CheckAudience tells whether an audience's categories and contacts exist, a
// [MissingError] if not, and the database's time.
func (s *Store) CheckAudience(ctx context.Context, audience Audience) (at time.Time, err error) {
	err = s.transaction(ctx, "looking at the audience", func(tx *gorm.DB) error {
		if err := audience.hold(tx); err != nil {
			return err
		}
		at, err = now(tx)
		return err
	})
	return at, err
}

func (a Audience) hold(tx *gorm.DB) error {
	if err := holdCategories(tx, a.CategoryIDs); err != nil {
		return err
	}
	var absent []uuid.UUID
	if err := tx.Raw(`SELECT DISTINCT id FROM unnest(?::uuid[]) AS asked (id)
		WHERE NOT EXISTS (SELECT FROM contacts k WHERE k.id = asked.id) ORDER BY id`, UUIDs(a.ContactIDs)).Scan(&absent).Error; err != nil {
		return err
	}
	if len(absent) > 0 {
		return &MissingError{Kind: "contact", IDs: absent}
	}
	return nil
}
