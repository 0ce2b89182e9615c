//! Criterion benches and the load comparison.
