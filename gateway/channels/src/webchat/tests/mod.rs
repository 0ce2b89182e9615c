//! Frames as the protocol writes them, settings as an administrator does, and both as nobody should.

mod client;
mod server;
mod settings;

use desk::id::ServiceId;

const ID: &str = "0192f0aa-8c1d-7000-9000-000000000001";

fn service(id: &str) -> ServiceId {
    id.parse().expect("an id")
}
