//! Uploaded and synthesised audio on its way to becoming a prompt.

pub mod intake;
pub mod loudness;
pub mod prompt;
pub mod resample;
pub mod wav;
