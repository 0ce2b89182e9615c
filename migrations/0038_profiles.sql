-- What people may do, under names of the company's own; who has none may what their role may.
CREATE TABLE profiles (
    id           TEXT   NOT NULL PRIMARY KEY,
    company      TEXT   NOT NULL REFERENCES companies (id),
    name         TEXT   NOT NULL,
    permissions  TEXT   NOT NULL,
    created_ms   BIGINT NOT NULL,
    updated_ms   BIGINT NOT NULL,
    UNIQUE (company, name)
);
ALTER TABLE users ADD COLUMN profile TEXT REFERENCES profiles (id);
