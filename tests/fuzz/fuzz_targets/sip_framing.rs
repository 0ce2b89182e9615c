//! libFuzzer around `sim::fuzz::sip_framing`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sim::fuzz::sip_framing(data));
