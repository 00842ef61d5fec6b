package api

import "io"

// rowKeeper passes a file on and keeps what has come since the row that is being
// read began, up to [longestRow].
type rowKeeper struct {
	from  io.Reader
	kept  []byte
	start int64 // the place of kept[0] in the file
	row   int64 // where the row begins
}

func (k *rowKeeper) Read(p []byte) (int, error) {
	if int64(len(k.kept))-(k.row-k.start) > longestRow {
		return 0, errRowTooLong
	}
	n, err := k.from.Read(p)
	k.kept = append(k.kept, p[:n]...)
	return n, err
}

// begin says where the next row begins.
func (k *rowKeeper) begin(row int64) {
	k.row = row
	// Rarely, so that what the reader has asked for in advance is not moved with
	// every row.
	if passed := row - k.start; passed >= fileBuffer {
		k.kept = append(k.kept[:0], k.kept[passed:]...)
		k.start = row
	}
}

// upTo is the row until a place in the file.
func (k *rowKeeper) upTo(end int64) []byte { return k.kept[k.row-k.start : end-k.start] }
