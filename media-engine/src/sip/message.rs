//! A SIP message: its bytes, and where in them each part stands.
