-- The phone that somebody's window is: one of each person, made when the window first asks for it.
ALTER TABLE devices ADD COLUMN browser BIGINT NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX devices_browser ON devices (user_id) WHERE browser = 1;
