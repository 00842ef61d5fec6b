-- +goose Up

-- What a user sees of a session and ends it by; the hash of its secret stays inside.
ALTER TABLE sessions
    ADD COLUMN id           uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,
    ADD COLUMN agent        text NOT NULL DEFAULT '', -- what the browser calls itself
    ADD COLUMN last_used_at timestamptz;
CREATE INDEX api_tokens_user ON api_tokens (user_id, created_at DESC, id DESC) WHERE revoked_at IS NULL;

-- A row is written before what it is about is tried ('begun'), so that no change
-- goes unrecorded; a process that dies in between leaves it so.
ALTER TABLE audit_log
    ADD COLUMN outcome text NOT NULL DEFAULT 'done' CHECK (outcome IN ('begun', 'done', 'refused'));
CREATE INDEX audit_log_user ON audit_log (user_id, id DESC);
CREATE INDEX audit_log_subject ON audit_log (subject_id, id DESC) WHERE subject_id IS NOT NULL;
CREATE INDEX audit_log_action ON audit_log (action, id DESC);

-- Requests that must have their effect once, however often they are sent. Keys
-- may be anything that a caller made up, so only their hash is kept.
CREATE TABLE idempotency_keys (
    user_id     uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    key_hash    bytea NOT NULL,
    fingerprint bytea NOT NULL,
    made_id     uuid NOT NULL DEFAULT gen_random_uuid(), -- of what the request makes, whoever runs it
    holder      uuid,        -- the run that may answer, while there is one
    held_until  timestamptz, -- when another run may take over
    status      integer,     -- of the answer, once there is one
    content_type text NOT NULL DEFAULT '',
    location    text NOT NULL DEFAULT '',
    body        bytea,
    created_at  timestamptz NOT NULL DEFAULT relance_now(),
    PRIMARY KEY (user_id, key_hash),
    CHECK ((holder IS NULL) = (held_until IS NULL)),
    CHECK (status IS NULL OR holder IS NULL)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- Who has been guessing passwords. The subject is a hash: neither addresses that
-- were tried nor where from are kept in clear.
CREATE TABLE login_attempts (
    subject   bytea PRIMARY KEY,
    failures  integer NOT NULL,
    failed_at timestamptz NOT NULL -- the newest
);
CREATE INDEX login_attempts_age ON login_attempts (failed_at);

-- +goose Down
DROP TABLE login_attempts, idempotency_keys;
DROP INDEX audit_log_user, audit_log_subject, audit_log_action;
ALTER TABLE audit_log DROP COLUMN outcome;
DROP INDEX api_tokens_user;
ALTER TABLE sessions DROP COLUMN id, DROP COLUMN agent, DROP COLUMN last_used_at;
