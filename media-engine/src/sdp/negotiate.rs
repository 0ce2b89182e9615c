//! Offer and answer (RFC 3264): from two descriptions to what a leg must do.
