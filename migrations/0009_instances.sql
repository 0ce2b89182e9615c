-- The process that handles an interaction: several may share a database, and each closes what it
-- left open itself. Empty where it was opened before processes had names.
ALTER TABLE interactions ADD COLUMN instance TEXT;
