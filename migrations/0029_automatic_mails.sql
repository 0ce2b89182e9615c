-- What a program answered last to an address, by purpose: not again within a day. The address is a hash.
CREATE TABLE automatic_mails (
    channel  TEXT   NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    address  TEXT   NOT NULL,
    purpose  TEXT   NOT NULL,
    message  TEXT   NOT NULL,
    at_ms    BIGINT NOT NULL,
    PRIMARY KEY (channel, address, purpose)
);
CREATE INDEX automatic_mails_by_age ON automatic_mails (at_ms);
