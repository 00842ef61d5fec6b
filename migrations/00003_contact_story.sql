-- +goose Up

-- In which campaigns was this contact? The primary key begins with the campaign.
CREATE INDEX recipients_contact ON recipients (contact_id);

-- +goose Down
DROP INDEX recipients_contact;
