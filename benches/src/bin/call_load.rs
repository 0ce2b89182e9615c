//! Calls of two parties each, relayed and recorded, beside the limit in the same run; and how much later
//! what one says reaches the other.
//!
//! `call_load [legs …]`, by default 500 and 1,000 legs for 5 s each; `SECONDS=n` for longer.

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
        ["peer"] => process::peer(Method::Timed),
        ["limit", legs] => {
            let legs = usize::try_from(number(legs)?).map_err(io::Error::other)?;
            process::limit_subject(legs, window, Method::Plain)
        }
        ["call", legs] => engine::engine_subject(number(legs)?, Doing::Talks, window),
        ["recorded", legs] => engine::engine_subject(number(legs)?, Doing::TalksRecorded, window),
        [] => compare(&["500", "1000"]),
        legs => compare(legs),
    }
}

fn compare(legs: &[&str]) -> io::Result<()> {
    println!("load average {}", usage::load_average());
    println!(
        "{:>6} {:>9} {:>16} {:>6} {:>17} {:>7} {:>7} {:>7} {:>9}",
        "legs",
        "",
        "us/leg and 20ms",
        "ratio",
        "relay delay us p50",
        "p99",
        "p99.9",
        "lost %",
        "KiB/leg"
    );
    for legs in legs {
        let (limit, _) = process::measure_with(&["limit", legs], &["peer"])?;
        print(legs, "limit", &limit, &limit, None);
        for doing in ["call", "recorded"] {
            let (engine, delay) = process::measure_with(&[doing, legs], &["peer"])?;
            print(legs, doing, &engine, &limit, Some(&delay));
        }
    }
    Ok(())
}

fn print(legs: &str, who: &str, figures: &Figures, limit: &Figures, delay: Option<&Figures>) {
    let get = |figures: &Figures, name| figures.get(name).copied().unwrap_or(f64::NAN);
    let delay = |name| delay.map_or(f64::NAN, |delay| get(delay, name));
    let lost = 100.0 * (1.0 - get(figures, "received") / get(figures, "sent"));
    let note = if get(figures, "real_time") == 1.0 {
        ""
    } else {
        "  (no real-time scheduling)"
    };
    println!(
        "{legs:>6} {who:>9} {:>16.2} {:>6.2} {:>17} {:>7} {:>7} {lost:>7.2} {:>9.1}{note}",
        get(figures, "cpu_us"),
        get(figures, "cpu_us") / get(limit, "cpu_us"),
        delay("delay_p50"),
        delay("delay_p99"),
        delay("delay_p999"),
        get(figures, "kib") / legs.parse().unwrap_or(f64::NAN),
    );
}
