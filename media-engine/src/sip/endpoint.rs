//! The owner of all SIP state: datagrams in, datagrams and call events out.
