//! The characters of SIP (RFC 3261 section 25.1), and how a value is cut into pieces.

/// Whether `byte` may stand in a token.
pub(crate) fn is_token_byte(byte: u8) -> bool {
    TOKEN[usize::from(byte)]
}

/// Whether `bytes` are a token: one or more token characters.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| is_token_byte(*byte))
}

/// Whether `byte` is linear white space. A folded line leaves CR and LF inside a value.
pub(crate) fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// `bytes` without the white space around them.
pub(crate) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes
        && is_white(*first)
    {
        bytes = rest;
    }
    while let [rest @ .., last] = bytes
        && is_white(*last)
    {
        bytes = rest;
    }
    bytes
}

/// Where the quoted string that begins at `bytes[0]` ends: the index of its closing quote.
pub(crate) fn closing_quote(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2, // a quoted pair: whatever stands behind the backslash is data
            b'"' => return Some(at),
            _ => at += 1,
        }
    }
    None
}

/// Where the first of `stops` stands outside quotes (and, if `angles`, outside `<>`).
///
/// A quote that is never closed swallows the rest: whoever reads the piece finds the fault.
pub(crate) fn find_outside(bytes: &[u8], stop: u8, angles: bool) -> Option<usize> {
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            byte if byte == stop => return Some(at),
            b'"' => at += closing_quote(&bytes[at..])? + 1,
            b'<' if angles => at += bytes[at..].iter().position(|byte| *byte == b'>')? + 1,
            _ => at += 1,
        }
    }
    None
}

/// The elements of a comma list, trimmed; quoted strings and `<>` keep their commas.
///
/// An empty value has no elements. An empty element between two commas is handed out as it is.
pub(crate) fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(trim(value)).filter(|value| !value.is_empty());
    std::iter::from_fn(move || {
        let value = rest?;
        match find_outside(value, b',', true) {
            Some(comma) => {
                rest = Some(&value[comma + 1..]);
                Some(trim(&value[..comma]))
            }
            None => {
                rest = None;
                Some(trim(value))
            }
        }
    })
}

/// A decimal number without sign, as wide as `T`; digits only.
pub(crate) fn number<T: std::str::FromStr>(bytes: &[u8]) -> Option<T> {
    // `str::parse` alone would take a leading plus sign.
    if bytes.is_empty() || !bytes.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// Cuts `bytes` at the first white space: the word before, and what follows it, trimmed.
pub(crate) fn word(bytes: &[u8]) -> (&[u8], &[u8]) {
    let bytes = trim(bytes);
    let end = bytes
        .iter()
        .position(|byte| is_white(*byte))
        .unwrap_or(bytes.len());
    (&bytes[..end], trim(&bytes[end..]))
}

/// Token characters (RFC 3261 section 25.1, `token`).
const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut at = 0;
    while at < 256 {
        #[allow(clippy::cast_possible_truncation)] // `at` is below 256
        let byte = at as u8;
        table[at] = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~'
            );
        at += 1;
    }
    table
};
