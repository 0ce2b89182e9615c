//! libFuzzer around `sim::fuzz::rtcp`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sim::fuzz::rtcp(data));
