package store

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// ErrDuplicatePhone: another contact has the phone number.
var ErrDuplicatePhone = fmt.Errorf("phone number in use: %w", ErrConflict)

// Attributes are what is known of a contact beside name and phone; message
// texts may show them.
type Attributes map[string]string

// Value is the attributes as JSON; nil is the empty object.
func (a Attributes) Value() (driver.Value, error) {
	if a == nil {
		return "{}", nil
	}
	encoded, err := json.Marshal(a)
	return string(encoded), err
}

// Scan reads a jsonb object. Values that are no strings are shown as texts show them.
func (a *Attributes) Scan(value any) error {
	switch v := value.(type) {
	case string:
		*a = textVariables([]byte(v))
	case []byte:
		*a = textVariables(v)
	default:
		return fmt.Errorf("attributes cannot be read from %T", value)
	}
	return nil
}

// ContactData is what callers may say about a contact.
type ContactData struct {
	Phone       string // E.164
	Name        string
	Attributes  Attributes
	CategoryIDs UUIDs
}

// Contact is a person who may be messaged.
type Contact struct {
	ID          uuid.UUID
	Phone       string
	Name        string
	Attributes  Attributes
	CategoryIDs UUIDs
	OptedOutAt  *time.Time
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

const contactColumns = `k.id, k.phone, k.name, k.attributes, k.opted_out_at, k.created_at, k.updated_at,
	ARRAY(SELECT kc.category_id FROM contact_categories kc WHERE kc.contact_id = k.id ORDER BY kc.category_id) AS category_ids`

// CreateContact stores a new contact. [ErrDuplicatePhone] and [MissingError] for
// categories are the caller's mistakes.
func (s *Store) CreateContact(ctx context.Context, data ContactData) (Contact, error) {
	var contact Contact
	err := s.transaction(ctx, "storing a contact", func(tx *gorm.DB) error {
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		inserted := tx.Exec(`INSERT INTO contacts (id, phone, name, attributes) VALUES (?, ?, ?, ?)
			ON CONFLICT (phone) DO NOTHING`, id, data.Phone, data.Name, data.Attributes)
		if inserted.Error != nil {
			return inserted.Error
		}
		if inserted.RowsAffected == 0 {
			return ErrDuplicatePhone
		}
		if err := linkCategories(tx, id, data.CategoryIDs); err != nil {
			return err
		}
		contact, err = readContact(tx, id)
		return err
	})
	return contact, err
}

// UpdateContact replaces what is known about a contact, categories included.
// Whether the contact opted out stays as it is.
func (s *Store) UpdateContact(ctx context.Context, id uuid.UUID, data ContactData) (Contact, error) {
	var contact Contact
	err := s.transaction(ctx, "changing a contact", func(tx *gorm.DB) error {
		updated := tx.Exec(`UPDATE contacts SET phone = ?, name = ?, attributes = ?, updated_at = relance_now() WHERE id = ?`,
			data.Phone, data.Name, data.Attributes, id)
		if duplicate(updated.Error) {
			return ErrDuplicatePhone
		}
		if updated.Error != nil {
			return updated.Error
		}
		if updated.RowsAffected == 0 {
			return ErrNotFound
		}
		if err := tx.Exec(`DELETE FROM contact_categories WHERE contact_id = ? AND category_id <> ALL (?::uuid[])`,
			id, data.CategoryIDs).Error; err != nil {
			return err
		}
		if err := linkCategories(tx, id, data.CategoryIDs); err != nil {
			return err
		}
		var err error
		contact, err = readContact(tx, id)
		return err
	})
	return contact, err
}

func linkCategories(tx *gorm.DB, contactID uuid.UUID, ids UUIDs) error {
	if len(ids) == 0 {
		return nil
	}
	if err := holdCategories(tx, ids); err != nil {
		return err
	}
	return tx.Exec(`INSERT INTO contact_categories (contact_id, category_id) SELECT ?::uuid, unnest(?::uuid[]) ON CONFLICT DO NOTHING`,
		contactID, ids).Error
}

// DeleteContact forgets a contact. What campaigns have sent stays on record.
func (s *Store) DeleteContact(ctx context.Context, id uuid.UUID) error {
	return s.transaction(ctx, "deleting a contact", func(tx *gorm.DB) error {
		deleted := tx.Exec(`DELETE FROM contacts WHERE id = ?`, id)
		if deleted.Error == nil && deleted.RowsAffected == 0 {
			return ErrNotFound
		}
		return deleted.Error
	})
}

// Contact reads one contact; [ErrNotFound] when there is none.
func (s *Store) Contact(ctx context.Context, id uuid.UUID) (Contact, error) {
	contact, err := readContact(s.db.WithContext(ctx), id)
	if err != nil {
		return contact, fmt.Errorf("reading a contact: %w", err)
	}
	return contact, nil
}

func readContact(tx *gorm.DB, id uuid.UUID) (Contact, error) {
	var contact Contact
	err := first(tx, &contact, `SELECT `+contactColumns+` FROM contacts k WHERE k.id = ?`, id)
	return contact, err
}

// ContactFilter narrows a list of contacts; the zero value takes all.
type ContactFilter struct {
	// Query is a part of a name, or of a phone number written anyhow. Fewer than
	// three letters are looked for at the beginning of words.
	Query      string
	CategoryID uuid.UUID
	OptedOut   *bool
}

// ContactList is one page of contacts, newest first.
type ContactList struct {
	Contacts []Contact
	Next     *Position // nil on the last page
	Total    *int64    // nil where counting would cost more than the page itself
}

// Contacts lists contacts. It costs the same among a thousand and among a million.
func (s *Store) Contacts(ctx context.Context, filter ContactFilter, page Page) (ContactList, error) {
	query, values := filter.list(page)
	var rows []Contact
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		// A plan for just any text to search for would read a million contacts in
		// the order of the list for one that is rare.
		if filter.Query != "" {
			if err := tx.Exec(`SET LOCAL plan_cache_mode = force_custom_plan`).Error; err != nil {
				return err
			}
		}
		return tx.Raw(query, values).Scan(&rows).Error
	})
	if err != nil {
		return ContactList{}, fmt.Errorf("listing contacts: %w", err)
	}
	var list ContactList
	var more bool
	if list.Contacts, more = cut(rows, page.Limit); more {
		last := list.Contacts[page.Limit-1]
		list.Next = &Position{CreatedAt: last.CreatedAt, ID: last.ID}
	}
	list.Total, err = s.contactTotal(ctx, filter, page, list)
	return list, err
}

