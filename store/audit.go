package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// AuditLifetime is how long the audit log remembers.
const AuditLifetime = 400 * 24 * time.Hour

// AuditOutcome is what became of an audited action.
type AuditOutcome string

// The outcomes. AuditBegun stays where nobody can tell: the process died, or
// the answer was an error after which the change may or may not have been made.
const (
	AuditBegun   AuditOutcome = "begun"
	AuditDone    AuditOutcome = "done"
	AuditRefused AuditOutcome = "refused"
)

// The actions of those who show a password.
const (
	ActionLogin          = "post-auth-login"    // the store records it itself
	ActionChangePassword = "post-auth-password" //nolint:gosec // the name of an operation
)

// AuditEntry is one row of the audit log. Details hold no phone number, no name
// of a person, no text and no secret.
type AuditEntry struct {
	ID        int64
	At        time.Time
	UserID    *uuid.UUID
	UserEmail *string // as it is now
	Action    string
	SubjectID *uuid.UUID
	Outcome   AuditOutcome
	Details   json.RawMessage
}

// BeginAudit records that a user is about to do something. It is committed
// before the change is tried, so that none can be made without a trace.
func (s *Store) BeginAudit(ctx context.Context, userID uuid.UUID, action string) (id int64, err error) {
	if err := value(s.db.WithContext(ctx), &id, `INSERT INTO audit_log (user_id, action, outcome) VALUES (?, ?, 'begun') RETURNING id`,
		nullable(userID), action); err != nil {
		return 0, fmt.Errorf("writing the audit log: %w", err)
	}
	return id, nil
}

// FinishAudit records that what was begun has been done, and to what.
func (s *Store) FinishAudit(ctx context.Context, id int64, subject uuid.UUID, details map[string]any) error {
	encoded, err := auditDetails(details)
	if err != nil {
		return err
	}
	if err := s.db.WithContext(ctx).Exec(`UPDATE audit_log SET outcome = 'done', subject_id = ?, details = CAST(? AS jsonb) WHERE id = ?`,
		nullable(subject), encoded, id).Error; err != nil {
		return fmt.Errorf("writing the audit log: %w", err)
	}
	return nil
}

// ForgetAudit takes back what was begun and surely changed nothing.
func (s *Store) ForgetAudit(ctx context.Context, id int64) error {
	if err := s.db.WithContext(ctx).Exec(`DELETE FROM audit_log WHERE id = ? AND outcome = 'begun'`, id).Error; err != nil {
		return fmt.Errorf("writing the audit log: %w", err)
	}
	return nil
}

// insertAudit writes a row in the transaction of what it is about.
func insertAudit(tx *gorm.DB, userID uuid.UUID, action string, outcome AuditOutcome) error {
	return tx.Exec(`INSERT INTO audit_log (user_id, action, outcome) VALUES (?, ?, ?)`, nullable(userID), action, outcome).Error
}

func auditDetails(details map[string]any) (string, error) {
	if len(details) == 0 {
		return "{}", nil
	}
	encoded, err := json.Marshal(details)
	if err != nil {
		return "", fmt.Errorf("writing the details of an audited action: %w", err)
	}
	return string(encoded), nil
}

// AuditFilter narrows the audit log; zero fields do not.
type AuditFilter struct {
	UserID    uuid.UUID
	Action    string
	SubjectID uuid.UUID
}

// AuditPage is one page of the audit log.
type AuditPage struct {
	Entries []AuditEntry
	More    bool
}

// Audit lists the audit log from the newest entry to the oldest, from before an
// entry on; 0 is the beginning.
func (s *Store) Audit(ctx context.Context, filter AuditFilter, before int64, limit int) (AuditPage, error) {
	query := s.db.WithContext(ctx).Table("audit_log a").
		Select("a.id, a.at, a.user_id, u.email AS user_email, a.action, a.subject_id, a.outcome, a.details").
		Joins("LEFT JOIN users u ON u.id = a.user_id").Order("a.id DESC").Limit(limit + 1)
	if before > 0 {
		query = query.Where("a.id < ?", before)
	}
	if filter.UserID != uuid.Nil {
		query = query.Where("a.user_id = ?", filter.UserID)
	}
	if filter.Action != "" {
		query = query.Where("a.action = ?", filter.Action)
	}
	if filter.SubjectID != uuid.Nil {
		query = query.Where("a.subject_id = ?", filter.SubjectID)
	}
	var page AuditPage
	var rows []AuditEntry
	if err := query.Scan(&rows).Error; err != nil {
		return page, fmt.Errorf("reading the audit log: %w", err)
	}
	page.Entries, page.More = cut(rows, limit)
	return page, nil
}
