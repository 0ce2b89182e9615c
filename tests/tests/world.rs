//! The whole product in a bad world: what must be true whatever happens.

#![allow(
    clippy::print_stderr,
    reason = "a seed that fails is worth nothing when it is not told"
)]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Instant;

use rand::rngs::StdRng;
use sim::world::{Scenario, Summary, World};

/// The one clock read of these tests: only differences count.
fn origin() -> Instant {
    Instant::now()
}

/// How many seeds a test runs: as many as it says, or `RAMAL_WORLD_TIMES` times as many, or
/// the one of `RAMAL_WORLD_SEED` alone.
fn seeds(usual: u64) -> std::ops::Range<u64> {
    let times = std::env::var("RAMAL_WORLD_TIMES").ok();
    let times = times.and_then(|text| text.parse().ok()).unwrap_or(1);
    let first = std::env::var("RAMAL_WORLD_SEED").ok();
    match first.and_then(|text| text.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..usual * times,
    }
}

/// Runs a world for each seed, says which seed broke, and adds up what happened.
fn run(usual: u64, scenario: fn(&mut StdRng) -> Scenario) -> Summary {
    let start = origin();
    let mut all = Summary::default();
    for seed in seeds(usual) {
        let world = World::new(start, seed, scenario);
        let one = catch_unwind(AssertUnwindSafe(|| world.run())).unwrap_or_else(|panic| {
            eprintln!("seed {seed} breaks: RAMAL_WORLD_SEED={seed}");
            resume_unwind(panic)
        });
        all.placed += one.placed;
        all.from_device += one.from_device;
        all.answered += one.answered;
        all.refused += one.refused;
        all.joined += one.joined;
        all.interactions += one.interactions;
        all.pressed += one.pressed;
        all.owed += one.owed;
        all.heard += one.heard;
        all.lasted_ms += one.lasted_ms;
    }
    eprintln!("{all:?}");
    all
}

#[test]
fn whatever_happens_each_call_and_each_record_ends_once_and_nothing_is_left() {
    let all = run(1_000, Scenario::any);
    // The world is rich enough to mean something.
    if std::env::var_os("RAMAL_WORLD_SEED").is_none() {
        let Summary {
            from_device,
            answered,
            refused,
            joined,
            heard,
            ..
        } = all;
        let least = [from_device, answered, refused, joined, heard]
            .into_iter()
            .min();
        assert!(least > Some(100), "{all:?}");
    }
}

#[test]
fn each_key_is_heard_once_while_a_tenth_of_the_packets_is_lost() {
    let all = run(200, Scenario::keys);
    if std::env::var_os("RAMAL_WORLD_SEED").is_none() {
        assert!(all.owed > 300, "{all:?}");
    }
}

#[test]
fn the_same_seed_makes_the_same_history() {
    let start = origin();
    for seed in seeds(20) {
        let run = || World::new(start, seed, Scenario::any).run();
        assert_eq!(run(), run(), "seed {seed}");
    }
}
