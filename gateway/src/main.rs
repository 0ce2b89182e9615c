//! The program `ramal`.

fn main() {}
