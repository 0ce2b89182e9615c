//! What strangers may cost us: rates, back-off per source and per account.
