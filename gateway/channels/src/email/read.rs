//! Raw bytes to a [`Mail`].

use super::html;
use super::mail::{Address, File, FileKind, Kind, Mail, Note, Protection};
use super::mime::{Body, HEAD_BYTES_MAX, Head, Part, Walker, file_name, split_head};
use super::report::{self, Bounce};
use super::{marks, meeting};

/// Bytes that are no mail. The shell keeps them as the file of a message that could not be read, and
/// goes on with the next: one broken mail must not stop a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Nothing in it is a field of a mail.
    #[error("the mail has no head")]
    NoHead,
    /// Fetch its head alone and use [`read_head`].
    #[error("the mail has {bytes} bytes, the most is {MAIL_BYTES_MAX}")]
    TooLarge {
        /// How many it has.
        bytes: usize,
    },
    /// The server of the mailbox could not give it.
    #[error("the mail could not be fetched: {text}")]
    NotGiven {
        /// Why, in its words.
        text: String,
    },
    /// No server writes so much.
    #[error("the head of the mail has {bytes} bytes, the most is {HEAD_BYTES_MAX}")]
    HeadTooLong {
        /// How many it has.
        bytes: usize,
    },
}

/// Reads a mail.
pub fn read(raw: &[u8]) -> Result<Mail, Unreadable> {
    if raw.len() > MAIL_BYTES_MAX {
        return Err(Unreadable::TooLarge { bytes: raw.len() });
    }
    let raw = without_envelope(raw);
    let (head, _) = split_head(raw);
    if head.len() > HEAD_BYTES_MAX {
        return Err(Unreadable::HeadTooLong { bytes: head.len() });
    }
    let mut walker = Walker::new();
    let root = walker.walk(raw);
    if !is_head(&root.head) {
        return Err(Unreadable::NoHead);
    }
    let mut mail = from_head(&root.head, &root.mime);
    let mut contents = Contents::default();
    collect(&mut walker, &root, &mut contents, 0);
    finish(&mut mail, contents, &mut walker);
    classify(&mut mail, &walker, &root);
    mail.notes = walker.notes;
    Ok(mail)
}

/// Reads the head of a mail whose body is too large to be fetched.
pub fn read_head(raw: &[u8]) -> Result<Mail, Unreadable> {
    let (head, _) = split_head(without_envelope(raw));
    if head.len() > HEAD_BYTES_MAX {
        return Err(Unreadable::HeadTooLong { bytes: head.len() });
    }
    let walker = Walker::new();
    let head = walker.head(without_envelope(raw));
    if !is_head(&head) {
        return Err(Unreadable::NoHead);
    }
    let mut mail = from_head(&head, &head.mime().unwrap_or_default());
    mail.notes.push(Note::HeadOnly);
    Ok(mail)
}

/// Mailbox files put a line `From …` before a mail, which is no field.
fn without_envelope(raw: &[u8]) -> &[u8] {
    if !raw.starts_with(b"From ") {
        return raw;
    }
    let end = memchr::memchr(b'\n', raw).map_or(raw.len(), |end| end + 1);
    raw.get(end..).unwrap_or_default()
}

/// Any line with a colon would do for a field; a mail has one of these.
fn is_head(head: &Head) -> bool {
    !head.is_empty()
        && [
            "From",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "Received",
            "Sender",
            "Content-Type",
        ]
        .iter()
        .any(|name| head.has(name))
}

fn from_head(head: &Head, mime: &str) -> Mail {
    let from = head.addresses("From");
    let sender = head.addresses("Sender").into_iter().next();
    let marks = marks::of(head, from.first().or(sender.as_ref()), mime);
    let delivered = [
        "Delivered-To",
        "X-Original-To",
        "Envelope-To",
        "X-Envelope-To",
        "X-Forwarded-To",
    ];
    Mail {
        message_id: head.ids("Message-ID").into_iter().next(),
        in_reply_to: head.ids("In-Reply-To"),
        references: head.ids("References"),
        from,
        sender,
        reply_to: head.addresses("Reply-To"),
        to: head.addresses("To"),
        cc: head.addresses("Cc"),
        delivered_to: delivered
            .iter()
            .flat_map(|name| head.texts(name))
            .filter_map(|text| Address::parse(text.trim_matches(['<', '>'])))
            .collect(),
        return_path: head
            .text("Return-Path")
            .map(|path| path.trim_matches(['<', '>', ' ']).to_owned()),
        date_ms: head.date_ms(),
        subject: head
            .text("Subject")
            .unwrap_or_default()
            .chars()
            .take(SUBJECT_CHARS_MAX)
            .collect(),
        marks,
        authentication: head
            .texts("Authentication-Results")
            .into_iter()
            .take(AUTHENTICATION_MAX)
            .collect(),
        protocol: head
            .text(super::PROTOCOL_FIELD)
            .filter(|text| !text.is_empty()),
        ..Mail::default()
    }
}

