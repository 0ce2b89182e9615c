//! The program: HTTP, WebSocket, workers, configuration.

pub mod api_key;
pub mod channels;
pub mod config;
pub mod demo;
pub mod files;
pub mod first;
pub mod flights;
pub mod http;
pub mod instance;
pub mod kept;
pub mod live;
pub mod messages;
pub mod passwords;
pub mod playback;
pub mod recordings;
pub mod records;
pub mod second_factor;
pub mod secrets;
pub mod serve;
pub mod setup;
pub mod sound_files;
pub mod speech;
pub mod telephony;
pub mod transcript;
pub mod usual;
pub mod voices;
