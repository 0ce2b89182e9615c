//! Pages that our own tool chains made and that are in the program: how browsers are given them.

use std::borrow::Cow;
use std::io::Write as _;

use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse as _, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use include_dir::Dir;

use super::problem::Problem;

/// Scripts and styles by their names, as browsers take them.
pub(super) type Packed = Vec<(&'static str, Vec<u8>)>;

/// The scripts and styles of what was made: packed once.
pub(super) fn pack(made: &'static Dir<'static>) -> Packed {
    let assets = made.get_dir("assets").into_iter().flat_map(Dir::files);
    let named = assets.filter_map(|file| {
        let name = file.path().file_name()?.to_str()?;
        Some((name, packed(file.contents())))
    });
    named.collect()
}

/// A file, as small as it gets.
fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packing = GzEncoder::new(Vec::new(), Compression::best());
    // Into memory: this cannot fail.
    let _ = packing.write_all(bytes);
    packing.finish().unwrap_or_default()
}

fn takes_packed(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING);
    let accepted = accepted.and_then(|value| value.to_str().ok());
    accepted.is_some_and(|list| {
        list.split(',').any(|one| {
            let (name, weight) = one.split_once(';').unwrap_or((one, ""));
            name.trim() == "gzip" && weight.trim() != "q=0"
        })
    })
}

/// A script or style. Its name says what is in it, so it is kept for ever.
pub(super) fn asset(
    (made, all): (&'static Dir<'static>, &'static Packed),
    file: &str,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let found = all.iter().find(|(name, _)| *name == file);
    let (name, packed) = found.ok_or_else(Problem::not_found)?;
    let plain = made.get_file(format!("assets/{name}"));
    let plain = plain.ok_or_else(Problem::not_found)?.contents();
    let keep = [
        (header::CONTENT_TYPE, kind_of(name)),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::VARY, "accept-encoding"),
    ];
    Ok(if takes_packed(headers) {
        let encoding = [(header::CONTENT_ENCODING, "gzip")];
        (keep, encoding, packed.as_slice()).into_response()
    } else {
        (keep, plain).into_response()
    })
}

/// A page or a script that is looked for each time.
pub(super) fn text(
    kind: &'static str,
    policy: &str,
    text: impl Into<Cow<'static, str>>,
    headers: &HeaderMap,
) -> Response {
    let text = text.into();
    let head = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::VARY, "accept-encoding"),
    ];
    let mut response = if takes_packed(headers) {
        let encoding = [(header::CONTENT_ENCODING, "gzip")];
        (head, encoding, packed(text.as_bytes())).into_response()
    } else {
        (head, text.into_owned()).into_response()
    };
    if let (false, Ok(policy)) = (policy.is_empty(), policy.parse()) {
        let name = HeaderName::from_static("content-security-policy");
        response.headers_mut().insert(name, policy);
    }
    response
}

/// Our own sockets, by name: not every browser takes `'self'` for them.
pub(super) fn sockets(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    if host.is_empty() || !host.bytes().all(is_host) {
        return String::new();
    }
    format!(" ws://{host} wss://{host}")
}

/// What browsers are told that a file of this name is.
pub(super) fn kind_of(file: &str) -> &'static str {
    match file.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some(_) | None => "text/plain; charset=utf-8",
    }
}
