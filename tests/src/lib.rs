//! The simulated world, torture, http, interop and tidy tests.

pub mod fuzz;
pub mod world;
