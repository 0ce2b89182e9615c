CREATE TABLE flows (
    id              TEXT   NOT NULL PRIMARY KEY,
    company         TEXT   NOT NULL REFERENCES companies (id),
    name            TEXT   NOT NULL,
    draft           TEXT   NOT NULL,
    draft_revision  BIGINT NOT NULL,
    last_version    BIGINT NOT NULL,
    published       BIGINT,
    created_ms      BIGINT NOT NULL,
    updated_ms      BIGINT NOT NULL,
    UNIQUE (company, name),
    UNIQUE (company, id)
);

-- Rows are never changed: a roll-back points at an older one.
CREATE TABLE flow_versions (
    flow          TEXT   NOT NULL REFERENCES flows (id) ON DELETE CASCADE,
    version       BIGINT NOT NULL,
    definition    TEXT   NOT NULL,
    author        TEXT   REFERENCES users (id) ON DELETE SET NULL,
    published_ms  BIGINT NOT NULL,
    PRIMARY KEY (flow, version)
);
