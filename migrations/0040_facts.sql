-- What reports count, a row a fact, never changed. Readable whatever becomes of services and agents: no
-- references to them. `channel` is where the customer came by: a written channel, or a number.
CREATE TABLE waits (
    work         TEXT   NOT NULL,
    service      TEXT   NOT NULL,
    entered_ms   BIGINT NOT NULL,
    company      TEXT   NOT NULL REFERENCES companies (id),
    interaction  TEXT   NOT NULL,
    medium       TEXT   NOT NULL,
    channel      TEXT,
    ended_ms     BIGINT NOT NULL,
    result       TEXT   NOT NULL,
    agent        TEXT,
    in_target    BIGINT,
    PRIMARY KEY (work, service, entered_ms)
);
CREATE INDEX waits_by_time ON waits (company, entered_ms);
CREATE INDEX waits_by_service ON waits (service, entered_ms);

CREATE TABLE handlings (
    work             TEXT   NOT NULL,
    agent            TEXT   NOT NULL,
    began_ms         BIGINT NOT NULL,
    company          TEXT   NOT NULL REFERENCES companies (id),
    interaction      TEXT   NOT NULL,
    service          TEXT   NOT NULL,
    medium           TEXT   NOT NULL,
    channel          TEXT,
    talked_until_ms  BIGINT NOT NULL,
    ended_ms         BIGINT NOT NULL,
    held_ms          BIGINT NOT NULL,
    result           TEXT   NOT NULL,
    disposition      TEXT,
    PRIMARY KEY (work, agent, began_ms)
);
CREATE INDEX handlings_by_time ON handlings (company, began_ms);

-- Each agent is so until the next row. Within a millisecond the last one stands.
CREATE TABLE presences (
    agent    TEXT   NOT NULL,
    at_ms    BIGINT NOT NULL,
    company  TEXT   NOT NULL REFERENCES companies (id),
    state    TEXT   NOT NULL,
    reason   TEXT,
    PRIMARY KEY (agent, at_ms)
);
CREATE INDEX presences_by_time ON presences (company, at_ms);
CREATE INDEX outbound_calls_by_company ON outbound_calls (company, started_ms);
