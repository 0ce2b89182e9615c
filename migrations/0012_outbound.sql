-- By which carriers calls leave.
CREATE TABLE outbound_routes (
    id                    TEXT   NOT NULL PRIMARY KEY,
    company               TEXT   NOT NULL REFERENCES companies (id),
    name                  TEXT   NOT NULL,
    trunk                 TEXT   NOT NULL,
    prefix                TEXT   NOT NULL,
    priority              BIGINT NOT NULL,
    weight                BIGINT NOT NULL,
    calls_max             BIGINT,
    calls_per_second_max  BIGINT,
    cost_per_minute       BIGINT NOT NULL,
    caller_number         TEXT,
    disabled              BIGINT NOT NULL,
    created_ms            BIGINT NOT NULL,
    updated_ms            BIGINT NOT NULL,
    UNIQUE (company, name),
    UNIQUE (company, id),
    FOREIGN KEY (company, trunk) REFERENCES trunks (company, id)
);

-- Who may call whom and how much, and what callees see: a document a company.
CREATE TABLE outbound_rules (
    company     TEXT   NOT NULL PRIMARY KEY REFERENCES companies (id),
    rules       TEXT   NOT NULL,
    updated_ms  BIGINT NOT NULL
);

-- What limits are counted by. Readable when carrier, agent or service are gone: no references.
CREATE TABLE outbound_calls (
    id               TEXT   NOT NULL PRIMARY KEY,
    company          TEXT   NOT NULL,
    interaction      TEXT   NOT NULL,
    user_id          TEXT,
    service          TEXT,
    trunk            TEXT,
    number           TEXT   NOT NULL,
    cost_per_minute  BIGINT NOT NULL,
    started_ms       BIGINT NOT NULL,
    answered_ms      BIGINT,
    ended_ms         BIGINT,
    cost             BIGINT NOT NULL
);
CREATE INDEX outbound_calls_by_time ON outbound_calls (started_ms);
CREATE INDEX outbound_calls_by_interaction ON outbound_calls (interaction);
