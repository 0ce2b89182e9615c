-- How far the automatic life of each open written interaction is: what the program goes on from when it
-- begins again. The row goes with the end of the interaction.
CREATE TABLE written_lives (
    interaction  TEXT NOT NULL PRIMARY KEY,
    company      TEXT NOT NULL REFERENCES companies (id),
    instance     TEXT,
    record       TEXT NOT NULL
);
