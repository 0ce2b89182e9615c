-- Who takes the work of which service.
CREATE TABLE service_agents (
    company  TEXT   NOT NULL,
    service  TEXT   NOT NULL,
    user_id  TEXT   NOT NULL,
    PRIMARY KEY (service, user_id),
    FOREIGN KEY (company, service) REFERENCES services (company, id) ON DELETE CASCADE,
    FOREIGN KEY (company, user_id) REFERENCES users (company, id) ON DELETE CASCADE
);
CREATE INDEX service_agents_by_user ON service_agents (company, user_id);

-- How each agent was last: presence, pause, counts.
CREATE TABLE agent_states (
    user_id     TEXT   NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    record      TEXT   NOT NULL,
    updated_ms  BIGINT NOT NULL
);

ALTER TABLE services ADD COLUMN ring_s BIGINT NOT NULL DEFAULT 15;
ALTER TABLE services ADD COLUMN wrap_up_s BIGINT NOT NULL DEFAULT 0;
