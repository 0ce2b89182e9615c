//! SRTP with keys from SDP (RFC 3711, RFC 4568).
