package simulator

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// filter is the query of GET /v1/messages, as far as it is played.
type filter struct {
	references, ids, waIDs      []string
	device, phone               string
	createdAfter, createdBefore time.Time
	oldestFirst                 bool
	size, page                  int
	seed                        uint64
	faults                      Faults
	now                         time.Time
}

const (
	defaultPageSize = 20
	maxPageSize     = 100
)

// getMessages lists accepted messages, newest first, once they are listed.
func (s *Simulator) getMessages(w http.ResponseWriter, r *http.Request) {
	fault, faults := s.faults.ofLookUp()
	if fault == LookUpFailure {
		reject(w, unavailable())
		return
	}
	f, p := parseFilter(r.URL.Query())
	if p != nil {
		reject(w, p)
		return
	}
	f.seed, f.faults, f.now = s.cfg.Seed, faults, now()
	respond(w, http.StatusOK, s.list(f))
}

// getMessage answers with one message. It does not lag.
func (s *Simulator) getMessage(w http.ResponseWriter, r *http.Request) {
	if fault, _ := s.faults.ofLookUp(); fault == LookUpFailure {
		reject(w, unavailable())
		return
	}
	s.mu.Lock()
	found := s.book.byID[r.PathValue("id")]
	var o outbound
	if found != nil {
		o = s.outboundNow(found)
	}
	s.mu.Unlock()
	if found == nil {
		reject(w, &problem{Status: http.StatusNotFound, Message: "The message does not exist", ErrorCode: "message:notfound"})
		return
	}
	respond(w, http.StatusOK, o)
}

func unavailable() *problem {
	return &problem{Status: http.StatusServiceUnavailable, Message: "Service unavailable, try again later"}
}

func (s *Simulator) list(f filter) []outbound {
	s.mu.Lock()
	defer s.mu.Unlock()
	listed := []outbound{}
	if f.device != "" && f.device != s.cfg.DeviceID {
		return listed
	}
	candidates := slices.Clone(s.candidates(f))
	if !f.oldestFirst {
		slices.Reverse(candidates)
	}
	skip := f.page * f.size
	for _, r := range candidates {
		if !f.matches(r) {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		if listed = append(listed, s.outboundNow(r)); len(listed) == f.size {
			break
		}
	}
	return listed
}

// candidates are the messages that may match, oldest first, by an index where
// the filter allows one. Callers hold s.mu.
func (s *Simulator) candidates(f filter) []*record {
	switch {
	case len(f.references) == 1:
		return s.book.byReference[f.references[0]]
	case f.phone != "":
		return s.book.byPhone[f.phone]
	}
	return s.book.messages
}

func (f filter) matches(r *record) bool {
	return (len(f.references) == 0 || slices.Contains(f.references, r.Reference)) &&
		(len(f.ids) == 0 || slices.Contains(f.ids, r.ID)) &&
		(len(f.waIDs) == 0 || slices.Contains(f.waIDs, r.WaID)) &&
		(f.phone == "" || f.phone == r.Phone) &&
		(f.createdAfter.IsZero() || !r.At.Before(f.createdAfter)) &&
		(f.createdBefore.IsZero() || !r.At.After(f.createdBefore)) &&
		f.faults.lists(f.seed, r.Message, f.now.Sub(r.At))
}

// parseFilter refuses what it does not know: a mistyped filter would list the
// messages of everybody.
func parseFilter(query url.Values) (filter, *problem) {
	f := filter{size: defaultPageSize}
	for key, values := range query {
		if p := f.set(key, values); p != nil {
			return f, p
		}
	}
	return f, nil
}

func (f *filter) set(key string, values []string) *problem {
	var err error
	value := values[0]
	switch key {
	case "reference":
		f.references = values
	case "ids":
		f.ids = values
	case "waIds":
		f.waIDs = values
	case "device":
		f.device = value
	case "phone":
		f.phone = value
	case "createdAfter":
		f.createdAfter, err = time.Parse(time.RFC3339, value)
	case "createdBefore":
		f.createdBefore, err = time.Parse(time.RFC3339, value)
	case "sort":
		f.oldestFirst = value == "date:asc"
		if !f.oldestFirst && value != "date:desc" {
			return invalid(key, "must be date:asc or date:desc")
		}
	case "size":
		if f.size, err = strconv.Atoi(value); err == nil && (f.size < 1 || f.size > maxPageSize) {
			return invalid(key, "must be between 1 and 100")
		}
	case "page":
		if f.page, err = strconv.Atoi(value); err == nil && (f.page < 0 || f.page > 1e6) {
			return invalid(key, "must be between 0 and 1000000")
		}
	default:
		return invalid(key, "the simulator does not play this filter")
	}
	if err != nil {
		return invalid(key, "cannot be read")
	}
	return nil
}
