-- Who administers the installation belongs to no company, and tries calls in each from a window of their own.
ALTER TABLE devices ADD COLUMN visitor TEXT REFERENCES users (id) ON DELETE CASCADE;
CREATE UNIQUE INDEX devices_visitor ON devices (company, visitor);
