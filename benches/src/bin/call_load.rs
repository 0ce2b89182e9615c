//! Calls of two parties each, relayed and recorded, beside the limit in the same run; and how much later
//! what one says reaches the other.
//!
//! `call_load [legs …]`, by default 500 and 1,000 legs, three rounds of 5 s of each; `SECONDS=n` for longer.

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
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            rounds.push(
                SUBJECTS
                    .map(|subject| process::measure_with(&[subject, legs], &["peer"]))
                    .into_iter()
                    .collect::<io::Result<Vec<_>>>()?,
            );
        }
        let of = |subject: usize| Rounds(rounds.iter().map(|round| &round[subject]).collect());
        for (at, subject) in SUBJECTS.into_iter().enumerate() {
            print(legs, subject, &of(at), &of(0));
        }
    }
    Ok(())
}

/// What is compared, the limit first.
const SUBJECTS: [&str; 3] = ["limit", "call", "recorded"];

/// So often all are run in turn. Of CPU time the least counts, as other programs only ever add to it; of
/// delay and loss the most.
const ROUNDS: usize = 3;

/// What one subject and its peer measured in each round.
struct Rounds<'r>(Vec<&'r (Figures, Figures)>);

impl Rounds<'_> {
    fn each(&self, name: &str) -> impl Iterator<Item = f64> {
        let of = |(subject, peer): &(Figures, Figures)| {
            let figure = subject.get(name).or(peer.get(name));
            figure.copied().unwrap_or(f64::NAN)
        };
        self.0.iter().map(move |round| of(round))
    }

    fn least(&self, name: &str) -> f64 {
        self.each(name).fold(f64::NAN, f64::min)
    }

    fn most(&self, name: &str) -> f64 {
        self.each(name).fold(f64::NAN, f64::max)
    }

    fn lost_percent(&self) -> f64 {
        let shares = self.each("received").zip(self.each("sent"));
        let lost = shares.map(|(received, sent)| 100.0 * (1.0 - received / sent));
        lost.fold(f64::NAN, f64::max)
    }
}

fn print(legs: &str, who: &str, rounds: &Rounds<'_>, limit: &Rounds<'_>) {
    let note = if rounds.least("real_time") == 1.0 {
        ""
    } else {
        "  (no real-time scheduling)"
    };
    println!(
        "{legs:>6} {who:>9} {:>16.2} {:>6.2} {:>17} {:>7} {:>7} {:>7.2} {:>9.1}{note}",
        rounds.least("cpu_us"),
        rounds.least("cpu_us") / limit.least("cpu_us"),
        rounds.most("delay_p50"),
        rounds.most("delay_p99"),
        rounds.most("delay_p999"),
        rounds.lost_percent(),
        rounds.most("kib") / legs.parse().unwrap_or(f64::NAN),
    );
}
