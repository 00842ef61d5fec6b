package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

var (
	// ErrDuplicateName: another category has the name, upper and lower case ignored.
	ErrDuplicateName = fmt.Errorf("category name in use: %w", ErrConflict)
	// ErrCategoryAwaited: a campaign that is about to start is meant for the category.
	ErrCategoryAwaited = fmt.Errorf("category of a scheduled campaign: %w", ErrConflict)
)

// Category is a named set of contacts.
type Category struct {
	ID           uuid.UUID
	Name         string
	ContactCount int64 // exact; the database keeps it
	CreatedAt    time.Time
}

// CreateCategory stores a new category. [ErrDuplicateName] is the caller's mistake.
func (s *Store) CreateCategory(ctx context.Context, name string) (Category, error) {
	var category Category
	err := s.transaction(ctx, "storing a category", func(tx *gorm.DB) error {
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		err = first(tx, &category, `INSERT INTO categories (id, name) VALUES (?, ?) ON CONFLICT (lower(name)) DO NOTHING RETURNING *`, id, name)
		if errors.Is(err, ErrNotFound) {
			return ErrDuplicateName
		}
		return err
	})
	return category, err
}

// RenameCategory gives a category another name.
func (s *Store) RenameCategory(ctx context.Context, id uuid.UUID, name string) (Category, error) {
	var category Category
	err := s.transaction(ctx, "renaming a category", func(tx *gorm.DB) error {
		err := first(tx, &category, `UPDATE categories SET name = ? WHERE id = ? RETURNING *`, name, id)
		if duplicate(err) {
			return ErrDuplicateName
		}
		return err
	})
	return category, err
}

// DeleteCategory forgets a category; its contacts stay. While a campaign that is
// about to start is meant for it, it stays too ([ErrCategoryAwaited]): otherwise
// the audience would shrink without a word.
func (s *Store) DeleteCategory(ctx context.Context, id uuid.UUID) error {
	return s.transaction(ctx, "deleting a category", func(tx *gorm.DB) error {
		var awaited bool
		if err := first(tx, &awaited, `SELECT EXISTS (SELECT FROM campaigns WHERE status = 'scheduled' AND ? = ANY (category_ids))`, id); err != nil {
			return err
		}
		if awaited {
			return ErrCategoryAwaited
		}
		// Members before the category: whoever deletes a contact takes the same way.
		if err := tx.Exec(`DELETE FROM contact_categories WHERE category_id = ?`, id).Error; err != nil {
			return err
		}
		deleted := tx.Exec(`DELETE FROM categories WHERE id = ?`, id)
		if deleted.Error == nil && deleted.RowsAffected == 0 {
			return ErrNotFound
		}
		return deleted.Error
	})
}

// Category reads one category; [ErrNotFound] when there is none.
func (s *Store) Category(ctx context.Context, id uuid.UUID) (Category, error) {
	var category Category
	if err := first(s.db.WithContext(ctx), &category, `SELECT * FROM categories WHERE id = ?`, id); err != nil {
		return category, fmt.Errorf("reading a category: %w", err)
	}
	return category, nil
}

// CategoryList is one page of categories in the order of their names.
type CategoryList struct {
	Categories []Category
	More       bool
	Total      int64
}

// Categories lists the categories whose names come after a name; "" is the beginning.
func (s *Store) Categories(ctx context.Context, after string, limit int) (CategoryList, error) {
	var list CategoryList
	db := s.db.WithContext(ctx)
	var rows []Category
	if err := db.Raw(`SELECT * FROM categories WHERE ? = '' OR lower(name) > lower(?) ORDER BY lower(name) LIMIT ?`,
		after, after, limit+1).Scan(&rows).Error; err != nil {
		return list, fmt.Errorf("listing categories: %w", err)
	}
	list.Categories, list.More = cut(rows, limit)
	// There are hundreds of categories at most: counting them is cheap.
	if err := db.Raw(`SELECT count(*) FROM categories`).Scan(&list.Total).Error; err != nil {
		return list, fmt.Errorf("counting categories: %w", err)
	}
	return list, nil
}

// AddToCategory puts contacts into a category. Who is in it already stays in it
// once; contacts that do not exist are a [MissingError], and then nobody is added.
func (s *Store) AddToCategory(ctx context.Context, id uuid.UUID, contactIDs []uuid.UUID) (Category, error) {
	var category Category
	err := s.transaction(ctx, "adding contacts to a category", func(tx *gorm.DB) error {
		// Contacts before categories, as everywhere.
		if err := holdContacts(tx, contactIDs); err != nil {
			return err
		}
		if err := first(tx, &category, `SELECT * FROM categories WHERE id = ? FOR KEY SHARE`, id); err != nil {
			return err
		}
		if err := tx.Exec(`INSERT INTO contact_categories (contact_id, category_id) SELECT unnest(?::uuid[]), ?::uuid
			ON CONFLICT DO NOTHING`, UUIDs(contactIDs), id).Error; err != nil {
			return err
		}
		return first(tx, &category, `SELECT * FROM categories WHERE id = ?`, id)
	})
	return category, err
}

// RemoveFromCategory takes contacts out of a category. Who is not in it is passed over.
func (s *Store) RemoveFromCategory(ctx context.Context, id uuid.UUID, contactIDs []uuid.UUID) (Category, error) {
	var category Category
	err := s.transaction(ctx, "removing contacts from a category", func(tx *gorm.DB) error {
		if err := tx.Exec(`DELETE FROM contact_categories WHERE category_id = ? AND contact_id = ANY (?::uuid[])`,
			id, UUIDs(contactIDs)).Error; err != nil {
			return err
		}
		return first(tx, &category, `SELECT * FROM categories WHERE id = ?`, id)
	})
	return category, err
}
