//! Who is calling: P-Asserted-Identity, Privacy, Diversion, read only where trusted.
