package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	grpcstatus "google.golang.org/grpc/status"
)

// door stands in front of a Temporal server, as a cluster's proxy or Temporal Cloud
// does: it ends TLS, asks for a client's certificate or for headers, and refuses
// methods. Everything else it passes on as it came.
type door struct {
	tls     *tls.Config       // nil for none
	headers map[string]string // what every request must carry
	refused []string          // methods, such as AddSearchAttributes
	server  *grpc.ClientConn
}

// open returns the door's address.
func (d door) open(t *testing.T, server string) string {
	t.Helper()
	var err error
	d.server, err = grpc.NewClient(server, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = d.server.Close() })
	options := []grpc.ServerOption{grpc.ForceServerCodec(asItCame{}), grpc.UnknownServiceHandler(d.pass)}
	if d.tls != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(d.tls)))
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	proxy := grpc.NewServer(options...)
	t.Cleanup(proxy.Stop)
	go func() { _ = proxy.Serve(listener) }()
	return listener.Addr().String()
}

func (d door) pass(_ any, stream grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(stream)
	came, _ := metadata.FromIncomingContext(stream.Context())
	for name, want := range d.headers {
		if got := came.Get(name); len(got) != 1 || got[0] != want {
			return grpcstatus.Error(codes.PermissionDenied, "Request unauthorized.")
		}
	}
	for _, refused := range d.refused {
		if strings.HasSuffix(method, "/"+refused) {
			return grpcstatus.Error(codes.PermissionDenied, "Request unauthorized.")
		}
	}
	var request, answer []byte
	if err := stream.RecvMsg(&request); err != nil {
		return err
	}
	if err := d.server.Invoke(stream.Context(), method, &request, &answer, grpc.ForceCodec(asItCame{})); err != nil {
		return err
	}
	return stream.SendMsg(&answer)
}

// asItCame passes messages on without reading them.
type asItCame struct{}

func (asItCame) Marshal(v any) ([]byte, error)      { return *v.(*[]byte), nil }
func (asItCame) Unmarshal(data []byte, v any) error { *v.(*[]byte) = data; return nil }
func (asItCame) Name() string                       { return "proto" }

// authority is a throw-away certificate authority.
type authority struct {
	t       *testing.T
	key     *ecdsa.PrivateKey
	root    *x509.Certificate
	rootPEM string
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "throw-away"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	root, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return authority{t: t, key: key, root: root, rootPEM: asPEM("CERTIFICATE", der)}
}

func asPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// issue makes a certificate and its key, in PEM, for one name or address.
func (a authority) issue(name string) (certificate, key string) {
	a.t.Helper()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour), DNSNames: []string{name},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if ip := net.ParseIP(name); ip != nil {
		template.DNSNames, template.IPAddresses = nil, []net.IP{ip}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.root, &own.PublicKey, a.key)
	require.NoError(a.t, err)
	keyDER, err := x509.MarshalECPrivateKey(own)
	require.NoError(a.t, err)
	return asPEM("CERTIFICATE", der), asPEM("EC PRIVATE KEY", keyDER)
}

// serving is the TLS of a server that has a certificate for name.
func (a authority) serving(name string) *tls.Config {
	a.t.Helper()
	certificate, key := a.issue(name)
	pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
	require.NoError(a.t, err)
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
}

// servingOwn is serving for clients who have a certificate of this authority.
func (a authority) servingOwn(name string) *tls.Config {
	a.t.Helper()
	config := a.serving(name)
	config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	config.ClientCAs.AddCert(a.root)
	return config
}

func inFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func setenv(t *testing.T, environment map[string]string) {
	t.Helper()
	for variable, value := range environment {
		t.Setenv(variable, value)
	}
}

// impatient runs a command that is expected to fail for want of an answer.
func impatient(t *testing.T, args ...string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	var out strings.Builder
	return relanceTo(ctx, &out, args...)
}
