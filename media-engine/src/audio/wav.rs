//! Writing and reading the WAV container.
