-- What each desk goes on from when the program begins again. Work belongs to the process that
-- handles it, as its interaction does; `needs_call` is whether it ends with that process.
CREATE TABLE desk_works (
    work         TEXT   NOT NULL PRIMARY KEY,
    company      TEXT   NOT NULL,
    instance     TEXT,
    interaction  TEXT   NOT NULL,
    needs_call   BIGINT NOT NULL,
    record       TEXT   NOT NULL
);

CREATE TABLE desk_services (
    service  TEXT NOT NULL PRIMARY KEY REFERENCES services (id) ON DELETE CASCADE,
    record   TEXT NOT NULL
);

-- Why work was offered to whom, of each work the latest, in the words of that time.
CREATE TABLE decisions (
    work         TEXT   NOT NULL,
    slot         BIGINT NOT NULL,
    company      TEXT   NOT NULL,
    interaction  TEXT   NOT NULL,
    at_ms        BIGINT NOT NULL,
    sentence     TEXT   NOT NULL,
    decision     TEXT   NOT NULL,
    PRIMARY KEY (work, slot)
);
CREATE INDEX decisions_by_interaction ON decisions (interaction, at_ms);
