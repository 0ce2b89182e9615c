-- Since when a customer wants no advertising by an id: said by themselves, or told by the provider.
ALTER TABLE identities ADD COLUMN no_marketing_ms BIGINT;
