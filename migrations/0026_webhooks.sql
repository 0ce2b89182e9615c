-- Where a company is told of what happens on all its channels and of its calls, beside the webhooks of
-- single channels. `events` has a blank before and behind each name; none are all. `secrets` is ciphertext.
CREATE TABLE webhooks (
    id          TEXT   NOT NULL PRIMARY KEY,
    company     TEXT   NOT NULL REFERENCES companies (id),
    name        TEXT   NOT NULL,
    url         TEXT   NOT NULL,
    events      TEXT,
    channel     TEXT,
    service     TEXT,
    secrets     BYTEA  NOT NULL,
    gone_ms     BIGINT,
    disabled    BIGINT NOT NULL,
    created_ms  BIGINT NOT NULL,
    updated_ms  BIGINT NOT NULL,
    UNIQUE (company, name),
    FOREIGN KEY (company, channel) REFERENCES channels (company, id),
    FOREIGN KEY (company, service) REFERENCES services (company, id)
);

-- Whom something is told. `own` is the webhook of a channel, which is told of that channel alone.
CREATE VIEW targets AS
    SELECT id, company, webhook AS url, secrets, webhook_gone_ms AS gone_ms, id AS channel,
           CAST(NULL AS TEXT) AS service, CAST(NULL AS TEXT) AS events, 1 AS own
      FROM channels WHERE webhook IS NOT NULL AND disabled = 0
    UNION ALL
    SELECT id, company, url, secrets, gone_ms, channel, service, events, 0 AS own
      FROM webhooks WHERE disabled = 0;

-- What is told, in order within an interaction; the same to everybody.
CREATE TABLE notices (
    id           TEXT   NOT NULL PRIMARY KEY,
    interaction  TEXT   NOT NULL,
    seq          BIGINT NOT NULL,
    event        TEXT   NOT NULL,
    at_ms        BIGINT NOT NULL,
    detail       TEXT   NOT NULL,
    body         TEXT,
    UNIQUE (interaction, seq)
);
CREATE INDEX notices_by_time ON notices (at_ms);

INSERT INTO notices (id, interaction, seq, event, at_ms, detail, body)
SELECT d.id, d.interaction, d.seq, d.event, d.created_ms, COALESCE(t.detail, '{}'), d.body
  FROM deliveries d LEFT JOIN trail t ON t.interaction = d.interaction AND t.seq = d.line;

-- A notice to one target. `target` is of a channel or a webhook; who is in the middle of telling it has
-- it until `lease_ms`.
CREATE TABLE told (
    target       TEXT   NOT NULL,
    notice       TEXT   NOT NULL REFERENCES notices (id) ON DELETE CASCADE,
    interaction  TEXT   NOT NULL,
    seq          BIGINT NOT NULL,
    state        TEXT   NOT NULL,
    since_ms     BIGINT NOT NULL,
    due_ms       BIGINT NOT NULL,
    lease_ms     BIGINT NOT NULL,
    attempts     BIGINT NOT NULL,
    tried_ms     BIGINT,
    status       BIGINT,
    answer       TEXT,
    PRIMARY KEY (target, notice)
);
INSERT INTO told (target, notice, interaction, seq, state, since_ms, due_ms, lease_ms, attempts, tried_ms,
                  status, answer)
SELECT channel, id, interaction, seq, state, since_ms, due_ms, 0, attempts, tried_ms, status, answer
  FROM deliveries;
DROP TABLE deliveries;
ALTER TABLE told RENAME TO deliveries;
CREATE INDEX deliveries_due ON deliveries (target, due_ms) WHERE state = 'waiting';
CREATE INDEX deliveries_waiting ON deliveries (target, interaction, seq) WHERE state = 'waiting';
CREATE INDEX deliveries_by_notice ON deliveries (notice);

-- What other systems asked of channels by their keys, and what they were answered: a log, kept for a while.
CREATE TABLE channel_requests (
    id       TEXT   NOT NULL PRIMARY KEY,
    channel  TEXT   NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    api_key  TEXT   NOT NULL,
    at_ms    BIGINT NOT NULL,
    what     TEXT   NOT NULL,
    status   BIGINT NOT NULL,
    code     TEXT,
    field    TEXT,
    message  TEXT,
    took_ms  BIGINT NOT NULL
);
CREATE INDEX channel_requests_by_channel ON channel_requests (channel, id);
CREATE INDEX channel_requests_by_time ON channel_requests (at_ms);
