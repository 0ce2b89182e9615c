-- What each leg of a call said and heard in SIP, without secrets: a JSON array of messages.
CREATE TABLE sip_ladders (
    interaction  TEXT   NOT NULL,
    leg          BIGINT NOT NULL,
    company      TEXT   NOT NULL,
    messages     TEXT   NOT NULL,
    left_out     BIGINT NOT NULL,
    PRIMARY KEY (interaction, leg)
);
