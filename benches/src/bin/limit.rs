//! The bare visit loop: what N callers cost before any engine.
//!
//! `limit [legs …]`, by default 500, 1,000 and 2,000 legs for 5 s each; `SECONDS=n` for longer.

#![allow(
    clippy::print_stdout,
    reason = "bench programs speak through their output"
)]

use std::io;
use std::time::Duration;

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
    match words.as_slice() {
        ["peer"] => process::peer(Method::Plain),
        ["subject", method, legs] => {
            let method = if *method == "stamped" {
                Method::Stamped
            } else {
                Method::Plain
            };
            let legs = legs.parse().map_err(io::Error::other)?;
            process::limit_subject(legs, Duration::from_secs(seconds), method)
        }
        [] => compare(&["500", "1000", "2000"]),
        legs => compare(legs),
    }
}

fn compare(legs: &[&str]) -> io::Result<()> {
    println!("load average {}", usage::load_average());
    println!(
        "{:>6} {:>8} {:>16} {:>8} {:>8} {:>8} {:>8}",
        "legs", "method", "us/leg and 20ms", "p50 us", "p99", "p99.9", "lost %"
    );
    for legs in legs {
        for method in ["plain", "stamped"] {
            let figures = process::measure(&["subject", method, legs])?;
            print(legs, method, &figures);
        }
    }
    Ok(())
}

fn print(legs: &str, method: &str, figures: &Figures) {
    let get = |name| figures.get(name).copied().unwrap_or(f64::NAN);
    let lost = 100.0 * (1.0 - get("received") / get("sent"));
    let note = if get("real_time") == 1.0 {
        ""
    } else {
        "  (no real-time scheduling)"
    };
    println!(
        "{legs:>6} {method:>8} {:>16.2} {:>8} {:>8} {:>8} {lost:>8.2}{note}",
        get("cpu_us"),
        get("p50"),
        get("p99"),
        get("p999"),
    );
}
