package simulator

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// maxHistoryPage is how many messages of chats one page has at most.
const maxHistoryPage = 50

// getChatMessages lists what contacts have sent, newest first. Reactions are not
// messages and not listed: whether the provider lists them is not known.
func (s *Simulator) getChatMessages(w http.ResponseWriter, r *http.Request) {
	if fault, _ := s.faults.ofLookUp(); fault == LookUpFailure {
		reject(w, unavailable())
		return
	}
	if r.PathValue("device") != s.cfg.DeviceID {
		reject(w, &problem{Status: http.StatusNotFound, Message: "The device does not exist", ErrorCode: "device:notfound"})
		return
	}
	var after time.Time
	size, page := defaultPageSize, 0
	for key, values := range r.URL.Query() {
		var err error
		switch key {
		case "flow":
			if values[0] != "inbound" {
				reject(w, invalid(key, "the simulator lists inbound messages only"))
				return
			}
		case "after":
			after, err = time.Parse(time.RFC3339, values[0])
		case "size":
			size, err = strconv.Atoi(values[0])
		case "page":
			page, err = strconv.Atoi(values[0])
		default:
			reject(w, invalid(key, "the simulator does not play this filter"))
			return
		}
		if err != nil || size < 1 || size > maxHistoryPage || page < 0 || page > 1e6 {
			reject(w, invalid(key, "cannot be read"))
			return
		}
	}
	listed := []chatMessage{}
	for _, reply := range s.repliesAfter(after, page*size, size) {
		listed = append(listed, s.replyMessage(&reply))
	}
	respond(w, http.StatusOK, listed)
}

// repliesAfter are up to size replies, newest first, after the first so many.
func (s *Simulator) repliesAfter(after time.Time, skip, size int) []Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	var listed []Reply
	for _, reply := range slices.Backward(s.book.replies) {
		switch {
		case reply.Type == ReplyReaction, reply.At.Before(after):
		case skip > 0:
			skip--
		case len(listed) < size:
			listed = append(listed, *reply)
		}
	}
	return listed
}
