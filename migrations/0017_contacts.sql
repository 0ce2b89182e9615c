-- Customers. One that was merged into another stays for the day on which that is undone.
-- What is searched by its beginning is bytes: they are in one order whatever the database's language.
CREATE TABLE contacts (
    id              TEXT   NOT NULL PRIMARY KEY,
    company         TEXT   NOT NULL REFERENCES companies (id),
    name            TEXT   NOT NULL,
    name_key        BYTEA  NOT NULL,
    owner           TEXT,
    owner_fallback  TEXT   NOT NULL,
    priority        BIGINT NOT NULL,
    language        TEXT,
    notes           TEXT   NOT NULL,
    fields          TEXT   NOT NULL,
    blocked_in      BIGINT NOT NULL,
    blocked_out     BIGINT NOT NULL,
    anonymised_ms   BIGINT,
    merged_into     TEXT,
    created_ms      BIGINT NOT NULL,
    updated_ms      BIGINT NOT NULL,
    UNIQUE (company, id),
    FOREIGN KEY (company, owner) REFERENCES users (company, id)
);
CREATE INDEX contacts_by_name ON contacts (company, name_key, id) WHERE merged_into IS NULL;
CREATE INDEX contacts_by_merger ON contacts (company, merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX contacts_by_owner ON contacts (company, owner) WHERE owner IS NOT NULL;

-- The ids under which channels know them. `lookup` is one for all spellings of `external_id`.
CREATE TABLE identities (
    id           TEXT   NOT NULL PRIMARY KEY,
    company      TEXT   NOT NULL,
    contact      TEXT   NOT NULL,
    kind         TEXT   NOT NULL,
    scope        TEXT   NOT NULL,
    external_id  TEXT   NOT NULL,
    lookup       BYTEA  NOT NULL,
    created_ms   BIGINT NOT NULL,
    UNIQUE (company, lookup, kind, scope),
    FOREIGN KEY (company, contact) REFERENCES contacts (company, id) ON DELETE CASCADE
);
CREATE INDEX identities_by_contact ON identities (company, contact, id);

-- Who turned out to be whom, and which rows went along: undone, they go back.
CREATE TABLE merges (
    id         TEXT   NOT NULL PRIMARY KEY,
    company    TEXT   NOT NULL REFERENCES companies (id),
    kept       TEXT   NOT NULL,
    absorbed   TEXT   NOT NULL,
    user_id    TEXT,
    at_ms      BIGINT NOT NULL,
    undone_ms  BIGINT
);
CREATE INDEX merges_by_kept ON merges (company, kept, id);
CREATE INDEX merges_by_absorbed ON merges (company, absorbed, id);

CREATE TABLE merged_rows (
    merge   TEXT NOT NULL REFERENCES merges (id) ON DELETE CASCADE,
    noun    TEXT NOT NULL,
    row_id  TEXT NOT NULL,
    PRIMARY KEY (merge, noun, row_id)
);

-- Whose matter it is, and who had it last. No references: a call is recorded whatever becomes of them.
ALTER TABLE interactions ADD COLUMN contact TEXT;
ALTER TABLE interactions ADD COLUMN agent TEXT;
CREATE INDEX interactions_by_contact ON interactions (contact, started_ms, id)
    WHERE contact IS NOT NULL;
