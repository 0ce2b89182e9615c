-- `secrets` is ciphertext; its key is outside the database.
CREATE TABLE trunks (
    id          TEXT   NOT NULL PRIMARY KEY,
    company     TEXT   NOT NULL REFERENCES companies (id),
    name        TEXT   NOT NULL,
    settings    TEXT   NOT NULL,
    secrets     BYTEA,
    disabled    BIGINT NOT NULL,
    created_ms  BIGINT NOT NULL,
    updated_ms  BIGINT NOT NULL,
    UNIQUE (company, name),
    UNIQUE (company, id)
);

CREATE TABLE numbers (
    id          TEXT   NOT NULL PRIMARY KEY,
    company     TEXT   NOT NULL REFERENCES companies (id),
    number      TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    trunk       TEXT,
    flow        TEXT,
    disabled    BIGINT NOT NULL,
    created_ms  BIGINT NOT NULL,
    updated_ms  BIGINT NOT NULL,
    UNIQUE (company, number),
    UNIQUE (company, id),
    FOREIGN KEY (company, trunk) REFERENCES trunks (company, id),
    FOREIGN KEY (company, flow) REFERENCES flows (company, id)
);

CREATE TABLE devices (
    id            TEXT   NOT NULL PRIMARY KEY,
    company       TEXT   NOT NULL REFERENCES companies (id),
    username      TEXT   NOT NULL UNIQUE,
    display_name  TEXT   NOT NULL,
    extension     TEXT,
    user_id       TEXT,
    secrets       BYTEA  NOT NULL,
    disabled      BIGINT NOT NULL,
    created_ms    BIGINT NOT NULL,
    updated_ms    BIGINT NOT NULL,
    UNIQUE (company, extension),
    UNIQUE (company, id),
    FOREIGN KEY (company, user_id) REFERENCES users (company, id)
);