/// What a mail holds, in the order in which it is shown.
#[derive(Default)]
struct Contents {
    segments: Vec<Segment>,
    files: Vec<File>,
    meeting: Option<super::Meeting>,
    protection: Option<Protection>,
}

/// A stretch of the body: the same in one form or in two.
#[derive(Default)]
struct Segment {
    text: Option<String>,
    html: Option<String>,
}

fn collect(walker: &mut Walker, part: &Part<'_>, contents: &mut Contents, depth: usize) {
    match (&part.body, part.mime.as_str()) {
        (Body::Multipart(parts), "multipart/alternative") => {
            alternative(walker, parts, contents, depth);
        }
        (Body::Multipart(parts), mime) => {
            protected(part, mime, contents);
            for part in parts {
                collect(walker, part, contents, depth + 1);
            }
        }
        (Body::Leaf(_), _) => leaf(walker, part, contents),
    }
}

/// The same in several forms: each form at most once, whatever else is there beside them.
fn alternative(walker: &mut Walker, parts: &[Part<'_>], contents: &mut Contents, depth: usize) {
    let mut segment = Segment::default();
    for part in parts {
        let mut inner = Contents::default();
        collect(walker, part, &mut inner, depth + 1);
        for found in inner.segments {
            // The last is the richest of its kind (RFC 2046 section 5.1.4); an empty one is no form.
            let is_text =
                |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
            if is_text(&found.text) {
                segment.text = found.text;
            }
            if is_text(&found.html) {
                segment.html = found.html;
            }
        }
        contents.files.extend(inner.files);
        contents.meeting = contents.meeting.take().or(inner.meeting);
        contents.protection = contents.protection.or(inner.protection);
    }
    contents.segments.push(segment);
}

fn protected(part: &Part<'_>, mime: &str, contents: &mut Contents) {
    let protocol = part
        .head
        .parameter("protocol")
        .unwrap_or_default()
        .to_ascii_lowercase();
    let found = match (mime, protocol.contains("pgp")) {
        ("multipart/signed", true) => Protection::PgpSigned,
        ("multipart/signed", false) => Protection::SmimeSigned,
        ("multipart/encrypted", _) => Protection::PgpEncrypted,
        _ => return,
    };
    contents.protection.get_or_insert(found);
}

fn leaf(walker: &mut Walker, part: &Part<'_>, contents: &mut Contents) {
    let name = part.head.file_name();
    let named = name.is_some() && !contents.segments.is_empty();
    let is_body = !part.head.is_attachment() && !named;
    match part.mime.as_str() {
        "text/plain" | "text" if is_body => {
            let text = part.text();
            if text.starts_with("-----BEGIN PGP MESSAGE-----") {
                contents.protection = Some(Protection::PgpEncrypted);
            } else if text.starts_with("-----BEGIN PGP SIGNED MESSAGE-----") {
                contents.protection = Some(Protection::PgpSigned);
            }
            contents.segments.push(Segment {
                text: Some(text),
                html: None,
            });
        }
        "text/html" if is_body => {
            contents.segments.push(Segment {
                text: None,
                html: Some(part.text()),
            });
        }
        mime => {
            let mut file = file(walker, part, mime, name);
            if file.kind == FileKind::Calendar {
                contents.meeting = contents
                    .meeting
                    .take()
                    .or_else(|| meeting::read(&part.text()));
            }
            if let Some(protection) = of_file(part, &file) {
                file.kind = FileKind::Protection;
                contents.protection.get_or_insert(protection);
            }
            contents.files.push(file);
        }
    }
}

fn file(walker: &Walker, part: &Part<'_>, mime: &str, name: Option<String>) -> File {
    let bytes = part.bytes();
    let kind = match mime {
        "message/rfc822" | "message/global" => {
            let head = walker.head(&bytes);
            FileKind::Mail {
                from: head.addresses("From").into_iter().next(),
                subject: head.text("Subject").unwrap_or_default(),
                message_id: head.ids("Message-ID").into_iter().next(),
            }
        }
        "application/ms-tnef" | "application/vnd.ms-tnef" => FileKind::Winmail,
        "text/calendar" | "application/ics" => FileKind::Calendar,
        _ if name
            .as_deref()
            .is_some_and(|name| name.eq_ignore_ascii_case("winmail.dat")) =>
        {
            FileKind::Winmail
        }
        _ => FileKind::Plain,
    };
    let name = name.or_else(|| match &kind {
        FileKind::Mail { subject, .. } => {
            file_name(&format!("{}.eml", subject.replace(['/', '\\'], "-")))
        }
        FileKind::Winmail => Some("winmail.dat".to_owned()),
        FileKind::Calendar => Some("invite.ics".to_owned()),
        FileKind::Plain | FileKind::Protection => None,
    });
    File {
        name,
        mime: mime.to_owned(),
        content_id: part.head.ids("Content-ID").into_iter().next(),
        shown: false,
        kind,
        bytes,
    }
}

/// What a file says of the protection of the whole.
fn of_file(part: &Part<'_>, file: &File) -> Option<Protection> {
    match file.mime.as_str() {
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => {
            let signed = part
                .head
                .parameter("smime-type")
                .is_some_and(|kind| kind.eq_ignore_ascii_case("signed-data"));
            Some(if signed {
                Protection::SmimeSigned
            } else {
                Protection::SmimeEncrypted
            })
        }
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => {
            Some(Protection::SmimeSigned)
        }
        "application/pgp-signature" => Some(Protection::PgpSigned),
        "application/pgp-encrypted" => Some(Protection::PgpEncrypted),
        _ => None,
    }
}

/// Joins the stretches of the body, and finds which files the HTML shows.
fn finish(mail: &mut Mail, contents: Contents, walker: &mut Walker) {
    let Contents {
        mut segments,
        mut files,
        meeting,
        protection,
    } = contents;
    for segment in &mut segments {
        if let Some(html) = &segment.html
            && !html::is_safe_to_parse(html)
        {
            walker.note(Note::HtmlLeftOut);
            segment.text = segment.text.take().or_else(|| Some(html::crude_text(html)));
            segment.html = None;
        }
    }
    let text: Vec<String> = segments
        .iter()
        .filter_map(|segment| match (&segment.text, &segment.html) {
            (Some(text), _) => Some(text.trim_end().to_owned()),
            (None, Some(html)) => Some(html::text(html)),
            (None, None) => None,
        })
        .filter(|text| !text.is_empty())
        .collect();
    mail.text = text.join("\n\n");
    if let Some(cut) = mail
        .text
        .char_indices()
        .nth(TEXT_CHARS_MAX)
        .map(|(at, _)| at)
    {
        mail.text.truncate(cut);
        walker.note(Note::TextCut);
    }
    if segments.iter().any(|segment| segment.html.is_some()) {
        let html: Vec<String> = segments
            .into_iter()
            .filter_map(|segment| segment.html.or_else(|| Some(html::of_text(&segment.text?))))
            .collect();
        let html = html.join("\n<hr>\n");
        if html::is_safe_to_parse(&html) {
            mail.html = Some(html);
        } else {
            walker.note(Note::HtmlLeftOut);
        }
    }
    if let Some(html) = &mail.html {
        let shown = html::content_ids(html);
        for file in &mut files {
            file.shown = file
                .content_id
                .as_ref()
                .is_some_and(|id| shown.contains(id));
        }
    }
    mail.files = files;
    mail.meeting = meeting;
    mail.protection = protection;
}

fn classify(mail: &mut Mail, walker: &Walker, root: &Part<'_>) {
    let report = (root.mime == "multipart/report")
        .then(|| report::of_report(walker, root))
        .flatten();
    let by_machine = mail.marks.iter().any(|mark| {
        matches!(
            mark,
            super::Mark::RoleSender | super::Mark::EmptyReturnPath | super::Mark::Report
        )
    });
    let words = || -> Option<Bounce> {
        by_machine
            .then(|| report::of_words(walker, root, &mail.subject, &mail.text))
            .flatten()
    };
    mail.kind = if let Some(kind) = report {
        kind
    } else if let Some(bounce) = words() {
        Kind::Bounce(bounce)
    } else if marks::is_auto_reply(&root.head, &mail.subject, &mail.marks) {
        Kind::AutoReply
    } else {
        Kind::Ordinary
    };
}

/// What large providers let pass (25 MB of file is 35 MB in base64).
pub const MAIL_BYTES_MAX: usize = 36 * 1024 * 1024;
/// What is shown and searched; a thread of years quoted whole stays below.
const TEXT_CHARS_MAX: usize = 300_000;
/// RFC 5322 section 2.1.1 has lines of 998.
const SUBJECT_CHARS_MAX: usize = 998;
/// One of each server on the way.
const AUTHENTICATION_MAX: usize = 10;
