CREATE TABLE calendars (
    id          TEXT   NOT NULL PRIMARY KEY,
    company     TEXT   NOT NULL REFERENCES companies (id),
    name        TEXT   NOT NULL,
    hours       TEXT   NOT NULL,
    created_ms  BIGINT NOT NULL,
    updated_ms  BIGINT NOT NULL,
    UNIQUE (company, name),
    UNIQUE (company, id)
);

CREATE TABLE services (
    id                 TEXT   NOT NULL PRIMARY KEY,
    company            TEXT   NOT NULL REFERENCES companies (id),
    name               TEXT   NOT NULL,
    wait_limit_s       BIGINT NOT NULL,
    waiting_max        BIGINT,
    music_prompt       TEXT,
    announcements      TEXT   NOT NULL,
    say_position       BIGINT NOT NULL,
    unanswered_prompt  TEXT,
    calendar           TEXT,
    disabled           BIGINT NOT NULL,
    created_ms         BIGINT NOT NULL,
    updated_ms         BIGINT NOT NULL,
    UNIQUE (company, name),
    UNIQUE (company, id),
    FOREIGN KEY (company, music_prompt) REFERENCES prompts (company, id),
    FOREIGN KEY (company, unanswered_prompt) REFERENCES prompts (company, id),
    FOREIGN KEY (company, calendar) REFERENCES calendars (company, id)
);
