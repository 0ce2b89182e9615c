-- Words by which people find interactions again.
CREATE TABLE tags (
    interaction  TEXT NOT NULL,
    tag          TEXT NOT NULL,
    company      TEXT NOT NULL REFERENCES companies (id),
    PRIMARY KEY (interaction, tag)
);
CREATE INDEX tags_by_company ON tags (company, tag);

-- By what became of them in the line, and in whose hands they were.
CREATE INDEX waits_by_interaction ON waits (interaction);
CREATE INDEX handlings_by_interaction ON handlings (interaction);

-- What somebody set for themselves, and only they read: how their pages are, the searches that they keep.
CREATE TABLE user_settings (
    user_id     TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name        TEXT   NOT NULL,
    value       TEXT   NOT NULL,
    updated_ms  BIGINT NOT NULL,
    PRIMARY KEY (user_id, name)
);
