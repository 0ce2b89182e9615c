//! Damaged messages and streams: whatever arrives, nothing panics, and what is accepted can be
//! answered.

#[path = "../../media-engine/tests/mutate/mod.rs"]
mod mutate;

use bytes::Bytes;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use sim::fuzz;

/// Quick enough for every run.
const ROUNDS: usize = 100_000;

#[test]
fn damaged_messages_harm_nobody() {
    let corpus = mutate::corpus();
    let mut random = SmallRng::seed_from_u64(1);
    let mut accepted = 0;
    for round in 0..ROUNDS {
        let mut message = corpus[round % corpus.len()].1.clone();
        mutate::mutate(&mut message, &corpus, &mut random);
        accepted += usize::from(fuzz::handle_sip_message(Bytes::from(message)));
    }
    // Damage that leaves nothing whole, or nothing broken, would try nothing.
    let plausible = ROUNDS / 20..ROUNDS * 9 / 10;
    assert!(plausible.contains(&accepted), "{accepted} accepted");
}

#[test]
fn damaged_streams_are_cut_alike_however_they_arrive() {
    let corpus = mutate::corpus();
    let mut random = SmallRng::seed_from_u64(2);
    for round in 0..ROUNDS / 20 {
        let mut stream = corpus[round % corpus.len()].1.clone();
        stream.extend_from_slice(&corpus[(round * 7) % corpus.len()].1);
        mutate::mutate(&mut stream, &corpus, &mut random);
        fuzz::sip_framing(&stream);
    }
}
