//! SIP and tel URIs (RFC 3261 section 19, RFC 3966).
