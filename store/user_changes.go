package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// UserByEmail finds a user for the command line; [ErrNotFound] when there is none.
func (s *Store) UserByEmail(ctx context.Context, email string) (User, error) {
	var user User
	if err := first(s.db.WithContext(ctx), &user, `SELECT `+userColumns+` FROM users u WHERE lower(u.email) = lower(?)`,
		strings.TrimSpace(email)); err != nil {
		return user, fmt.Errorf("looking for a user: %w", err)
	}
	return user, nil
}

// UserList is one page of users, newest first.
type UserList struct {
	Users []User
	Next  *Position // nil on the last page
	Total int64
}

// Users lists users, the disabled among them.
func (s *Store) Users(ctx context.Context, page Page) (UserList, error) {
	var list UserList
	db := s.db.WithContext(ctx)
	if err := value(db, &list.Total, `SELECT count(*) FROM users`); err != nil {
		return list, fmt.Errorf("counting users: %w", err)
	}
	query := db.Table("users u").Select(userColumns).Order("u.created_at DESC, u.id DESC").Limit(page.Limit + 1)
	if page.After != nil {
		query = query.Where("(u.created_at, u.id) < (?, ?)", page.After.CreatedAt, page.After.ID)
	}
	var rows []User
	if err := query.Scan(&rows).Error; err != nil {
		return list, fmt.Errorf("listing users: %w", err)
	}
	var more bool
	if list.Users, more = cut(rows, page.Limit); more {
		last := list.Users[page.Limit-1]
		list.Next = &Position{CreatedAt: last.CreatedAt, ID: last.ID}
	}
	return list, nil
}

// UserChange says what is to be changed about a user; nil leaves it as it is.
type UserChange struct {
	Role     *Role
	Disabled *bool
	Password *string
}

// ChangeUser changes a user, all or nothing. Disabling one and setting a
// password end the user's sessions; a disabled user's API tokens open nothing,
// until the user is enabled again. [ErrLastSuperAdmin] when nobody would be left
// who manages users.
func (s *Store) ChangeUser(ctx context.Context, id uuid.UUID, change UserChange) (User, error) {
	hash := "" // made before anything is locked: it takes long
	if change.Password != nil {
		if err := CheckPassword(*change.Password); err != nil {
			return User{}, err
		}
		var err error
		if hash, err = hashPassword(*change.Password); err != nil {
			return User{}, err
		}
	}
	var user User
	err := s.transaction(ctx, "changing a user", func(tx *gorm.DB) error {
		managers, err := lockManagers(tx)
		if err != nil {
			return err
		}
		user = User{}
		if err := first(tx, &user, `SELECT `+userColumns+` FROM users u WHERE u.id = ? FOR NO KEY UPDATE`, id); err != nil {
			return err
		}
		before := user
		at, err := now(tx)
		if err != nil {
			return err
		}
		change.apply(&user, at)
		if before.manages() && !user.manages() && managers == 1 {
			return ErrLastSuperAdmin
		}
		if err := tx.Exec(`UPDATE users SET role = ?, disabled_at = ?, password_hash = coalesce(nullif(?, ''), password_hash) WHERE id = ?`,
			user.Role, user.DisabledAt, hash, id).Error; err != nil {
			return err
		}
		if user.DisabledAt == nil && hash == "" {
			return nil
		}
		return tx.Exec(`DELETE FROM sessions WHERE user_id = ?`, id).Error
	})
	return user, err
}

// manages tells whether this is one of the users who manage users.
func (u User) manages() bool { return u.Role == SuperAdmin && u.DisabledAt == nil }

// lockManagers counts the users who manage users and keeps that number from
// changing until the transaction ends: two who demote each other wait here.
func lockManagers(tx *gorm.DB) (int, error) {
	var managers []uuid.UUID
	err := tx.Raw(`SELECT id FROM users WHERE role = 'super_admin' AND disabled_at IS NULL ORDER BY id FOR NO KEY UPDATE`).Scan(&managers).Error
	return len(managers), err
}

func (c UserChange) apply(user *User, at time.Time) {
	if c.Role != nil {
		user.Role = *c.Role
	}
	switch {
	case c.Disabled == nil:
	case !*c.Disabled:
		user.DisabledAt = nil
	case user.DisabledAt == nil:
		user.DisabledAt = &at
	}
}

// ChangePassword sets a user's own new password and ends all sessions of the
// user. Who was logged in by one goes on with a new one, whose secret is
// returned; renew is false for who was not.
func (s *Store) ChangePassword(ctx context.Context, id uuid.UUID, password, agent string, renew bool) (secret string, expiresAt time.Time, err error) {
	if err := CheckPassword(password); err != nil {
		return "", expiresAt, err
	}
	hash, err := hashPassword(password)
	if err != nil {
		return "", expiresAt, err
	}
	err = s.transaction(ctx, "changing a password", func(tx *gorm.DB) error {
		if err := first(tx, &struct{ ID uuid.UUID }{}, `UPDATE users SET password_hash = ? WHERE id = ? AND disabled_at IS NULL RETURNING id`,
			hash, id); err != nil {
			return err
		}
		if err := tx.Exec(`DELETE FROM sessions WHERE user_id = ?`, id).Error; err != nil || !renew {
			return err
		}
		secret, expiresAt, err = insertSession(tx, id, agent)
		return err
	})
	return secret, expiresAt, err
}
