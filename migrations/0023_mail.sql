-- How each mailbox is read: up to where, by which process and until when it has it, and how the last look
-- went.
CREATE TABLE mailboxes (
    channel     TEXT   NOT NULL PRIMARY KEY REFERENCES channels (id) ON DELETE CASCADE,
    cursor      TEXT   NOT NULL,
    instance    TEXT,
    until_ms    BIGINT NOT NULL,
    looked_ms   BIGINT,
    failed_ms   BIGINT,
    failure     TEXT
);

-- What was read of mailboxes that keep no marks (POP3), by their ids. A row stays as long as the channel.
CREATE TABLE mailbox_keys (
    channel  TEXT   NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    key      TEXT   NOT NULL,
    at_ms    BIGINT NOT NULL,
    PRIMARY KEY (channel, key)
);

-- The mail that a message is: its own id, who wrote it, and the file (by its SHA-256) that is all of it,
-- or its head.
CREATE TABLE mails (
    message       TEXT   NOT NULL PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
    channel       TEXT   NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    conversation  TEXT   NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    mail_id       TEXT,
    author        TEXT   NOT NULL,
    part          TEXT   NOT NULL,
    file          TEXT,
    at_ms         BIGINT NOT NULL
);
CREATE INDEX mails_by_id ON mails (channel, mail_id) WHERE mail_id IS NOT NULL;
CREATE INDEX mails_by_author ON mails (channel, author, at_ms);
CREATE INDEX mails_by_file ON mails (file) WHERE file IS NOT NULL;

-- Files of mails that are to be forgotten.
CREATE TABLE mail_leftovers (
    file  TEXT NOT NULL PRIMARY KEY
);

-- What a conversation by mail is about, and who takes part in it.
CREATE TABLE mail_threads (
    conversation  TEXT NOT NULL PRIMARY KEY REFERENCES conversations (id) ON DELETE CASCADE,
    subject       TEXT NOT NULL,
    participants  TEXT NOT NULL
);
