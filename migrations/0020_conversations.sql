-- The ways by which customers write. `secrets` is ciphertext; its key is outside the database.
CREATE TABLE channels (
    id               TEXT   NOT NULL PRIMARY KEY,
    company          TEXT   NOT NULL REFERENCES companies (id),
    kind             TEXT   NOT NULL,
    name             TEXT   NOT NULL,
    service          TEXT   NOT NULL,
    settings         TEXT   NOT NULL,
    webhook          TEXT,
    webhook_gone_ms  BIGINT,
    secrets          BYTEA,
    disabled         BIGINT NOT NULL,
    created_ms       BIGINT NOT NULL,
    updated_ms       BIGINT NOT NULL,
    UNIQUE (company, name),
    UNIQUE (company, id),
    FOREIGN KEY (company, service) REFERENCES services (company, id)
);

-- A key that was made on a channel opens that channel alone.
ALTER TABLE api_keys ADD COLUMN channel TEXT REFERENCES channels (id) ON DELETE CASCADE;
CREATE INDEX api_keys_by_channel ON api_keys (channel, id) WHERE channel IS NOT NULL;

-- What came in, byte by byte, before anything was made of it.
CREATE TABLE receipts (
    id           TEXT   NOT NULL PRIMARY KEY,
    channel      TEXT   NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    instance     TEXT   NOT NULL,
    body         BYTEA  NOT NULL,
    received_ms  BIGINT NOT NULL,
    done_ms      BIGINT,
    error        TEXT
);
CREATE INDEX receipts_open ON receipts (instance, id) WHERE done_ms IS NULL;
CREATE INDEX receipts_done ON receipts (done_ms) WHERE done_ms IS NOT NULL;

-- A thread with a customer on a channel; its matters are interactions, one at a time. `seq` counts its
-- messages.
CREATE TABLE conversations (
    id           TEXT   NOT NULL PRIMARY KEY,
    company      TEXT   NOT NULL REFERENCES companies (id),
    channel      TEXT   NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    thread       TEXT   NOT NULL,
    interaction  TEXT,
    seq          BIGINT NOT NULL,
    created_ms   BIGINT NOT NULL,
    UNIQUE (channel, thread)
);

CREATE TABLE messages (
    id            TEXT   NOT NULL PRIMARY KEY,
    company       TEXT   NOT NULL,
    conversation  TEXT   NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    seq           BIGINT NOT NULL,
    interaction   TEXT   NOT NULL,
    direction     TEXT   NOT NULL,
    author        TEXT   NOT NULL,
    content       TEXT   NOT NULL,
    client_id     TEXT,
    external_id   TEXT,
    reply_to      TEXT,
    sent_ms       BIGINT,
    at_ms         BIGINT NOT NULL,
    state         TEXT,
    failure       TEXT,
    UNIQUE (conversation, seq),
    UNIQUE (conversation, client_id)
);
CREATE INDEX messages_by_interaction ON messages (interaction, seq);

-- What was already taken in, by the key under which the other side tells it.
CREATE TABLE channel_events (
    channel  TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    key      TEXT NOT NULL,
    hash     TEXT NOT NULL,
    message  TEXT NOT NULL,
    PRIMARY KEY (channel, key)
);

-- What a company's webhook is told, in order within an interaction; `line` is of its trail.
CREATE TABLE deliveries (
    id           TEXT   NOT NULL PRIMARY KEY,
    channel      TEXT   NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    interaction  TEXT   NOT NULL,
    seq          BIGINT NOT NULL,
    line         BIGINT NOT NULL,
    event        TEXT   NOT NULL,
    state        TEXT   NOT NULL,
    body         TEXT,
    created_ms   BIGINT NOT NULL,
    since_ms     BIGINT NOT NULL,
    due_ms       BIGINT NOT NULL,
    attempts     BIGINT NOT NULL,
    tried_ms     BIGINT,
    status       BIGINT,
    answer       TEXT,
    UNIQUE (interaction, seq)
);
CREATE INDEX deliveries_due ON deliveries (channel, due_ms) WHERE state = 'waiting';
CREATE INDEX deliveries_by_channel ON deliveries (channel, id);

ALTER TABLE interactions ADD COLUMN conversation TEXT;
CREATE INDEX interactions_written ON interactions (conversation) WHERE conversation IS NOT NULL;
