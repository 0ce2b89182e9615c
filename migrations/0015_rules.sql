-- The reasons for which the agents of a company may pause.
CREATE TABLE pauses (
    company     TEXT   NOT NULL REFERENCES companies (id),
    id          TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    limit_s     BIGINT,
    paid        BIGINT NOT NULL,
    disabled    BIGINT NOT NULL,
    created_ms  BIGINT NOT NULL,
    updated_ms  BIGINT NOT NULL,
    PRIMARY KEY (company, id),
    UNIQUE (company, name)
);
INSERT INTO pauses (company, id, name, limit_s, paid, disabled, created_ms, updated_ms)
SELECT c.id, p.id, p.name, p.limit_s, p.paid, 0, c.created_ms, c.created_ms
  FROM companies c CROSS JOIN (
           SELECT 'almoco' AS id, 'Almoço' AS name, 3600 AS limit_s, 0 AS paid
 UNION ALL SELECT 'descanso', 'Descanso', 600, 1
 UNION ALL SELECT 'pessoal', 'Pessoal', 300, 1
 UNION ALL SELECT 'reuniao', 'Reunião', NULL, 1
 UNION ALL SELECT 'treinamento', 'Treinamento', NULL, 1
 UNION ALL SELECT 'outro', 'Outro', NULL, 1) p;

-- What agents can do better or worse.
CREATE TABLE skills (
    id          TEXT   NOT NULL PRIMARY KEY,
    company     TEXT   NOT NULL REFERENCES companies (id),
    name        TEXT   NOT NULL,
    created_ms  BIGINT NOT NULL,
    updated_ms  BIGINT NOT NULL,
    UNIQUE (company, name),
    UNIQUE (company, id)
);

CREATE TABLE agent_skills (
    company  TEXT   NOT NULL,
    user_id  TEXT   NOT NULL,
    skill    TEXT   NOT NULL,
    level    BIGINT NOT NULL,
    PRIMARY KEY (user_id, skill),
    FOREIGN KEY (company, user_id) REFERENCES users (company, id) ON DELETE CASCADE,
    FOREIGN KEY (company, skill) REFERENCES skills (company, id)
);

-- What an agent may do with work, where somebody has said it.
CREATE TABLE agent_rules (
    company    TEXT NOT NULL,
    user_id    TEXT NOT NULL PRIMARY KEY,
    transfers  TEXT NOT NULL,
    FOREIGN KEY (company, user_id) REFERENCES users (company, id) ON DELETE CASCADE
);

-- What all desks of a company have in common; the usual where there is no row.
CREATE TABLE desk_settings (
    company     TEXT   NOT NULL PRIMARY KEY REFERENCES companies (id),
    settings    TEXT   NOT NULL,
    updated_ms  BIGINT NOT NULL
);

-- How a service treats its work and its calls; what is not in it is as usual.
ALTER TABLE services ADD COLUMN rules TEXT NOT NULL DEFAULT '{}';
ALTER TABLE services ADD COLUMN calls TEXT NOT NULL DEFAULT '{}';
ALTER TABLE services ADD COLUMN recording_notice TEXT REFERENCES prompts (id);
ALTER TABLE services ADD COLUMN survey TEXT REFERENCES flows (id);
ALTER TABLE services ADD COLUMN caller_number TEXT REFERENCES numbers (id);
ALTER TABLE numbers ADD COLUMN priority BIGINT NOT NULL DEFAULT 0;
