-- The last protocol number given out, a row per company and day.
CREATE TABLE protocol_counts (
    company  TEXT   NOT NULL REFERENCES companies (id),
    day      BIGINT NOT NULL,
    count    BIGINT NOT NULL,
    PRIMARY KEY (company, day)
);

-- What was dialled and chosen stays readable when number, trunk or service are gone: no
-- references to configuration.
CREATE TABLE interactions (
    id            TEXT   NOT NULL PRIMARY KEY,
    company       TEXT   NOT NULL REFERENCES companies (id),
    protocol      TEXT   NOT NULL,
    medium        TEXT   NOT NULL,
    direction     TEXT   NOT NULL,
    state         TEXT   NOT NULL,
    from_address  TEXT   NOT NULL,
    from_name     TEXT   NOT NULL,
    to_address    TEXT   NOT NULL,
    number        TEXT,
    trunk         TEXT,
    device        TEXT,
    sip_call_id   TEXT   NOT NULL,
    flow          TEXT,
    flow_version  BIGINT,
    service       TEXT,
    codec         TEXT,
    started_ms    BIGINT NOT NULL,
    answered_ms   BIGINT,
    queued_ms     BIGINT,
    ended_ms      BIGINT,
    ended_by      TEXT,
    cause         TEXT,
    sip_status    BIGINT,
    quality       TEXT,
    UNIQUE (company, protocol)
);
CREATE INDEX interactions_by_time ON interactions (company, started_ms, id);
CREATE INDEX interactions_open ON interactions (id) WHERE ended_ms IS NULL;

-- Append-only.
CREATE TABLE trail (
    interaction  TEXT   NOT NULL,
    seq          BIGINT NOT NULL,
    at_ms        BIGINT NOT NULL,
    kind         TEXT   NOT NULL,
    detail       TEXT   NOT NULL,
    PRIMARY KEY (interaction, seq)
);

CREATE TABLE voice_messages (
    id           TEXT   NOT NULL PRIMARY KEY,
    company      TEXT   NOT NULL REFERENCES companies (id),
    interaction  TEXT   NOT NULL,
    service      TEXT,
    file         TEXT   NOT NULL,
    bytes        BIGINT NOT NULL,
    duration_ms  BIGINT NOT NULL,
    left_ms      BIGINT NOT NULL,
    heard_ms     BIGINT
);
CREATE INDEX voice_messages_by_company ON voice_messages (company, id);
