-- Append-only: nothing in the program changes or deletes a line.
CREATE TABLE audit (
    id       TEXT   NOT NULL PRIMARY KEY,
    company  TEXT   REFERENCES companies (id),
    user_id  TEXT,
    api_key  TEXT,
    at_ms    BIGINT NOT NULL,
    action   TEXT   NOT NULL,
    target   TEXT   NOT NULL,
    detail   TEXT   NOT NULL,
    remote   TEXT   NOT NULL
);
CREATE INDEX audit_by_company ON audit (company, id);

CREATE TABLE settings (
    name        TEXT   NOT NULL PRIMARY KEY,
    value       TEXT   NOT NULL,
    updated_ms  BIGINT NOT NULL
);
