//! Which process this is: several may share a database, and each knows its own calls again after a
//! crash.

use std::io;
use std::path::Path;

use desk::id::InstanceId;
use rand::RngCore;

use crate::files;

/// The name of the process that keeps its data in this folder, made when it runs there first.
///
/// # Errors
///
/// What the disk says.
pub fn of(folder: &Path, now_ms: i64, random: &mut impl RngCore) -> io::Result<InstanceId> {
    let file = folder.join(FILE);
    let known = match std::fs::read_to_string(&file) {
        Ok(text) => text.trim().parse().ok(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if let Some(known) = known {
        return Ok(known);
    }
    let made = InstanceId::new(now_ms, random);
    files::write_whole(&file, made.as_str().as_bytes())?;
    Ok(made)
}

/// The file in the data folder.
const FILE: &str = "instance";

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn a_process_keeps_its_name_and_two_never_share_one() {
        let (one, two) = (tempfile::tempdir(), tempfile::tempdir());
        let (one, two) = (one.expect("a folder"), two.expect("a folder"));
        let mut random = StdRng::seed_from_u64(1);
        let first = of(one.path(), 1, &mut random).expect("a name");
        assert_eq!(of(one.path(), 2, &mut random).expect("a name"), first);
        assert_ne!(of(two.path(), 1, &mut random).expect("a name"), first);
        std::fs::write(one.path().join(FILE), "").expect("written");
        let anew = of(one.path(), 3, &mut random).expect("a name");
        assert_ne!(anew, first, "a file that a crash left empty names nobody");
    }
}
