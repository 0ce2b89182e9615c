-- The second factor of who logs in: a secret shared with their authenticator app, encrypted. It counts from
-- `since_ms` on; before, its owner has not shown a code of it. No code counts twice: `last_step` is the last.
CREATE TABLE second_factors (
    user_id    TEXT   NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret     BYTEA  NOT NULL,
    since_ms   BIGINT,
    last_step  BIGINT NOT NULL
);

-- Codes on paper, for who lost the app: each counts once.
CREATE TABLE recovery_codes (
    user_id  TEXT NOT NULL REFERENCES second_factors (user_id) ON DELETE CASCADE,
    hash     TEXT NOT NULL,
    PRIMARY KEY (user_id, hash)
);
