package devstack

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// ErrNoRedis says that no Redis server is on this machine.
var ErrNoRedis = errors.New("no redis-server found: Debian's package redis-server has one")

// RedisTLSOptions says where and how to run a Redis over TLS.
type RedisTLSOptions struct {
	// Dir holds its configuration and certificates; it is made.
	Dir string

	// User may do what Rules allow, as Redis' ACL has it ("~cache:* +get"), and
	// nobody else may do anything.
	User, Password, Rules string
}

// RedisTLS is a running Redis server as a hosted one is: it is to be had over TLS
// only, by one user with a password. A certificate authority that is made for it
// alone has signed its certificate.
type RedisTLS struct {
	opts  RedisTLSOptions
	port  int
	child *child
}

// StartRedisTLS starts one and returns when it takes connections. The error wraps
// ErrNoRedis when there is no such program.
func StartRedisTLS(ctx context.Context, opts RedisTLSOptions) (*RedisTLS, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, ErrNoRedis
	}
	r := &RedisTLS{opts: opts}
	if err := whilePortsAreTaken(ctx, func(ctx context.Context) error { return r.attempt(ctx, path) }); err != nil {
		return nil, fmt.Errorf("start Redis over TLS: %w", err)
	}
	return r, nil
}

func (r *RedisTLS) attempt(ctx context.Context, path string) (err error) {
	if r.port, err = FreePort(); err != nil {
		return err
	}
	config, err := r.configure()
	if err != nil {
		return err
	}
	if r.child, err = (command{name: "Redis", path: path, args: []string{config}, deathSignal: syscall.SIGKILL}).start(); err != nil {
		return err
	}
	err = r.child.awaitReady(ctx, syscall.SIGTERM, r.ready)
	if err == nil {
		return nil
	}
	if r.child.output.contains("Address already in use") {
		return fmt.Errorf("port %d: %w: %w", r.port, errPortTaken, err)
	}
	return err
}

func (r *RedisTLS) ready(ctx context.Context) bool {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address(r.port))
	return err == nil && conn.Close() == nil
}

// configure writes what Redis reads and returns where.
func (r *RedisTLS) configure() (path string, err error) {
	if err := os.MkdirAll(r.opts.Dir, 0o700); err != nil {
		return "", err
	}
	if err := r.certify(); err != nil {
		return "", fmt.Errorf("make a certificate: %w", err)
	}
	path = filepath.Join(r.opts.Dir, "redis.conf")
	return path, os.WriteFile(path, []byte(strings.Join([]string{
		"bind " + loopback, "port 0", fmt.Sprintf("tls-port %d", r.port),
		"tls-cert-file " + r.file("server.crt"), "tls-key-file " + r.file("server.key"), "tls-ca-cert-file " + r.CAFile(), "tls-auth-clients no",
		"user default off", fmt.Sprintf("user %s on >%s %s", r.opts.User, r.opts.Password, r.opts.Rules),
		`save ""`, "",
	}, "\n")), 0o600)
}

func (r *RedisTLS) file(name string) string { return filepath.Join(r.opts.Dir, name) }

// certify makes the authority, whose key is then forgotten, and the certificate.
func (r *RedisTLS) certify() error {
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a throw-away authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: loopback}, IPAddresses: []net.IP{net.ParseIP(loopback)},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serverKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(serverKey)
	if err != nil {
		return err
	}
	signed := func(subject *x509.Certificate, key *ecdsa.PrivateKey, file string) error {
		der, err := x509.CreateCertificate(rand.Reader, subject, authority, key.Public(), authorityKey)
		if err != nil {
			return err
		}
		return writePEM(file, "CERTIFICATE", der)
	}
	return errors.Join(signed(authority, authorityKey, r.CAFile()), signed(server, serverKey, r.file("server.crt")),
		writePEM(r.file("server.key"), "PRIVATE KEY", private))
}

func writePEM(file, kind string, der []byte) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

// CAFile is the certificate of the authority that clients must trust.
func (r *RedisTLS) CAFile() string { return r.file("ca.crt") }

// URL is for REDIS_URL. It holds the password.
func (r *RedisTLS) URL() string {
	u := url.URL{Scheme: "rediss", User: url.UserPassword(r.opts.User, r.opts.Password), Host: address(r.port)}
	return u.String()
}

// Stop ends it. It can be called more than once.
func (r *RedisTLS) Stop(ctx context.Context) error { return r.child.stop(ctx, syscall.SIGTERM) }
