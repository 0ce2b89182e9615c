//! What a file is, by its bytes.

/// How many of the first bytes of a file are looked at.
pub const HEAD_BYTES: usize = 16 * 1024;

/// What bytes say that they are, by the first [`HEAD_BYTES`] of a file.
pub fn sniff(head: &[u8]) -> &'static str {
    // Text that is markup is asked first: what a browser would take for a page is never less.
    if let Some(mime) = markup(head) {
        return mime;
    }
    if head.get(4..8) == Some(b"ftyp") && head.get(8..11) == Some(b"3gp") {
        return "video/3gpp";
    }
    // It begins like a script.
    if head.starts_with(b"#!AMR") {
        return "audio/amr";
    }
    if head.starts_with(SHORTCUT) {
        return "application/x-ms-shortcut";
    }
    match infer::get(head) {
        Some(kind) => usual(kind.mime_type()),
        None if is_text(head) => "text/plain",
        None => UNKNOWN,
    }
}

/// The same type as providers and browsers call it.
fn usual(mime: &'static str) -> &'static str {
    match mime {
        "audio/opus" => "audio/ogg",
        "audio/m4a" => "audio/mp4",
        "audio/x-wav" => "audio/wav",
        "audio/x-flac" => "audio/flac",
        "video/x-m4v" => "video/mp4",
        "application/vnd.rar" => "application/x-rar-compressed",
        other => other,
    }
}

/// Whether a browser may show a file of this type in a page of ours: pictures of dots, sound and film.
/// Everything else is saved, not shown: pages, SVG and XML would run what they carry.
pub fn may_show(mime: &str) -> bool {
    SHOWN.contains(&mime)
}

/// Whether a file is one that a computer runs when it is opened, by what its bytes say and by what its
/// name would make of it.
pub fn runs(mime: &str, name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    let extension = extension.unwrap_or_default().to_ascii_lowercase();
    PROGRAMS.contains(&mime) || PROGRAM_NAMES.contains(&extension.as_str())
}

/// Whether bytes are text that begins like a page, a drawing or another tree, whatever stands before.
fn markup(head: &[u8]) -> Option<&'static str> {
    if !is_text(head) {
        return None;
    }
    // Letters of UTF-16 have a zero beside them.
    let letters = head.iter().filter(|byte| **byte != 0);
    let text: Vec<u8> = letters.map(u8::to_ascii_lowercase).collect();
    let text = String::from_utf8_lossy(&text);
    let begins =
        text.trim_start_matches(|letter: char| letter.is_whitespace() || letter > '\u{7f}');
    if begins.starts_with("#!") {
        return Some("text/x-shellscript");
    }
    let holds = |tags: &[&str]| tags.iter().any(|tag| text.contains(tag));
    if holds(PAGES) {
        Some("text/html")
    } else if text.contains("<svg") {
        Some("image/svg+xml")
    } else if begins.starts_with("<?xml") || begins.starts_with("<!doctype") {
        Some("text/xml")
    } else {
        None
    }
}

/// Whether bytes are letters: UTF-8 or another kind with ASCII in it, or UTF-16 that says so.
fn is_text(head: &[u8]) -> bool {
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        return true;
    }
    let is_letter =
        |byte: &u8| *byte >= 0x20 || matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b);
    // A letter may be cut off at the end.
    let text = match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() || is_mostly_ascii(head),
    };
    text && !head.is_empty() && head.iter().all(is_letter)
}

/// Letters of Windows-1252 are few among the others of a Portuguese text.
fn is_mostly_ascii(head: &[u8]) -> bool {
    let others = head.iter().filter(|byte| !byte.is_ascii()).count();
    others * 4 <= head.len()
}

const UNKNOWN: &str = "application/octet-stream";

/// The first bytes of a shortcut of Windows, which opens whatever it likes.
const SHORTCUT: &[u8] = &[0x4c, 0, 0, 0, 0x01, 0x14, 0x02, 0];

/// What makes a browser take text for a page, or run something in it.
const PAGES: &[&str] = &[
    "<!doctype html",
    "<html",
    "<head",
    "<body",
    "<script",
    "<iframe",
    "<meta",
    "<img",
    "<style",
    "<div",
    "<table",
    "<title",
    "<a ",
    "<form",
    "<object",
    "<embed",
    "<link",
    "<base",
    "javascript:",
];

