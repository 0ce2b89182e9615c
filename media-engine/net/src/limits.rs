//! The process's own limits.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Raises the number of files this process may open to the hard limit, and returns it.
///
/// A call takes two sockets, a connection one; the usual soft limit of 1,024 files would end at
/// 500 calls.
pub fn raise_open_files() -> std::io::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    }
    Ok(hard)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let hard = raise_open_files().expect("a process may raise its soft limit");
        assert_eq!(
            getrlimit(Resource::RLIMIT_NOFILE).expect("readable"),
            (hard, hard)
        );
    }
}
