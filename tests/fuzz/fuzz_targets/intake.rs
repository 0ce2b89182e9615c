//! libFuzzer around `sim::fuzz::intake`.
//!
//! The decoders of others panic on some files, and the intake catches that (its tests name the known
//! ones). libFuzzer's own panic hook would end the run there; without it, only a panic that gets out
//! of the intake does.

#![no_main]

libfuzzer_sys::fuzz_target!(
    init: {
        std::panic::set_hook(Box::new(|_| {}));
    },
    |data: &[u8]| sim::fuzz::intake(data)
);
