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
		if len(audience.CategoryIDs) == 1 && len(audience.ContactIDs) == 0 {
			// Its members are counted already: there may be a million.
			return first(tx, &reach, `
				SELECT c.contact_count - (SELECT count(*) FROM contacts k JOIN contact_categories kc ON kc.contact_id = k.id AND kc.category_id = c.id
				                          WHERE k.opted_out_at IS NOT NULL) AS contacts,
				       relance_now() AS at FROM categories c WHERE c.id = ?`, audience.CategoryIDs[0])
		}
		// UNION, not OR: the work is that of the audience, not of all contacts. And
		// who opted out is taken off, because they are few and have an index.
		return first(tx, &reach, `
			WITH audience AS MATERIALIZED (
			    SELECT contact_id FROM contact_categories WHERE category_id = ANY (?::uuid[])
			    UNION SELECT unnest(?::uuid[]))
			SELECT (SELECT count(*) FROM audience)
			       - (SELECT count(*) FROM contacts k WHERE k.opted_out_at IS NOT NULL AND k.id IN (SELECT contact_id FROM audience)) AS contacts,
			       relance_now() AS at`, UUIDs(audience.CategoryIDs), UUIDs(audience.ContactIDs))
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
