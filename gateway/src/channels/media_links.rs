//! Links by which whoever has them has a file for a while: providers fetch what we send at them.

use desk::id::{AttachmentId, CompanyId};

use crate::secrets::{SecretError, Secrets};

/// The path of a link by which anybody has a file until `until_ms`, milliseconds since 1970 (UTC).
///
/// # Errors
///
/// [`SecretError::NoChance`].
pub fn link(
    secrets: &Secrets,
    company: &CompanyId,
    id: &AttachmentId,
    until_ms: i64,
) -> Result<String, SecretError> {
    let says = format!("{until_ms}/{company}/{id}");
    let sealed = secrets.seal(LINKS, says.as_bytes())?;
    Ok(format!("/media/{}", crate::files::hexadecimal(&sealed)))
}

/// Whose file and which a link opens, if it is one of ours and lasts still.
pub fn opened(secrets: &Secrets, token: &str, now_ms: i64) -> Option<(CompanyId, AttachmentId)> {
    if token.len() > LINK_LENGTH_MAX || !token.is_ascii() || !token.len().is_multiple_of(2) {
        return None;
    }
    let digits = |at| u8::from_str_radix(token.get(at..at + 2)?, 16).ok();
    let sealed: Option<Vec<u8>> = (0..token.len()).step_by(2).map(digits).collect();
    let says = secrets.open_sealed(LINKS, &sealed?).ok()?;
    let says = String::from_utf8(says).ok()?;
    let mut parts = says.split('/');
    let until_ms: i64 = parts.next()?.parse().ok()?;
    let whose = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    (now_ms < until_ms).then_some(whose)
}

/// What links are sealed for.
const LINKS: &str = "media-link";

/// Two ids and a time, sealed, in hexadecimal.
const LINK_LENGTH_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_opens_one_file_until_its_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let secrets = Secrets::open(folder.path()).expect("a key");
        let company: CompanyId = "a".parse().expect("an id");
        let id: AttachmentId = "file-1".parse().expect("an id");
        let link = link(&secrets, &company, &id, 1_000).expect("a link");
        let token = link.strip_prefix("/media/").expect("a path");
        assert_eq!(opened(&secrets, token, 999), Some((company, id)));
        assert_eq!(opened(&secrets, token, 1_000), None);
        let last = if token.ends_with('0') { "1" } else { "0" };
        let changed = format!("{}{last}", &token[..token.len() - 1]);
        let sealed_for_others = secrets.seal("device-1", b"9000/a/file-1").expect("sealed");
        let sealed_for_others = crate::files::hexadecimal(&sealed_for_others);
        for bad in [
            changed.as_str(),
            &token[2..],
            &token[1..],
            "",
            "zz",
            "çç",
            &sealed_for_others,
        ] {
            assert_eq!(opened(&secrets, bad, 0), None, "{bad}");
        }
    }
}
