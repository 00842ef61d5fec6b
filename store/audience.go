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
		if err := holdCategories(tx, audience.CategoryIDs); err != nil {
			return err
		}
		var absent []uuid.UUID
		if err := tx.Raw(`SELECT DISTINCT id FROM unnest(?::uuid[]) AS asked (id)
			WHERE NOT EXISTS (SELECT FROM contacts k WHERE k.id = asked.id) ORDER BY id`, UUIDs(audience.ContactIDs)).Scan(&absent).Error; err != nil {
			return err
		}
		if len(absent) > 0 {
			return &MissingError{Kind: "contact", IDs: absent}
		}
		// UNION, not OR: the work is that of the audience, not of all contacts.
		return first(tx, &reach, `
			SELECT count(*) AS contacts, relance_now() AS at
			FROM (SELECT contact_id FROM contact_categories WHERE category_id = ANY (?::uuid[])
			      UNION SELECT unnest(?::uuid[])) audience
			JOIN contacts k ON k.id = audience.contact_id
			WHERE k.opted_out_at IS NULL`, UUIDs(audience.CategoryIDs), UUIDs(audience.ContactIDs))
	})
	return reach, err
}
