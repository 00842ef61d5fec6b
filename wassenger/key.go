package wassenger

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// maxKey bounds an event's key, in bytes.
const maxKey = 200

// key identifies the fact that the event tells about the message with this id.
// The id alone does not: a message's id recurs in all events about it. What else
// tells facts apart is said by the caller.
func (d *delivery) key(id text, said ...string) string {
	if id == "" {
		return keyOfJSON(d.raw)
	}
	parts := append([]string{string(d.envelope.Event), string(firstText(d.envelope.Device.ID, d.Device.ID)), string(id)}, said...)
	key := strings.Join(parts, "|")
	if len(key) > maxKey {
		return hashed([]byte(key))
	}
	return key
}

// keyOfJSON identifies an event of which nothing better is known: a repetition
// brings the same JSON.
func keyOfJSON(raw []byte) string {
	var compact bytes.Buffer
	if json.Compact(&compact, raw) != nil {
		return hashed(raw)
	}
	return hashed(compact.Bytes())
}

func hashed(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}
