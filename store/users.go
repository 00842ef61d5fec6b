package store

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"github.com/google/uuid"
	"gorm.io/gorm"
)

// Role says what a user may do. Both roles behave alike, except that only a
// super_admin manages users.
type Role string

// The roles.
const (
	Admin      Role = "admin"
	SuperAdmin Role = "super_admin"
)

// User is somebody who may use Relance.
type User struct {
	ID         uuid.UUID
	Email      string
	Role       Role
	DisabledAt *time.Time // since when nothing opens a door to this user
	CreatedAt  time.Time

	// passwordHash is what a password was compared with, for a login to hold only
	// while that is still the user's.
	passwordHash string
}

const userColumns = `u.id, u.email, u.role, u.disabled_at, u.created_at`

var (
	// ErrDuplicateEmail: another user has the address, upper and lower case ignored.
	ErrDuplicateEmail = fmt.Errorf("e-mail address in use: %w", ErrConflict)
	// ErrLastSuperAdmin: nobody would be left to manage users.
	ErrLastSuperAdmin = fmt.Errorf("last super_admin: %w", ErrConflict)
	// ErrWrongCredentials does not tell whether address or password was wrong.
	ErrWrongCredentials = errors.New("wrong e-mail address or password")
)

const (
	// MinPasswordLength and MaxPasswordLength bound passwords, in characters.
	MinPasswordLength = 8
	MaxPasswordLength = 200
)

// passwordCost follows OWASP's recommendation for argon2id: 19 MiB and two
// passes cost an attacker dearly, and a login some 30 ms.
func passwordCost() *argon2id.Params {
	return &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}
}

// nobodysHash has the cost above and matches no password. It is compared when
// there is no such user, so that the time taken does not tell.
const nobodysHash = "$argon2id$v=19$m=19456,t=2,p=1$cmVsYW5jZS1ub2JvZHkhIQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// CreateUser stores a new user. [ErrDuplicateEmail] is the caller's mistake.
func (s *Store) CreateUser(ctx context.Context, email, password string, role Role) (User, error) {
	email, hash, err := credentials(email, password)
	if err != nil {
		return User{}, err
	}
	var user User
	err = s.transaction(ctx, "storing a user", func(tx *gorm.DB) error {
		user, err = insertUser(tx, email, hash, role)
		return err
	})
	return user, err
}

func insertUser(tx *gorm.DB, email, hash string, role Role) (User, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return User{}, err
	}
	var user User
	err = first(tx, &user, `INSERT INTO users AS u (id, email, password_hash, role) VALUES (?, ?, ?, ?)
		ON CONFLICT (lower(email)) DO NOTHING RETURNING `+userColumns, id, email, hash, role)
	if errors.Is(err, ErrNotFound) {
		return User{}, ErrDuplicateEmail
	}
	return user, err
}

// credentials checks what a new user is to log in with, and hashes the password.
func credentials(email, password string) (address, hash string, err error) {
	email = strings.TrimSpace(email)
	if err := CheckEmail(email); err != nil {
		return "", "", err
	}
	if err := CheckPassword(password); err != nil {
		return "", "", err
	}
	hash, err = hashPassword(password)
	return email, hash, err
}

// CheckEmail says why a user cannot have an address.
func CheckEmail(email string) error {
	if parsed, err := mail.ParseAddress(email); err != nil || parsed.Address != email || len(email) > 320 {
		return errors.New("must be an e-mail address such as name@example.com")
	}
	return nil
}

// CheckPassword says why a user cannot have a password.
func CheckPassword(password string) error {
	if n := utf8.RuneCountInString(password); n < MinPasswordLength || n > MaxPasswordLength {
		return fmt.Errorf("must have %d to %d characters, has %d", MinPasswordLength, MaxPasswordLength, n)
	}
	return nil
}

func hashPassword(password string) (string, error) {
	hash, err := argon2id.CreateHash(password, passwordCost())
	if err != nil {
		return "", fmt.Errorf("hashing a password: %w", err)
	}
	return hash, nil
}

// Bootstrap makes the first super_admin, and an API token for it if one is
// given. Where there are users already it does nothing and reports false, so
// every process may call it when it starts.
func (s *Store) Bootstrap(ctx context.Context, email, password, token string) (created bool, err error) {
	var exists bool
	if err := first(s.db.WithContext(ctx), &exists, `SELECT EXISTS (SELECT FROM users)`); err != nil {
		return false, fmt.Errorf("looking for users: %w", err)
	}
	if exists {
		return false, nil
	}
	email, hash, err := credentials(email, password)
	if err != nil {
		return false, fmt.Errorf("making the first user: %w", err)
	}
	if token != "" && len(token) < minTokenLength {
		return false, fmt.Errorf("making the first user: its API token must have at least %d characters", minTokenLength)
	}
	err = s.transaction(ctx, "making the first user", func(tx *gorm.DB) error {
		created = false
		// Of processes that start together one makes the user, the others see it.
		if err := tx.Exec(`LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE`).Error; err != nil {
			return err
		}
		if err := first(tx, &exists, `SELECT EXISTS (SELECT FROM users)`); err != nil || exists {
			return err
		}
		user, err := insertUser(tx, email, hash, SuperAdmin)
		if err != nil {
			return err
		}
		created = true
		if token == "" {
			return nil
		}
		_, err = insertToken(tx, user.ID, "ADMIN_TOKEN", token)
		return err
	})
	return created, err
}

// UserByPassword finds who logs in; [ErrWrongCredentials] for anybody else, with
// nothing but the id of the user who has the address, if there is one. It takes
// 19 MiB and the same time whether or not the address is known.
func (s *Store) UserByPassword(ctx context.Context, email, password string) (User, error) {
	var row struct {
		User
		PasswordHash string
	}
	err := first(s.db.WithContext(ctx), &row, `SELECT `+userColumns+`, u.password_hash FROM users u
		WHERE lower(u.email) = lower(?) AND u.disabled_at IS NULL`, strings.TrimSpace(email))
	known := err == nil
	if errors.Is(err, ErrNotFound) {
		row.PasswordHash, err = nobodysHash, nil
	}
	if err != nil {
		return User{}, fmt.Errorf("looking for a user: %w", err)
	}
	match, err := argon2id.ComparePasswordAndHash(password, row.PasswordHash)
	if err != nil {
		return User{}, fmt.Errorf("comparing a password: %w", err)
	}
	if !match || !known {
		return User{ID: row.ID}, ErrWrongCredentials
	}
	row.User.passwordHash = row.PasswordHash
	return row.User, nil
}
