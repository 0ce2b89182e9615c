//! libFuzzer around `sim::fuzz::rtp`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sim::fuzz::rtp(data));
