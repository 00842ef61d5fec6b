package store

// BatchImportsBy makes imports merge so few rows in one transaction.
func (s *Store) BatchImportsBy(rows int) { s.importBatch = rows }
