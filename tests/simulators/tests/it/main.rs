//! The simulator's own tests: each provider's words, the window, faults and tries again.

mod company;
mod dialog360;
mod erp;
mod faults;
mod graph;
mod gupshup;
mod http;
mod ours;
mod retries;
mod templates;
mod twilio;
mod window;
mod zenvia;
