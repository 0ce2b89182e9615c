//! The program: HTTP, WebSocket, workers, configuration.

pub mod config;