const SHOWN: &[&str] = &[
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "audio/ogg",
    "audio/mpeg",
    "audio/mp4",
    "audio/aac",
    "audio/amr",
    "audio/wav",
    "audio/flac",
    "video/mp4",
    "video/webm",
    "video/3gpp",
    "video/quicktime",
];

const PROGRAMS: &[&str] = &[
    "application/java",
    "application/vnd.android.dex",
    "application/vnd.android.dey",
    "application/vnd.debian.binary-package",
    "application/vnd.microsoft.portable-executable",
    "application/wasm",
    "application/x-executable",
    "application/x-google-chrome-extension",
    "application/x-llvm",
    "application/x-mach-binary",
    "application/x-ms-shortcut",
    "application/x-rpm",
    "application/x-shockwave-flash",
    "text/x-shellscript",
];

const PROGRAM_NAMES: &[&str] = &[
    "apk", "app", "appimage", "bat", "cmd", "com", "cpl", "deb", "dll", "dmg", "exe", "hta", "iso",
    "jar", "js", "jse", "lnk", "msi", "msp", "pif", "pkg", "ps1", "psm1", "reg", "rpm", "scr",
    "sh", "vb", "vbe", "vbs", "wsf", "wsh",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_say_what_a_file_is() {
        #[rustfmt::skip]
        let rows: [(&[u8], &str); 26] = [
            (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
            (b"\x89PNG\r\n\x1a\n", "image/png"),
            (b"GIF89a<script>alert(1)</script>\0", "image/gif"),
            (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
            (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\0", "application/pdf"),
            (b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead\x01", "audio/ogg"),
            (b"ID3\x04\0\0\0\0\0\0", "audio/mpeg"),
            (b"#!AMR\n\x3c\0", "audio/amr"),
            (b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", "video/mp4"),
            (b"\0\0\0\x18ftyp3gp4\0\0\0\0", "video/3gpp"),
            (b"PK\x03\x04\x14\0\0\0\0\0", "application/zip"),
            (b"MZ\x90\0\x03\0\0\0", "application/vnd.microsoft.portable-executable"),
            (b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "application/x-executable"),
            (b"L\0\0\0\x01\x14\x02\0\0\0\0\0", "application/x-ms-shortcut"),
            (b"#!/bin/sh\nrm -rf /\n", "text/x-shellscript"),
            (b"\n  <!DOCTYPE HTML><p>oi", "text/html"),
            (b"\xef\xbb\xbf<HTML>", "text/html"),
            (b"oi <ScRiPt>alert(1)</script>", "text/html"),
            (b"\xff\xfe<\0s\0c\0r\0i\0p\0t\0>\0", "text/html"),
            (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "image/svg+xml"),
            (b"<?xml version='1.0'?><!-- x --><svg/>", "image/svg+xml"),
            (b"<?xml version='1.0'?><nfe/>", "text/xml"),
            ("Olá, 1 < 2 e 3 > 2".as_bytes(), "text/plain"),
            (b"Ol\xe1, mundo, com acentos de outro tempo", "text/plain"),
            (b"", "application/octet-stream"),
            (b"\0\x01\x02\x03", "application/octet-stream"),
        ];
        for (bytes, expected) in rows {
            assert_eq!(
                sniff(bytes),
                expected,
                "{:?}",
                String::from_utf8_lossy(bytes)
            );
        }
    }

    #[test]
    fn no_page_or_drawing_is_ever_shown_in_a_page_of_ours() {
        for mime in [
            "text/html",
            "image/svg+xml",
            "text/xml",
            "application/pdf",
            "text/plain",
            UNKNOWN,
        ] {
            assert!(!may_show(mime), "{mime}");
        }
        for mime in ["image/png", "audio/ogg", "video/mp4"] {
            assert!(may_show(mime), "{mime}");
        }
    }

    #[test]
    fn what_runs_is_known_by_its_bytes_or_by_its_name() {
        assert!(runs(sniff(b"MZ\x90\0\x03\0\0\0"), "foto.jpg"));
        assert!(runs(sniff(b"#!/bin/sh\n"), ""));
        assert!(runs("text/plain", "limpar.BAT"));
        assert!(runs("application/zip", "jogo.apk"));
        assert!(!runs("application/pdf", "boleto.pdf"));
        assert!(!runs("application/zip", "fotos.zip"));
        assert!(!runs("text/plain", "exe"));
    }
}
