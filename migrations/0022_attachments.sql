-- Files of messages: where they are to be had, and what they are once they are in the store of files.
-- `message` is empty while a file was laid down for a message that is still to come.
CREATE TABLE attachments (
    id           TEXT   NOT NULL PRIMARY KEY,
    company      TEXT   NOT NULL REFERENCES companies (id),
    channel      TEXT,
    interaction  TEXT,
    message      TEXT,
    place        BIGINT NOT NULL,
    source       TEXT,
    state        TEXT   NOT NULL,
    sha256       TEXT,
    mime         TEXT,
    bytes        BIGINT,
    name         TEXT,
    thumbnail    TEXT,
    attempts     BIGINT NOT NULL,
    due_ms       BIGINT NOT NULL,
    error        TEXT,
    created_ms   BIGINT NOT NULL
);
CREATE INDEX attachments_due ON attachments (due_ms) WHERE state = 'waiting';
CREATE INDEX attachments_forgotten ON attachments (id) WHERE state = 'forgotten';
CREATE INDEX attachments_by_interaction ON attachments (interaction, message);
CREATE INDEX attachments_by_hash ON attachments (sha256);
CREATE INDEX attachments_by_thumbnail ON attachments (thumbnail);
