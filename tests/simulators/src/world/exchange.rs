//! What went over the wire, for people to look at.

use std::collections::VecDeque;

use serde::Serialize;

use crate::provider::Provider;

/// One request and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exchange {
    /// They count up.
    pub id: u64,
    /// When: milliseconds since 1970, by the simulated clock.
    pub at_ms: i64,
    /// Of which provider.
    pub provider: Provider,
    /// Whether the company asked (`in`) or was told (`out`).
    pub direction: &'static str,
    /// In one word.
    pub label: String,
    /// The method of HTTP.
    pub method: String,
    /// The address.
    pub url: String,
    /// What was said.
    pub body: String,
    /// What came back: a status of HTTP, if anything did.
    pub status: Option<u16>,
    /// And what it said.
    pub answer: String,
    /// What is remarkable: a fault that struck, which attempt it was.
    pub note: String,
}

/// The last of them.
#[derive(Debug, Default)]
pub(crate) struct Exchanges {
    next: u64,
    last: VecDeque<Exchange>,
}

impl Exchanges {
    /// Notes one.
    pub(crate) fn push(&mut self, exchange: Exchange) {
        self.next += 1;
        if self.last.len() >= EXCHANGES_MAX {
            self.last.pop_front();
        }
        self.last.push_back(Exchange {
            id: self.next,
            ..exchange
        });
    }

    /// Those after an id.
    pub(crate) fn after(&self, id: u64) -> impl Iterator<Item = &Exchange> {
        self.last.iter().filter(move |exchange| exchange.id > id)
    }
}

/// What of a body is kept.
pub(crate) fn beginning(body: &[u8]) -> String {
    let cut = &body[..body.len().min(BODY_BYTES_MAX)];
    match std::str::from_utf8(body) {
        Ok(_) => String::from_utf8_lossy(cut).into_owned(),
        Err(_) => format!("({} bytes)", body.len()),
    }
}

/// What a person scrolls through.
const EXCHANGES_MAX: usize = 500;

/// A webhook with some messages.
const BODY_BYTES_MAX: usize = 16 << 10;
