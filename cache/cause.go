package cache

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// explained says what is wrong with Redis and what to do about it, where that is
// known. The client's errors hold no password.
func explained(err error) error {
	var (
		certificate *tls.CertificateVerificationError
		what        string
	)
	switch {
	case redis.HasErrorPrefix(err, "WRONGPASS"):
		what = "it refuses the user or the password of REDIS_URL"
	case redis.HasErrorPrefix(err, "NOAUTH"):
		what = "it wants a user and a password, which belong into REDIS_URL (rediss://user:password@host:port)"
	case redis.HasErrorPrefix(err, "NOPERM"):
		what = "its user may not do what the cache needs"
	case errors.As(err, &certificate):
		what = "its certificate is not trusted; the folder of a private authority's certificate belongs into SSL_CERT_DIR"
	case errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET):
		what = "it hangs up; REDIS_URL must begin with rediss:// for a Redis that wants TLS, and with redis:// for one that does not"
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded):
		what = "it does not answer in time; check host, port, and whether it wants TLS (rediss://) or does not (redis://)"
	default:
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}
