//! WhatsApp in Meta's own words: what the Cloud API and 360dialog have in common.

pub(crate) mod answer;
pub(crate) mod content;
pub(crate) mod health;
pub(crate) mod news;
pub(crate) mod read;
pub(crate) mod write;
