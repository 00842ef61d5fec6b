package worker_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"

	"github.com/relance/relance/worker"
)

// codecKey is a key of 32 times the same byte.
func codecKey(id string, b byte) string {
	return id + ":" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32))
}

func newCodec(t *testing.T, keys string) *worker.Codec {
	t.Helper()
	codec, err := worker.NewCodec(keys)
	require.NoError(t, err)
	return codec
}

func plainPayload(t *testing.T) []*commonpb.Payload {
	t.Helper()
	payload, err := converter.GetDefaultDataConverter().ToPayload("who and what")
	require.NoError(t, err)
	return []*commonpb.Payload{payload}
}

func TestFirstKeyEncryptsAndAllDecrypt(t *testing.T) {
	plain := plainPayload(t)
	before := newCodec(t, codecKey("one", 1))
	during := newCodec(t, codecKey("two", 2)+" , "+codecKey("one", 1))

	old, err := before.Encode(plain)
	require.NoError(t, err)
	again, err := before.Encode(plain)
	require.NoError(t, err)
	recent, err := during.Encode(plain)
	require.NoError(t, err)

	assert.NotContains(t, string(old[0].GetData()), "who and what")
	assert.NotEqual(t, old[0].GetData(), again[0].GetData(), "equal payloads must not be seen to be equal")
	assert.Equal(t, "one", string(old[0].GetMetadata()["encryption-key-id"]))
	assert.Equal(t, "two", string(recent[0].GetMetadata()["encryption-key-id"]))
	for _, encoded := range [][]*commonpb.Payload{old, again, recent, plain} {
		decoded, err := during.Decode(encoded)
		require.NoError(t, err)
		assert.True(t, proto.Equal(plain[0], decoded[0]))
	}
}

func TestPlainInTheFirstPlaceReadsWithoutEncrypting(t *testing.T) {
	plain := plainPayload(t)
	sealed, err := newCodec(t, codecKey("one", 1)).Encode(plain)
	require.NoError(t, err)
	reading := newCodec(t, "plain,"+codecKey("one", 1))
	assert.Empty(t, reading.KeyID())
	left, err := reading.Encode(plain)
	require.NoError(t, err)
	assert.True(t, proto.Equal(plain[0], left[0]))
	decoded, err := reading.Decode(sealed)
	require.NoError(t, err)
	assert.True(t, proto.Equal(plain[0], decoded[0]))
}

func TestPayloadThatNoKeyOpensIsAClearError(t *testing.T) {
	sealed, err := newCodec(t, codecKey("one", 1)).Encode(plainPayload(t))
	require.NoError(t, err)
	changed := proto.CloneOf(sealed[0])
	changed.Data[len(changed.Data)-1] ^= 1
	short := proto.CloneOf(sealed[0])
	short.Data = short.Data[:3]
	for _, c := range []struct {
		name, keys string
		payload    *commonpb.Payload
		want       string
	}{
		{"no keys", "", sealed[0], `TEMPORAL_CODEC_KEYS has no key "one"`},
		{"other keys", codecKey("two", 1), sealed[0], `TEMPORAL_CODEC_KEYS has no key "one"`},
		{"another key with its id", codecKey("one", 2), sealed[0], `the key "one" in TEMPORAL_CODEC_KEYS is not the one`},
		{"changed", codecKey("one", 1), changed, "has been changed since"},
		{"cut off", codecKey("one", 1), short, "has been changed since"},
	} {
		_, err := newCodec(t, c.keys).Decode([]*commonpb.Payload{c.payload})
		require.ErrorIs(t, err, worker.ErrUndecodable, c.name)
		require.ErrorContains(t, err, c.want, c.name)
	}
}

func TestSenselessKeysAreRefusedWithoutBeingTold(t *testing.T) {
	secret := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
	for keys, want := range map[string]string{
		secret:                            "the pair in place 1 is not",
		"one:" + secret + ",":             "the pair in place 2 is not",
		"one:" + secret + ",plain":        "the pair in place 2 is not",
		"a b:" + secret:                   "the pair in place 1 is not",
		"one:" + secret[4:]:               `the key "one" must be 32 bytes in base64: make one with`,
		"one:" + secret + "!":             `the key "one" must be 32 bytes`,
		codecKey("a", 7) + ",a:" + secret: `two keys with the id "a"`,
	} {
		_, err := worker.NewCodec(keys)
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), secret[4:20])
		assert.NotContains(t, err.Error(), "\n")
	}
}

func TestFailureIsNotReadableUnderACodec(t *testing.T) {
	var options client.Options
	newCodec(t, codecKey("one", 1)).Apply(&options)
	failure := options.FailureConverter.ErrorToFailure(errors.New("a sentence about somebody"))
	encoded, err := proto.Marshal(failure)
	require.NoError(t, err)
	assert.NotContains(t, string(encoded), "somebody")
	assert.ErrorContains(t, options.FailureConverter.FailureToError(failure), "a sentence about somebody")
}
