-- One SQL for SQLite and PostgreSQL: text ids, times in milliseconds since 1970 (UTC), flags as
-- 0 and 1 in BIGINT, JSON as text, bytes as BYTEA (SQLite takes the name as it is).

CREATE TABLE companies (
    id          TEXT   NOT NULL PRIMARY KEY,
    name        TEXT   NOT NULL,
    language    TEXT   NOT NULL,
    time_zone   TEXT   NOT NULL,
    settings    TEXT   NOT NULL,
    disabled    BIGINT NOT NULL,
    created_ms  BIGINT NOT NULL
);
