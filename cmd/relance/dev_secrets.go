package main

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// devSecrets are made once for a data directory, so that a development stack
// comes back with the same logins and the same simulated contacts.
type devSecrets struct {
	AdminPassword  string `json:"admin_password"`
	AdminToken     string `json:"admin_token"`
	WassengerToken string `json:"wassenger_token"`
	WebhookToken   string `json:"webhook_token"`
	WebhookSecret  string `json:"webhook_secret"`
	DeviceID       string `json:"device_id"`
	Seed           uint64 `json:"seed"`
}

func loadSecrets(data string) (devSecrets, error) {
	var s devSecrets
	if err := os.MkdirAll(data, 0o755); err != nil { //nolint:gosec // PostgreSQL's user must be able to pass through
		return s, fmt.Errorf("making the data directory: %w", err)
	}
	path := filepath.Join(data, "secrets.json")
	content, err := os.ReadFile(path) //nolint:gosec // the user's own choice
	if errors.Is(err, fs.ErrNotExist) {
		s = newSecrets()
		return s, s.save(path)
	}
	if err != nil {
		return s, fmt.Errorf("reading the development secrets: %w", err)
	}
	if err := json.Unmarshal(content, &s); err != nil {
		return s, fmt.Errorf("reading %s: %w", path, err)
	}
	return s, nil
}

// save writes beside and renames, so that a kill leaves either nothing or all.
func (s devSecrets) save(path string) error {
	content, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the development secrets: %w", err)
	}
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		return fmt.Errorf("writing the development secrets: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("writing the development secrets: %w", err)
	}
	return nil
}

func newSecrets() devSecrets {
	random := func(n int) string {
		b := make([]byte, n)
		_, _ = rand.Read(b) // never fails
		return hex.EncodeToString(b)
	}
	var seed [8]byte
	_, _ = rand.Read(seed[:])
	return devSecrets{
		AdminPassword: random(8), AdminToken: "rel_" + random(24), WassengerToken: random(24),
		WebhookToken: random(24), WebhookSecret: random(24), DeviceID: random(12),
		Seed: binary.LittleEndian.Uint64(seed[:]),
	}
}
