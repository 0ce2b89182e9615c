//! What the benches share: the bare visit loop, the processes it runs in, and what they used.
//!
//! Every figure is measured between two processes, as in the field: the *subject*, whose CPU time
//! counts, and its *peer*, which sends to it and reads what it sends. The kernel charges a
//! loopback packet's way in to its sender, so each process pays for one way out and one way in per
//! leg and 20 ms. Traffic stays on 127.0.0.0/8.

#![allow(
    clippy::print_stdout,
    reason = "bench programs speak through their output"
)]

pub mod engine;
pub mod process;
pub mod server;
pub mod usage;
pub mod visits;
