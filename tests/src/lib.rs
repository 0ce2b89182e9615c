//! The simulated world, torture, http, interop and tidy tests.
