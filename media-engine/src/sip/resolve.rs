//! Where a URI leads (RFC 3263): NAPTR, SRV, A and AAAA, with failover.
