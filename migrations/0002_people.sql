-- A user or key without a company administers the installation.
CREATE TABLE users (
    id             TEXT   NOT NULL PRIMARY KEY,
    company        TEXT   REFERENCES companies (id),
    email          TEXT   NOT NULL UNIQUE,
    name           TEXT   NOT NULL,
    password       TEXT,
    role           TEXT   NOT NULL,
    locale         TEXT   NOT NULL,
    disabled       BIGINT NOT NULL,
    created_ms     BIGINT NOT NULL,
    last_login_ms  BIGINT,
    UNIQUE (company, id)
);

CREATE TABLE sessions (
    id            TEXT   NOT NULL PRIMARY KEY,
    user_id       TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash    TEXT   NOT NULL UNIQUE,
    csrf          TEXT   NOT NULL,
    created_ms    BIGINT NOT NULL,
    last_seen_ms  BIGINT NOT NULL,
    expires_ms    BIGINT NOT NULL,
    remote        TEXT   NOT NULL,
    user_agent    TEXT   NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (expires_ms);

CREATE TABLE api_keys (
    id            TEXT   NOT NULL PRIMARY KEY,
    company       TEXT   REFERENCES companies (id),
    name          TEXT   NOT NULL,
    prefix        TEXT   NOT NULL UNIQUE,
    hash          TEXT   NOT NULL,
    scopes        TEXT   NOT NULL,
    created_by    TEXT   REFERENCES users (id) ON DELETE SET NULL,
    created_ms    BIGINT NOT NULL,
    expires_ms    BIGINT,
    last_used_ms  BIGINT,
    revoked_ms    BIGINT
);
CREATE INDEX api_keys_by_company ON api_keys (company, id);
