-- What customers answered after calls: one row a question of an interaction, the last answer.
CREATE TABLE survey_answers (
    interaction  TEXT   NOT NULL,
    question     TEXT   NOT NULL,
    company      TEXT   NOT NULL REFERENCES companies (id),
    service      TEXT   NOT NULL,
    agent        TEXT,
    flow         TEXT   NOT NULL,
    answer       TEXT   NOT NULL,
    at_ms        BIGINT NOT NULL,
    PRIMARY KEY (interaction, question)
);
CREATE INDEX survey_answers_by_time ON survey_answers (company, at_ms);
