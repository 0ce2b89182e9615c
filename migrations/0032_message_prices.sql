-- What a message cost by the company's card of prices, in millionths of a currency (ISO 4217); nothing where the
-- card does not say.
ALTER TABLE message_costs ADD COLUMN currency TEXT;
ALTER TABLE message_costs ADD COLUMN micros BIGINT;
