//! A prompt: 20 ms frames in each codec that calls use. Playing one is copying.
