package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// entry is one line of the journal: exactly one field is set.
type entry struct {
	Message *Message  `json:"message,omitempty"`
	Reply   *Reply    `json:"reply,omitempty"`
	Attempt *attempt  `json:"attempt,omitempty"`
	Hook    *hook     `json:"hook,omitempty"`   // new, or as it is from here on
	Unhook  string    `json:"unhook,omitempty"` // the id of one that was removed
	Raw     *rawEvent `json:"raw,omitempty"`
}

// attempt is the outcome of one delivery of a webhook.
type attempt struct {
	Webhook           // as it stood before the attempt, but for FirstAttemptAt
	At      time.Time `json:"at"` // when it ended
	Status  int       `json:"status"`
}

// rawEvent is a webhook whose body somebody else wrote.
type rawEvent struct {
	At    time.Time `json:"at"`
	ID    string    `json:"id"`
	Event string    `json:"event"`
	Body  []byte    `json:"body"`         // base64 in JSON, since it need not be JSON itself
	To    string    `json:"to,omitempty"` // the only webhook that gets it, by its id
}

// journal is the append-only file that outlives the process. A nil journal
// forgets.
type journal struct {
	file *os.File
	size int64 // of whole lines
}

// openJournal reads every entry of the file, creating it if there is none, and
// cuts off a last line that the process did not live to finish.
func openJournal(path string, read func(entry) error) (*journal, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	j := &journal{file: file}
	if err := j.load(read); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("reading the journal %s: %w", path, err)
	}
	return j, nil
}

func (j *journal) load(read func(entry) error) error {
	content, err := io.ReadAll(j.file)
	if err != nil {
		return err
	}
	for number := 1; len(content) > 0; number++ {
		line, rest, whole := bytes.Cut(content, []byte{'\n'})
		var e entry
		if err := json.Unmarshal(line, &e); !whole || (err != nil && len(rest) == 0) {
			return j.file.Truncate(j.size)
		} else if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		if err := read(e); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		j.size += int64(len(line)) + 1
		content = rest
	}
	return nil
}

func (j *journal) append(e entry) error {
	if j == nil {
		return nil
	}
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	line = append(line, '\n')
	if _, err := j.file.Write(line); err != nil {
		// Half a line would swallow the next one.
		return errors.Join(fmt.Errorf("writing the journal: %w", err), j.file.Truncate(j.size))
	}
	j.size += int64(len(line))
	return nil
}

func (j *journal) close() error {
	if j == nil {
		return nil
	}
	return j.file.Close()
}

// restore takes in one line of an earlier life.
func (s *Simulator) restore(e entry) error {
	switch {
	case e.Message != nil:
		r := s.newRecord(*e.Message)
		s.book.addMessage(r)
		s.schedule(r)
	case e.Reply != nil:
		s.book.addReply(e.Reply)
		s.scheduleReply(e.Reply)
	case e.Raw != nil:
		s.agenda.add(task{at: e.Raw.At, tell: s.rawNotice(*e.Raw)})
	case e.Hook != nil:
		s.putHook(e.Hook)
	case e.Unhook != "":
		s.removeHook(e.Unhook)
	case e.Attempt != nil:
		s.restoreAttempt(*e.Attempt)
	default:
		return errors.New("an entry of no known kind")
	}
	return nil
}

func (s *Simulator) restoreAttempt(a attempt) {
	d := s.deliveries[a.Key]
	if d == nil {
		d = &delivery{Webhook: a.Webhook}
		s.deliveries[a.Key] = d
		s.book.webhooks = append(s.book.webhooks, d)
	}
	d.settle(a.At, a.Status)
}
