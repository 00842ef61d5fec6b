-- +goose Up

-- The newest failures, for people to look at: each index holds only what failed,
-- so that none of them costs a message or a webhook that did not.
CREATE INDEX messages_failed ON messages (device_id, failed_at DESC) WHERE status = 'failed';
CREATE INDEX webhook_events_failed ON webhook_events (received_at DESC) WHERE error <> '';
CREATE INDEX webhook_events_stuck ON webhook_events (received_at DESC) WHERE processed_at IS NULL AND tries > 3;
CREATE INDEX import_jobs_failed ON import_jobs (created_at DESC) WHERE state = 'failed';

-- +goose Down
DROP INDEX import_jobs_failed;
DROP INDEX webhook_events_stuck;
DROP INDEX webhook_events_failed;
DROP INDEX messages_failed;
