//! The program: HTTP, WebSocket, workers, configuration.

pub mod config;
pub mod playback;
pub mod sound_files;
pub mod voices;
