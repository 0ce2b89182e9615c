-- By which mailbox customers are sent what was written, once it is over.
ALTER TABLE channels ADD COLUMN transcripts_by TEXT REFERENCES channels (id) ON DELETE SET NULL;

-- What is or was to be sent: waiting, sent, nobody (no address is known) or failed.
CREATE TABLE transcripts (
    interaction  TEXT   NOT NULL PRIMARY KEY REFERENCES interactions (id) ON DELETE CASCADE,
    mailbox      TEXT   NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    state        TEXT   NOT NULL,
    attempts     BIGINT NOT NULL,
    due_ms       BIGINT NOT NULL,
    failure      TEXT
);
CREATE INDEX transcripts_due ON transcripts (mailbox, due_ms) WHERE state = 'waiting';
