package worker

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/proto"
)

// Codec encrypts what Relance hands to Temporal (inputs, results, signals, summaries,
// details of failures) with AES-256-GCM, so that nobody reads it in Temporal's
// database, in its Web UI or at Temporal Cloud. The id of the key goes with each
// payload. What was not encrypted is still read, and a Codec without keys, such as
// a nil one, encrypts nothing.
//
// Not encrypted, because Temporal needs them: workflow ids, names, and search attributes.
type Codec struct {
	sealing string // the id of the key that encrypts; "" for none
	keys    map[string]cipher.AEAD
}

const (
	keyBytes = 32 // AES-256
	// plainKeys in place of the first key encrypts nothing, and decrypts what the others can.
	plainKeys = "plain"

	encryptedEncoding = "binary/encrypted"
	keyIDMetadata     = "encryption-key-id"
)

var keyID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// NewCodec reads keys as TEMPORAL_CODEC_KEYS has them: "id:key,id:key…", each key 32
// bytes in base64. The first encrypts, all of them decrypt; the word "plain" in the
// first place encrypts nothing. No keys make a codec that encrypts nothing. Errors
// name the variable and the key's id, never a key.
func NewCodec(keys string) (*Codec, error) {
	c := &Codec{keys: map[string]cipher.AEAD{}}
	if strings.TrimSpace(keys) == "" {
		return c, nil
	}
	for i, entry := range strings.Split(keys, ",") {
		entry = strings.TrimSpace(entry)
		if i == 0 && entry == plainKeys {
			continue
		}
		id, encoded, found := strings.Cut(entry, ":")
		if !found || !keyID.MatchString(id) {
			return nil, fmt.Errorf("TEMPORAL_CODEC_KEYS must be id:key pairs, separated by commas, with ids of letters, digits and . _ -; the pair in place %d is not", i+1)
		}
		if _, known := c.keys[id]; known {
			return nil, fmt.Errorf("TEMPORAL_CODEC_KEYS has two keys with the id %q", id)
		}
		key, err := newKey(encoded)
		if err != nil {
			return nil, fmt.Errorf("TEMPORAL_CODEC_KEYS: the key %q %w", id, err)
		}
		c.keys[id] = key
		if i == 0 {
			c.sealing = id
		}
	}
	return c, nil
}

func newKey(encoded string) (cipher.AEAD, error) {
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) != keyBytes {
		return nil, fmt.Errorf("must be %d bytes in base64: make one with `openssl rand -base64 %d`", keyBytes, keyBytes)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	// Its nonces are random, which is safe for 2^32 payloads under one key.
	return cipher.NewGCMWithRandomNonce(block)
}

// KeyID is the id of the key that encrypts, "" if nothing is encrypted.
func (c *Codec) KeyID() string {
	if c == nil {
		return ""
	}
	return c.sealing
}

// Encode encrypts payloads with the first key.
func (c *Codec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	if c.KeyID() == "" {
		return payloads, nil
	}
	encoded := make([]*commonpb.Payload, len(payloads))
	for i, payload := range payloads {
		plain, err := proto.Marshal(payload)
		if err != nil {
			return nil, fmt.Errorf("encrypting a payload: %w", err)
		}
		encoded[i] = &commonpb.Payload{
			Metadata: map[string][]byte{converter.MetadataEncoding: []byte(encryptedEncoding), keyIDMetadata: []byte(c.sealing)},
			Data:     c.keys[c.sealing].Seal(nil, nil, plain, nil), //nolint:gosec // makes a nonce at random itself
		}
	}
	return encoded, nil
}

// ErrUndecodable is wrapped by the errors of a payload that none of the keys opens.
var ErrUndecodable = errors.New("a payload in Temporal cannot be decrypted")

// Decode decrypts what a codec has encrypted and leaves everything else as it is.
func (c *Codec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	decoded := make([]*commonpb.Payload, len(payloads))
	for i, payload := range payloads {
		decoded[i] = payload
		if string(payload.GetMetadata()[converter.MetadataEncoding]) != encryptedEncoding {
			continue
		}
		var err error
		if decoded[i], err = c.open(payload); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUndecodable, err)
		}
	}
	return decoded, nil
}

func (c *Codec) open(payload *commonpb.Payload) (*commonpb.Payload, error) {
	id := string(payload.GetMetadata()[keyIDMetadata])
	var key cipher.AEAD
	if c != nil {
		key = c.keys[id]
	}
	if key == nil {
		return nil, fmt.Errorf("TEMPORAL_CODEC_KEYS has no key %q, with which it was encrypted: add that key, in any place but the first", id)
	}
	plain, err := key.Open(nil, nil, payload.GetData(), nil)
	if err != nil {
		return nil, fmt.Errorf("the key %q in TEMPORAL_CODEC_KEYS is not the one with which it was encrypted, or it has been changed since", id)
	}
	opened := &commonpb.Payload{}
	if err := proto.Unmarshal(plain, opened); err != nil {
		return nil, fmt.Errorf("what the key %q decrypts is no payload", id)
	}
	return opened, nil
}

// Apply makes a client with these options encrypt and decrypt.
func (c *Codec) Apply(options *client.Options) {
	options.DataConverter, options.FailureConverter = c.converters()
}

func (c *Codec) converters() (converter.DataConverter, converter.FailureConverter) {
	data := converting{converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), c)}
	return data, temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{
		DataConverter: data,
		// Messages and stack traces of failures are plain text otherwise.
		EncodeCommonAttributes: c.KeyID() != "",
	})
}

// converting is a data converter that never lets a missing key fail a workflow.
type converting struct{ converter.DataConverter }

func (c converting) WithContext(context.Context) converter.DataConverter { return c }

func (c converting) WithWorkflowContext(workflow.Context) converter.DataConverter {
	return blocking(c)
}

// blocking is for workflow code, in which an error of decryption would be the
// workflow's failure, and the end of a campaign. A panic fails only the workflow
// task: Temporal gives it to a worker again, until one has the key.
type blocking struct{ converter.DataConverter }

func (b blocking) FromPayload(payload *commonpb.Payload, into any) error {
	return orBlock(b.DataConverter.FromPayload(payload, into))
}

func (b blocking) FromPayloads(payloads *commonpb.Payloads, into ...any) error {
	return orBlock(b.DataConverter.FromPayloads(payloads, into...))
}

func orBlock(err error) error {
	if errors.Is(err, ErrUndecodable) {
		panic(err)
	}
	return err
}
