-- The sound itself lies on disk under its hash.
-- UNIQUE (company, id) lets others refer to it together with their own company: a reference
-- never reaches into another tenant.
CREATE TABLE prompts (
    id             TEXT   NOT NULL PRIMARY KEY,
    company        TEXT   NOT NULL REFERENCES companies (id),
    name           TEXT   NOT NULL,
    kind           TEXT   NOT NULL,
    state          TEXT   NOT NULL,
    language       TEXT   NOT NULL,
    spoken         TEXT   NOT NULL,
    voice          TEXT   NOT NULL,
    speed_percent  BIGINT NOT NULL,
    file           TEXT,
    mime           TEXT   NOT NULL,
    bytes          BIGINT NOT NULL,
    duration_ms    BIGINT NOT NULL,
    loudness_lufs  DOUBLE PRECISION,
    created_ms     BIGINT NOT NULL,
    updated_ms     BIGINT NOT NULL,
    UNIQUE (company, name),
    UNIQUE (company, id)
);
CREATE INDEX prompts_by_file ON prompts (file);
