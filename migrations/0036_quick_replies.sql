-- Sentences that agents write by a few letters; `services` is a list of ids, empty for all.
CREATE TABLE quick_replies (
    id          TEXT   NOT NULL PRIMARY KEY,
    company     TEXT   NOT NULL REFERENCES companies (id),
    shortcut    TEXT   NOT NULL,
    text        TEXT   NOT NULL,
    services    TEXT   NOT NULL,
    created_ms  BIGINT NOT NULL,
    updated_ms  BIGINT NOT NULL,
    UNIQUE (company, shortcut)
);
