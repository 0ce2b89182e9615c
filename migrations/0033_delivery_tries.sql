-- How each attempt to tell a target something ended; a target is often down in more ways than one.
CREATE TABLE delivery_tries (
    target  TEXT   NOT NULL,
    notice  TEXT   NOT NULL,
    at_ms   BIGINT NOT NULL,
    status  BIGINT,
    answer  TEXT   NOT NULL,
    FOREIGN KEY (target, notice) REFERENCES deliveries (target, notice) ON DELETE CASCADE
);
CREATE INDEX delivery_tries_by_delivery ON delivery_tries (target, notice, at_ms);
