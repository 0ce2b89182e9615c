-- The number outside at which a device is reached that does not register: an agent's mobile.
ALTER TABLE devices ADD COLUMN number TEXT;
