-- +goose Up

-- Lists of messages by kind and status. With one of the two to go by, messages of
-- the other kinds, which may be a million, had to be passed over.
CREATE INDEX messages_kind ON messages (message_type, status, created_at DESC, id DESC);
CREATE INDEX messages_campaign_kind ON messages (campaign_id, message_type, status, created_at DESC, id DESC);
DROP INDEX messages_status_newest;

-- +goose Down
CREATE INDEX messages_status_newest ON messages (status, created_at DESC, id DESC);
DROP INDEX messages_campaign_kind, messages_kind;
