-- Who writes by a web chat, and what they told of themselves. `user_id` is the shop's, proven by it; a
-- visitor who never wrote is no row.
CREATE TABLE webchat_visitors (
    channel     TEXT   NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    id          TEXT   NOT NULL,
    user_id     TEXT,
    name        TEXT,
    email       TEXT,
    phone       TEXT,
    consent     TEXT,
    created_ms  BIGINT NOT NULL,
    updated_ms  BIGINT NOT NULL,
    PRIMARY KEY (channel, id)
);
CREATE UNIQUE INDEX webchat_visitors_by_user ON webchat_visitors (channel, user_id)
    WHERE user_id IS NOT NULL;

-- How far each side of a conversation has come in it: numbers of messages; and of which interaction the
-- visitor was asked what they think.
CREATE TABLE webchat_marks (
    conversation  TEXT   NOT NULL PRIMARY KEY REFERENCES conversations (id) ON DELETE CASCADE,
    delivered     BIGINT NOT NULL,
    seen          BIGINT NOT NULL,
    answered      BIGINT NOT NULL,
    surveyed      TEXT
);
