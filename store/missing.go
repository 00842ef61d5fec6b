package store

import (
	"fmt"
	"strings"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// MissingError names rows that were referred to and do not exist.
type MissingError struct {
	Kind string // "category" or "contact"
	IDs  []uuid.UUID
}

func (e *MissingError) Error() string {
	ids := make([]string, len(e.IDs))
	for i, id := range e.IDs {
		ids[i] = id.String()
	}
	return fmt.Sprintf("no %s has the id %s", e.Kind, strings.Join(ids, ", "))
}

// holdCategories makes sure that categories exist and stay until the
// transaction ends.
func holdCategories(tx *gorm.DB, ids UUIDs) error {
	return hold(tx, "category", `SELECT id FROM categories WHERE id = ANY (?::uuid[]) ORDER BY id FOR KEY SHARE`, ids)
}

// holdContacts makes sure that contacts exist and stay until the transaction ends.
func holdContacts(tx *gorm.DB, ids UUIDs) error {
	return hold(tx, "contact", `SELECT id FROM contacts WHERE id = ANY (?::uuid[]) ORDER BY id FOR KEY SHARE`, ids)
}

func hold(tx *gorm.DB, kind, query string, ids UUIDs) error {
	if len(ids) == 0 {
		return nil
	}
	var found []uuid.UUID
	if err := tx.Raw(query, ids).Scan(&found).Error; err != nil {
		return err
	}
	return missing(kind, ids, found)
}

func missing(kind string, asked, found []uuid.UUID) error {
	exists := make(map[uuid.UUID]bool, len(asked))
	for _, id := range found {
		exists[id] = true
	}
	var absent []uuid.UUID
	for _, id := range asked {
		if !exists[id] {
			exists[id] = true // named once
			absent = append(absent, id)
		}
	}
	if len(absent) > 0 {
		return &MissingError{Kind: kind, IDs: absent}
	}
	return nil
}
