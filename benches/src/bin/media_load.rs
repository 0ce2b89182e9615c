//! The engine playing prompts to N callers, beside the limit in the same run.
//!
//! `media_load [legs …]`, by default 500, 1,000 and 2,000 callers for 5 s each; `SECONDS=n` for longer.

#![allow(
    clippy::print_stdout,
    reason = "bench programs speak through their output"
)]

use std::io;
use std::time::Duration;

use benches::engine::{self, Doing};
use benches::process::{self, Figures};
use benches::usage;
use benches::visits::Method;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let seconds = std::env::var("SECONDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(5);
    let window = Duration::from_secs(seconds);
    let number = |text: &str| text.parse().map_err(io::Error::other);
    match words.as_slice() {
        ["peer"] => process::peer(Method::Plain),
        ["limit", legs] => {
            let legs = usize::try_from(number(legs)?).map_err(io::Error::other)?;
            process::limit_subject(legs, window, Method::Plain)
        }
        ["engine", legs] => engine::engine_subject(number(legs)?, Doing::Plays, window),
        [] => compare(&["500", "1000", "2000"]),
        legs => compare(legs),
    }
}

fn compare(legs: &[&str]) -> io::Result<()> {
    println!(
        "load average {} (what else the machine does counts against lateness)",
        usage::load_average()
    );
    println!(
        "{:>6} {:>7} {:>16} {:>7} {:>7} {:>7} {:>7} {:>9}",
        "legs", "", "us/leg and 20ms", "p50 us", "p99", "p99.9", "lost %", "KiB/call"
    );
    for legs in legs {
        let limit = process::measure(&["limit", legs])?;
        print(legs, "limit", &limit);
        let engine = process::measure(&["engine", legs])?;
        print(legs, "engine", &engine);
        println!(
            "{legs:>6} {:>7} {:>16.2}",
            "ratio",
            get(&engine, "cpu_us") / get(&limit, "cpu_us")
        );
    }
    Ok(())
}

fn get(figures: &Figures, name: &str) -> f64 {
    figures.get(name).copied().unwrap_or(f64::NAN)
}

fn print(legs: &str, who: &str, figures: &Figures) {
    let lost = 100.0 * (1.0 - get(figures, "received") / get(figures, "sent"));
    let note = if get(figures, "real_time") == 1.0 {
        ""
    } else {
        "  (no real-time scheduling)"
    };
    let kib = get(figures, "kib") / legs.parse().unwrap_or(f64::NAN);
    println!(
        "{legs:>6} {who:>7} {:>16.2} {:>7} {:>7} {:>7} {lost:>7.2} {kib:>9.1}{note}",
        get(figures, "cpu_us"),
        get(figures, "p50"),
        get(figures, "p99"),
        get(figures, "p999"),
    );
}
