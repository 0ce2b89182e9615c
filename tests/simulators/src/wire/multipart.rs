//! Forms with files in them (RFC 7578).

/// A part of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    pub(crate) name: String,
    pub(crate) file_name: Option<String>,
    pub(crate) mime: Option<String>,
    pub(crate) bytes: &'a [u8],
}

/// Reads a form of this `Content-Type`. None where it is none.
pub(crate) fn parts<'a>(content_type: &str, body: &'a [u8]) -> Option<Vec<Part<'a>>> {
    if !content_type.starts_with("multipart/form-data") {
        return None;
    }
    let boundary = attribute(content_type, "boundary")?;
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    // What stands before the first boundary, which may have no line before it.
    let first = format!("--{boundary}").into_bytes();
    let mut rest = &body[find(body, &first)? + first.len()..];
    let mut parts = vec![];
    while !rest.starts_with(b"--") {
        rest = rest.strip_prefix(b"\r\n")?;
        let end = find(rest, &delimiter)?;
        parts.push(part(&rest[..end])?);
        rest = &rest[end + delimiter.len()..];
    }
    Some(parts)
}

fn part(text: &[u8]) -> Option<Part<'_>> {
    let head_end = find(text, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&text[..head_end]).ok()?;
    let header = |name: &str| {
        head.split("\r\n").find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    let disposition = header("content-disposition")?;
    Some(Part {
        name: attribute(disposition, "name")?,
        file_name: attribute(disposition, "filename"),
        mime: header("content-type").map(str::to_owned),
        bytes: &text[head_end + 4..],
    })
}

/// An attribute of a header: `name="value"` or `name=value`.
fn attribute(header: &str, name: &str) -> Option<String> {
    header.split(';').skip(1).find_map(|piece| {
        let (key, value) = piece.trim().split_once('=')?;
        (key == name).then(|| value.trim_matches('"').to_owned())
    })
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_to_its_last_byte() {
        let body = b"--x\r\nContent-Disposition: form-data; name=\"type\"\r\n\r\nimage/png\r\n\
            --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\
            Content-Type: image/png\r\n\r\n\x89PNG\r\n\r\n--x--\r\n";
        let parts = parts("multipart/form-data; boundary=x", body).expect("a form");
        assert_eq!(
            (parts[0].name.as_str(), parts[0].bytes),
            ("type", &b"image/png"[..])
        );
        assert_eq!(parts[1].file_name.as_deref(), Some("a.png"));
        assert_eq!(parts[1].mime.as_deref(), Some("image/png"));
        assert_eq!(parts[1].bytes, b"\x89PNG\r\n");
    }

    #[test]
    fn what_is_no_form_or_is_cut_off_is_none() {
        let cases: [(&str, &[u8]); 5] = [
            ("application/json", b"{}"),
            ("multipart/form-data", b"--x--"),
            ("multipart/form-data; boundary=x", b""),
            (
                "multipart/form-data; boundary=x",
                b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb",
            ),
            (
                "multipart/form-data; boundary=x",
                b"--x\r\nno head\r\n--x--",
            ),
        ];
        for (content_type, body) in cases {
            assert_eq!(parts(content_type, body), None, "{content_type}");
        }
        let empty = parts("multipart/form-data; boundary=x", b"--x--\r\n");
        assert_eq!(empty, Some(vec![]));
    }
}
