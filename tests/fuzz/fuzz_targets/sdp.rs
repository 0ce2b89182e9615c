//! libFuzzer around `sim::fuzz::sdp`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sim::fuzz::sdp(data));