// list is the query for a page, and its values.
func (f ContactFilter) list(page Page) (string, map[string]any) {
	order, after := `k.created_at DESC, k.id DESC`, `(k.created_at, k.id) < (@created_at, @id)`
	if f.CategoryID != uuid.Nil {
		// Ids begin with the time: their order is that of creation, and the one in
		// which an index holds a category's contacts.
		order, after = `kc.contact_id DESC`, `kc.contact_id < @id`
	}
	from, where, values := f.conditions()
	if page.After != nil {
		where = append(where, after)
		values["created_at"], values["id"] = page.After.CreatedAt, page.After.ID
	}
	values["limit"] = page.Limit + 1
	return `SELECT ` + contactColumns + ` FROM ` + from + ` WHERE ` + strings.Join(where, " AND ") + ` ORDER BY ` + order + ` LIMIT @limit`, values
}

// contactTotal knows a total without counting: of a list that is one page, and
// of a whole category.
func (s *Store) contactTotal(ctx context.Context, filter ContactFilter, page Page, list ContactList) (*int64, error) {
	if page.After == nil && list.Next == nil {
		total := int64(len(list.Contacts))
		return &total, nil
	}
	if filter.CategoryID == uuid.Nil || filter.Query != "" || filter.OptedOut != nil {
		return nil, nil
	}
	var total *int64
	err := first(s.db.WithContext(ctx), &total, `SELECT contact_count FROM categories WHERE id = ?`, filter.CategoryID)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("reading a category's size: %w", err)
	}
	return total, nil
}

// AttributeNames lists the names of all attributes that contacts have, in
// alphabetical order.
func (s *Store) AttributeNames(ctx context.Context, filter ContactFilter) ([]string, error) {
	from, where, values := filter.conditions()
	var named []any // gorm takes no names that the statement does not have
	if len(values) > 0 {
		named = append(named, values)
	}
	var names []string
	if err := s.db.WithContext(ctx).Raw(`SELECT DISTINCT a.key FROM `+from+`, jsonb_object_keys(k.attributes) AS a (key)
		WHERE `+strings.Join(where, " AND ")+` ORDER BY a.key`, named...).Scan(&names).Error; err != nil {
		return nil, fmt.Errorf("listing the names of attributes: %w", err)
	}
	return names, nil
}

// conditions narrow contacts k to those of the filter.
func (f ContactFilter) conditions() (from string, where []string, values map[string]any) {
	from, where, values = `contacts k`, []string{"true"}, map[string]any{}
	if f.CategoryID != uuid.Nil {
		from, where = `contact_categories kc JOIN contacts k ON k.id = kc.contact_id`, append(where, `kc.category_id = @category`)
		values["category"] = f.CategoryID
	}
	if f.OptedOut != nil {
		where = append(where, map[bool]string{true: `k.opted_out_at IS NOT NULL`, false: `k.opted_out_at IS NULL`}[*f.OptedOut])
	}
	if f.Query != "" {
		match := `k.name ILIKE @name`
		values["name"] = "%" + escapeLike(f.Query) + "%"
		if utf8.RuneCountInString(f.Query) < indexedPart && strings.IndexFunc(f.Query, isWordless) < 0 {
			match = `(k.name ILIKE @name OR k.name ILIKE @word)`
			values["name"], values["word"] = escapeLike(f.Query)+"%", "% "+escapeLike(f.Query)+"%"
		}
		if digits := phoneFragment(f.Query); digits != "" {
			match = `(` + match + ` OR k.phone LIKE @digits)`
			values["digits"] = "%" + digits + "%"
		}
		where = append(where, match)
	}
	return from, where, values
}

// isWordless: an index of the parts of words knows nothing of it.
func isWordless(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }

// indexedPart is the length from which an index finds a text anywhere in a name.
// It finds shorter ones at the beginning of words.
const indexedPart = 3

func escapeLike(text string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)
}

// phoneFragment returns the digits of what may be a part of a phone number,
// without the zeros that E.164 does not have; "" when it cannot be one.
func phoneFragment(query string) string {
	digits := strings.NewReplacer(" ", "", "\u00a0", "", "-", "", ".", "", "/", "", "(", "", ")", "", "+", "").Replace(query)
	if strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	return strings.TrimLeft(digits, "0")
}
