//! The program: HTTP, WebSocket, workers, configuration.

pub mod config;
pub mod fetch;
pub mod messages;
pub mod playback;
pub mod secrets;
pub mod sound_files;
pub mod voices;
