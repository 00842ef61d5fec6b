-- +goose Up

-- Lists of messages go by kind and status alone. While these two were there, the
-- planner sometimes took them and passed over every message of another status:
-- it did so where all messages happened to have one.
DROP INDEX messages_newest, messages_all_newest;

-- +goose Down
CREATE INDEX messages_newest ON messages (campaign_id, created_at DESC, id DESC);
CREATE INDEX messages_all_newest ON messages (created_at DESC, id DESC);
