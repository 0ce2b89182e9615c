-- Messages that are to go to customers by a provider: one row a message, until it went or never will.
-- `sending` is written before a provider is asked: who finds it old does not know what became of it.
CREATE TABLE outbox (
    message       TEXT   NOT NULL PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
    channel       TEXT   NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    conversation  TEXT   NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    seq           BIGINT NOT NULL,
    state         TEXT   NOT NULL,
    due_ms        BIGINT NOT NULL,
    attempts      BIGINT NOT NULL,
    UNIQUE (conversation, seq)
);
CREATE INDEX outbox_due ON outbox (channel, due_ms);

-- How the customer of a conversation is reached, and when anything may be written to them.
ALTER TABLE conversations ADD COLUMN contact TEXT;
ALTER TABLE conversations ADD COLUMN peer TEXT;
ALTER TABLE conversations ADD COLUMN customer_ms BIGINT;
ALTER TABLE conversations ADD COLUMN ad_ms BIGINT;
ALTER TABLE conversations ADD COLUMN ad_answered_ms BIGINT;
CREATE INDEX conversations_by_contact ON conversations (channel, contact) WHERE contact IS NOT NULL;

-- What became of a message after it was written.
ALTER TABLE messages ADD COLUMN reactions TEXT;
ALTER TABLE messages ADD COLUMN edits TEXT;
ALTER TABLE messages ADD COLUMN revoked_ms BIGINT;
CREATE INDEX messages_by_external ON messages (external_id) WHERE external_id IS NOT NULL;

-- What was told of a message before the message itself was known.
CREATE TABLE early_events (
    channel      TEXT   NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    external_id  TEXT   NOT NULL,
    key          TEXT   NOT NULL,
    event        TEXT   NOT NULL,
    at_ms        BIGINT NOT NULL,
    PRIMARY KEY (channel, external_id, key)
);

-- What the provider charges, one row a message.
CREATE TABLE message_costs (
    message   TEXT   NOT NULL PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
    company   TEXT   NOT NULL,
    channel   TEXT   NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    category  TEXT   NOT NULL,
    billable  BIGINT NOT NULL,
    model     TEXT,
    country   TEXT,
    at_ms     BIGINT NOT NULL
);
CREATE INDEX message_costs_by_channel ON message_costs (channel, at_ms);

-- What is known of how a channel does; one row a channel, the newest of each.
CREATE TABLE channel_health (
    channel          TEXT   NOT NULL PRIMARY KEY REFERENCES channels (id) ON DELETE CASCADE,
    event_ms         BIGINT,
    sent_ms          BIGINT,
    failed_ms        BIGINT,
    failure          TEXT,
    broken_ms        BIGINT,
    forged           BIGINT NOT NULL,
    forged_ms        BIGINT,
    unreadable       BIGINT NOT NULL,
    unreadable_ms    BIGINT,
    token_expires_ms BIGINT
);

-- What providers told of an account: templates approved, quality, warnings.
CREATE TABLE channel_news (
    channel  TEXT   NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    key      TEXT   NOT NULL,
    at_ms    BIGINT NOT NULL,
    level    TEXT   NOT NULL,
    what     TEXT   NOT NULL,
    text     TEXT   NOT NULL,
    raw      TEXT   NOT NULL,
    PRIMARY KEY (channel, key)
);
CREATE INDEX channel_news_by_time ON channel_news (channel, at_ms);

-- Templates as a channel's provider listed them last.
CREATE TABLE templates (
    channel     TEXT   NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    name        TEXT   NOT NULL,
    language    TEXT   NOT NULL,
    template    TEXT   NOT NULL,
    listed_ms   BIGINT NOT NULL,
    PRIMARY KEY (channel, name, language)
);
