//! The one place that reads the system's randomness: everything else is seeded from here.

use std::io::Read;

/// A seed that nobody can guess: SSRCs, sequence numbers, ports and tags are drawn from generators
/// that start with it.
pub fn seed() -> std::io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut seed)?;
    Ok(seed)
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_seeds_differ() {
        assert_ne!(super::seed().expect("Linux"), super::seed().expect("Linux"));
    }
}
