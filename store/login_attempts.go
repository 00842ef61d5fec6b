package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"gorm.io/gorm"
)

// ThrottledError says that passwords have been tried too often, and how long
// further tries are refused, whatever the password.
type ThrottledError struct{ Wait time.Duration }

func (t *ThrottledError) Error() string {
	return fmt.Sprintf("too many failed logins; the next may be tried in %s", t.Wait)
}

// loginRule is how many failures are free, and the wait after the next one,
// which doubles with each further one up to the longest.
type loginRule struct {
	free           int
	first, longest time.Duration
}

// wait is how long nothing may be tried after the last of so many failures.
func (r loginRule) wait(failures int) time.Duration {
	if failures < r.free {
		return 0
	}
	doublings := min(failures-r.free, 16)
	return min(r.first<<doublings, r.longest)
}

// loginMemory is how long failures count after the newest of them. It is longer
// than the longest wait, so that waiting alone does not start anew.
const loginMemory = time.Hour

// pairRule is for one address tried from one place: after 5 failures 30 seconds,
// a minute, and so on to a quarter of an hour. Only somebody at the same place
// can so keep the owner of an address out.
func pairRule() loginRule {
	return loginRule{free: 5, first: 30 * time.Second, longest: 15 * time.Minute}
}

// placeRule is for one place whatever the addresses: it stops who tries one
// password on many. It is mild, because behind a proxy all users have one place.
func placeRule() loginRule {
	return loginRule{free: 100, first: time.Second, longest: time.Minute}
}

// Place is what all addresses that one caller may come from have in common:
// whoever has one IPv6 address has 2^64 of them.
func Place(from netip.Addr) netip.Addr {
	from = from.Unmap()
	if from.Is6() {
		from = netip.PrefixFrom(from.WithZone(""), 64).Masked().Addr()
	}
	return from
}

// loginSubjects are what failures are counted by, hashed: where from, and the
// address tried from there.
func loginSubjects(email string, from netip.Addr) (place, pair []byte) {
	from = Place(from)
	at := sha256.Sum256([]byte("place\x00" + from.String()))
	both := sha256.Sum256([]byte("pair\x00" + from.String() + "\x00" + strings.ToLower(strings.TrimSpace(email))))
	return at[:], both[:]
}

// AttemptLogin must be called before a password is compared: the attempt counts
// as failed until [Store.LoginSucceeded], so that attempts made at once count
// too. [ThrottledError] means that it must not be compared. Whether the address
// is anybody's makes no difference.
func (s *Store) AttemptLogin(ctx context.Context, email string, from netip.Addr) error {
	place, pair := loginSubjects(email, from)
	return s.transaction(ctx, "counting a login", func(tx *gorm.DB) error {
		// Every attempt locks the place first, so none waits for another in a circle.
		if err := countLogin(tx, place, placeRule()); err != nil {
			return err
		}
		return countLogin(tx, pair, pairRule())
	})
}

func countLogin(tx *gorm.DB, subject []byte, rule loginRule) error {
	var row struct {
		Failures int
		FailedAt time.Time
	}
	// The update changes nothing; it locks the row and reads it in one statement.
	err := first(tx, &row, `INSERT INTO login_attempts AS t (failures, failed_at, subject) VALUES (0, relance_now(), ?)
		ON CONFLICT (subject) DO UPDATE SET failures = t.failures RETURNING failures, failed_at`, subject)
	if err != nil {
		return err
	}
	at, err := now(tx)
	if err != nil {
		return err
	}
	if at.Sub(row.FailedAt) > loginMemory {
		row.Failures = 0
	}
	if left := rule.wait(row.Failures) - at.Sub(row.FailedAt); left > 0 {
		return &ThrottledError{Wait: left}
	}
	return tx.Exec(`UPDATE login_attempts SET failures = ?, failed_at = ? WHERE subject = ?`, row.Failures+1, at, subject).Error
}

// LoginSucceeded takes an attempt back: the address is tried anew from there,
// and the place has one failure less.
func (s *Store) LoginSucceeded(ctx context.Context, email string, from netip.Addr) error {
	place, pair := loginSubjects(email, from)
	return s.transaction(ctx, "forgetting failed logins", func(tx *gorm.DB) error {
		if err := tx.Exec(`UPDATE login_attempts SET failures = greatest(failures - 1, 0) WHERE subject = ?`, place).Error; err != nil {
			return err
		}
		return tx.Exec(`DELETE FROM login_attempts WHERE subject = ?`, pair).Error
	})
}

// PasswordRefused records in the audit log that a password was wrong. user is
// whose it should have been, if anybody's.
func (s *Store) PasswordRefused(ctx context.Context, user User, action string) error {
	if err := insertAudit(s.db.WithContext(ctx), user.ID, action, AuditRefused); err != nil {
		return fmt.Errorf("recording a wrong password: %w", err)
	}
	return nil
}
