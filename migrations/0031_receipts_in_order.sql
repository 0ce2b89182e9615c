-- What came is worked on in the order in which it came: each process counts what it received.
ALTER TABLE receipts ADD COLUMN seq BIGINT NOT NULL DEFAULT 0;
DROP INDEX receipts_open;
CREATE INDEX receipts_open ON receipts (instance, seq, id) WHERE done_ms IS NULL;
