//! libFuzzer around `sim::fuzz::dtls`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sim::fuzz::dtls(data));
