-- Recordings of calls. Readable when the service is gone: no reference to it.
CREATE TABLE recordings (
    id           TEXT   NOT NULL PRIMARY KEY,
    company      TEXT   NOT NULL REFERENCES companies (id),
    interaction  TEXT   NOT NULL,
    service      TEXT,
    file         TEXT   NOT NULL UNIQUE,
    format       TEXT   NOT NULL,
    bytes        BIGINT NOT NULL,
    duration_ms  BIGINT NOT NULL,
    started_ms   BIGINT NOT NULL,
    kept_ms      BIGINT NOT NULL
);
CREATE INDEX recordings_by_interaction ON recordings (interaction, id);
CREATE INDEX recordings_by_time ON recordings (company, started_ms, id);

-- How recordings are kept, and for how long: a document a company.
CREATE TABLE recording_rules (
    company     TEXT   NOT NULL PRIMARY KEY REFERENCES companies (id),
    rules       TEXT   NOT NULL,
    updated_ms  BIGINT NOT NULL
);
