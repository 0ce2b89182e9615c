//! Mails of ours: what is answered, to whom, and the very bytes that are sent.
//!
//! Nothing here is left to chance: the same draft under the same stamp is the same mail, so what an
//! agent looks at before sending is what is sent, and a second try is the same mail as the first.
//!
//! ```text
//!  mixed ─┬─ related ─┬─ alternative ─┬─ text
//!         │           │               └─ HTML
//!         │           └─ pictures of the HTML
//!         └─ files
//! ```

use std::collections::{BTreeMap, BTreeSet};

use desk::explain::Language;
use mail_builder::MessageBuilder;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::date::Date;
use mail_builder::headers::message_id::MessageId;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;
use mail_builder::mime::{BodyPart, MimePart};
use sha2::{Digest, Sha256};

use super::document::Document;
use super::html::{self, Images, View};
use super::mail::{Address, Mail};
use super::mime::{file_name, one_line};
use super::subject;
use super::thread::Ours;
use crate::connector::Refusal;

/// A mail to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// From which of our addresses.
    pub from: Address,
    /// Where answers are to go, if elsewhere (an address with a token).
    pub reply_to: Option<Address>,
    /// To whom.
    pub to: Vec<Address>,
    /// Who gets a copy.
    pub cc: Vec<Address>,
    /// Who gets a copy without the others knowing.
    pub bcc: Vec<Address>,
    /// The subject.
    pub subject: String,
    /// What is said.
    pub body: Document,
    /// Below it, the signature.
    pub signature: Option<Document>,
    /// Below that, what is answered or passed on.
    pub quoted: Option<Quoted>,
    /// What it answers.
    pub parent: Option<Parent>,
    /// The protocol number of what it is about.
    pub protocol: Option<String>,
    /// Whether a program wrote it.
    pub automatic: Option<Automatic>,
}

/// The mail that is answered, as the thread goes on from it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parent {
    /// Its id.
    pub message_id: String,
    /// What it answered itself, the oldest first.
    pub references: Vec<String>,
}

/// What is quoted below an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quoted {
    /// The lines that say what it is.
    pub intro: String,
    /// Its text.
    pub text: String,
    /// Its HTML, made harmless.
    pub html: String,
    /// Whether each line gets a mark: answers do, mails passed on do not.
    pub marked: bool,
}

/// What kind of program wrote a mail (RFC 3834 section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Automatic {
    /// It answers a mail: a receipt, a word of absence. It is sent with an empty return path, so that
    /// nothing comes back.
    Replied,
    /// It is sent by itself: a survey, a warning.
    Generated,
}

/// What makes a mail this one mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Its id, from [`super::token::message_id`].
    pub message_id: String,
    /// When it was written, in milliseconds since 1970 (UTC).
    pub date_ms: i64,
}

/// A file that goes along, or a picture of the HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enclosed {
    /// Its name.
    pub name: String,
    /// Its type, from its bytes.
    pub mime: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// A mail, made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// `MAIL FROM`; none is the empty path.
    pub envelope_from: Option<String>,
    /// `RCPT TO`, each once.
    pub envelope_to: Vec<String>,
    /// The mail.
    pub bytes: Vec<u8>,
}

/// To whom an answer goes, and about what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Start {
    /// To whom.
    pub to: Vec<Address>,
    /// Who gets a copy.
    pub cc: Vec<Address>,
    /// The subject.
    pub subject: String,
    /// What it answers.
    pub parent: Option<Parent>,
}

/// Begins an answer: to where its author wants answers, or to all who had it. We are never among them.
pub fn reply(mail: &Mail, ours: &Ours<'_>, all: bool) -> Start {
    let mut seen = BTreeSet::new();
    let mut others = |addresses: &[Address]| -> Vec<Address> {
        let fresh = |address: &&Address| {
            !ours.is(&address.address) && seen.insert(address.address.to_lowercase())
        };
        addresses.iter().filter(fresh).cloned().collect()
    };
    let wanted = if mail.reply_to.is_empty() {
        &mail.from
    } else {
        &mail.reply_to
    };
    let mut to = others(wanted);
    let mut cc = vec![];
    if to.is_empty() {
        to = others(&mail.to); // A mail of ours, gone on with.
    }
    if all {
        to.extend(others(&mail.to));
        cc = others(&mail.cc);
    }
    Start {
        to,
        cc,
        subject: subject::answer(&mail.subject),
        parent: parent(mail),
    }
}

/// Begins a mail that passes another on. It begins a thread of its own.
pub fn forward(mail: &Mail, language: Language) -> Start {
    let mark = match language {
        Language::PtBr => "ENC",
        Language::En => "FW",
        Language::Es => "RV",
    };
    Start {
        subject: subject::forward(&mail.subject, mark),
        ..Start::default()
    }
}

fn parent(mail: &Mail) -> Option<Parent> {
    let references = if mail.references.is_empty() {
        &mail.in_reply_to
    } else {
        &mail.references
    };
    Some(Parent {
        message_id: mail.message_id.clone()?,
        references: references.clone(),
    })
}

impl Quoted {
    /// Quotes a mail below its answer. `when` is its date as people in that place write it.
    pub fn answered(mail: &Mail, when: &str, language: Language) -> Self {
        let who = mail.author().map(ToString::to_string).unwrap_or_default();
        let intro = match language {
            Language::PtBr => format!("Em {when}, {who} escreveu:"),
            Language::En => format!("On {when}, {who} wrote:"),
            Language::Es => format!("El {when}, {who} escribió:"),
        };
        Self::of(mail, intro, true)
    }

    /// Quotes a mail that is passed on.
    pub fn passed_on(mail: &Mail, when: &str, language: Language) -> Self {
        let [title, from, date, about, to] = match language {
            Language::PtBr => ["Mensagem encaminhada", "De", "Data", "Assunto", "Para"],
            Language::En => ["Forwarded message", "From", "Date", "Subject", "To"],
            Language::Es => ["Mensaje reenviado", "De", "Fecha", "Asunto", "Para"],
        };
        let list = |addresses: &[Address]| {
            addresses
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", ")
        };
        let intro = format!(
            "---------- {title} ----------\n{from}: {}\n{date}: {when}\n{about}: {}\n{to}: {}",
            list(&mail.from),
            mail.subject,
            list(&mail.to),
        );
        Self::of(mail, intro, false)
    }

    fn of(mail: &Mail, intro: String, marked: bool) -> Self {
        let media = BTreeMap::new();
        let view = View {
            media: &media,
            images: Images::Kept,
        };
        let html = match &mail.html {
            Some(html) => html::clean(html, &view).html,
            None => html::of_text(&mail.text),
        };
        Self {
            intro,
            text: mail.text.clone(),
            html,
            marked,
        }
    }

    fn as_text(&self) -> String {
        let mut text = format!("{}\n\n", self.intro);
        for line in self.text.lines() {
            match (self.marked, line.starts_with('>')) {
                (true, true) => text.push('>'),
                (true, false) => text.push_str("> "),
                (false, _) => {}
            }
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    fn as_html(&self) -> String {
        let intro = html::of_text(&self.intro);
        let style = "margin:0 0 0 .8ex;border-left:1px solid #ccc;padding-left:1ex";
        if self.marked {
            format!(
                "<div class=\"gmail_quote\">{intro}<blockquote type=\"cite\" style=\"{style}\">{}</blockquote></div>",
                self.html
            )
        } else {
            format!("<div class=\"gmail_quote\">{intro}<br>{}</div>", self.html)
        }
    }
}

/// Makes a mail. `pictures` has those that the body and the signature show, by their ids.
///
/// # Errors
///
/// [`Refusal`]: nobody to send it to, too many, an address that cannot be written, something wrong in
/// the documents, a picture that is not there, or too large a whole.
pub fn compose(
    draft: &Draft,
    stamp: &Stamp,
    pictures: &BTreeMap<String, Enclosed>,
    files: &[Enclosed],
) -> Result<Composed, Refusal> {
    let envelope_to = recipients(draft)?;
    check_size(pictures, files)?;
    draft.body.check()?;
    if let Some(signature) = &draft.signature {
        signature.check()?;
    }
    let mut builder = head(draft, stamp)?;
    builder = builder.body(body(draft, stamp, pictures, files)?);
    let mut bytes = Vec::new();
    builder.serialize(&mut bytes);
    let envelope_from = match draft.automatic {
        Some(Automatic::Replied) => None,
        Some(Automatic::Generated) | None => Some(ascii(&draft.from)?.address),
    };
    Ok(Composed {
        envelope_from,
        envelope_to,
        bytes,
    })
}

fn recipients(draft: &Draft) -> Result<Vec<String>, Refusal> {
    let mut seen = BTreeSet::new();
    let mut recipients = vec![];
    for address in draft.to.iter().chain(&draft.cc).chain(&draft.bcc) {
        if seen.insert(address.address.to_lowercase()) {
            recipients.push(ascii(address)?.address);
        }
    }
    let (field, max) = ("recipients", RECIPIENTS_MAX);
    if recipients.is_empty() {
        return Err(Refusal::Empty { field });
    }
    if recipients.len() > max {
        return Err(Refusal::TooMany { field, max });
    }
    Ok(recipients)
}

fn check_size(pictures: &BTreeMap<String, Enclosed>, files: &[Enclosed]) -> Result<(), Refusal> {
    let bytes: usize = pictures
        .values()
        .chain(files)
        .map(|file| file.bytes.len())
        .sum();
    if bytes > FILES_BYTES_MAX {
        let (what, bytes_max) = ("files", FILES_BYTES_MAX as u64);
        return Err(Refusal::FileTooLarge { what, bytes_max });
    }
    Ok(())
}

/// An address as every server takes it: the domain in ASCII (RFC 5891), nothing that ends a line.
fn ascii(address: &Address) -> Result<Address, Refusal> {
    let parsed = Address::parse(&address.address).ok_or(Refusal::Address)?;
    let domain = match parsed.domain() {
        literal if literal.starts_with('[') => literal.to_owned(),
        domain => url::Host::parse(domain)
            .map_err(|_| Refusal::Address)?
            .to_string(),
    };
    let local = parsed.local();
    if !local.is_ascii() {
        return Err(Refusal::Address); // Needs RFC 6531, which few servers speak.
    }
    let name = address.name.as_deref().map(one_line);
    Ok(Address {
        name,
        address: format!("{local}@{domain}"),
    })
}

type Builder = MessageBuilder<'static>;

fn head(draft: &Draft, stamp: &Stamp) -> Result<Builder, Refusal> {
    let list = |addresses: &[Address]| addresses.iter().map(written).collect::<Result<Vec<_>, _>>();
    let id = check_id(&stamp.message_id)?;
    let mut builder = MessageBuilder::new()
        .header("Date", Date::new(stamp.date_ms.div_euclid(1_000)))
        .header("From", written(&draft.from)?)
        .header("Message-ID", MessageId::new(id.to_owned()));
    for (name, addresses) in [("To", &draft.to), ("Cc", &draft.cc)] {
        if !addresses.is_empty() {
            builder = builder.header(
                name,
                mail_builder::headers::address::Address::new_list(list(addresses)?),
            );
        }
    }
    if draft.to.is_empty() {
        builder = builder.header("To", Raw::new("undisclosed-recipients:;"));
    }
    if let Some(reply_to) = &draft.reply_to {
        builder = builder.header("Reply-To", written(reply_to)?);
    }
    builder = builder.header("Subject", Text::new(one_line(&draft.subject)));
    if let Some(parent) = &draft.parent
        && check_id(&parent.message_id).is_ok()
    {
        builder = builder
            .header("In-Reply-To", MessageId::new(parent.message_id.clone()))
            .header(
                "References",
                MessageId::new_list(references(parent).into_iter()),
            );
    }
    if let Some(protocol) = draft.protocol.as_deref() {
        if protocol.is_empty()
            || !protocol
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        {
            return Err(Refusal::Invalid { field: "protocol" });
        }
        builder = builder.header(super::PROTOCOL_FIELD, Raw::new(protocol.to_owned()));
    }
    let submitted = match draft.automatic {
        Some(Automatic::Replied) => "auto-replied",
        Some(Automatic::Generated) => "auto-generated",
        None => return Ok(builder),
    };
    Ok(builder
        .header("Auto-Submitted", Raw::new(submitted))
        .header("X-Auto-Response-Suppress", Raw::new("All")))
}

fn written(address: &Address) -> Result<mail_builder::headers::address::Address<'static>, Refusal> {
    let Address { name, address } = ascii(address)?;
    let name = name.filter(|name| !name.is_empty());
    Ok(mail_builder::headers::address::Address::new_address(
        name, address,
    ))
}

/// An id that can stand in a field.
fn check_id(id: &str) -> Result<&str, Refusal> {
    let fits = id.len() <= ID_BYTES_MAX
        && id.contains('@')
        && id
            .bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>'));
    fits.then_some(id).ok_or(Refusal::Invalid {
        field: "message_id",
    })
}

/// The thread and the mail that is answered: of long threads the first and the last.
fn references(parent: &Parent) -> Vec<String> {
    let mut ids: Vec<String> = vec![];
    for id in parent.references.iter().chain([&parent.message_id]) {
        if check_id(id).is_ok() && !ids.contains(id) {
            ids.push(id.clone());
        }
    }
    let excess = ids.len().saturating_sub(REFERENCES_MAX);
    ids.drain(1.min(ids.len())..(1 + excess).min(ids.len()));
    ids
}

fn body(
    draft: &Draft,
    stamp: &Stamp,
    pictures: &BTreeMap<String, Enclosed>,
    files: &[Enclosed],
) -> Result<MimePart<'static>, Refusal> {
    let domain = stamp
        .message_id
        .rsplit_once('@')
        .map_or("", |(_, domain)| domain);
    let content_id = |media: &str| format!("{media}@{domain}");
    let (text, html) = said(draft, &|media| format!("cid:{}", content_id(media)));
    let mut part = multipart(
        "alternative",
        stamp,
        vec![
            MimePart::new(utf8("text/plain"), BodyPart::Text(text.into())),
            MimePart::new(utf8("text/html"), BodyPart::Text(html.into())),
        ],
    );
    let shown: BTreeSet<&str> = [Some(&draft.body), draft.signature.as_ref()]
        .into_iter()
        .flatten()
        .flat_map(Document::pictures)
        .collect();
    if !shown.is_empty() {
        let mut parts = vec![part];
        for media in shown {
            let picture = pictures
                .get(media)
                .ok_or(Refusal::Invalid { field: "media" })?;
            parts.push(enclosed(picture, "inline")?.cid(content_id(media)));
        }
        part = multipart("related", stamp, parts);
    }
    if !files.is_empty() {
        let mut parts = vec![part];
        for file in files {
            parts.push(enclosed(file, "attachment")?);
        }
        part = multipart("mixed", stamp, parts);
    }
    Ok(part)
}

/// The text and the HTML of the whole.
fn said(draft: &Draft, place: &dyn Fn(&str) -> String) -> (String, String) {
    let mut text = draft.body.text();
    let mut html = draft.body.html(place);
    if let Some(signature) = draft
        .signature
        .as_ref()
        .filter(|signature| !signature.is_empty())
    {
        // RFC 3676 section 4.3: by this line programs know a signature.
        text.push_str(&format!("\n\n-- \n{}", signature.text()));
        html.push_str(&format!(
            "<div class=\"gmail_signature\">{}</div>\n",
            signature.html(place)
        ));
    }
    if let Some(quoted) = &draft.quoted {
        text.push_str(&format!("\n\n{}", quoted.as_text()));
        html.push_str(&quoted.as_html());
    }
    let html = format!(
        "<!doctype html>\n<html><head><meta charset=\"utf-8\"></head>\n<body style=\"font-family:sans-serif;font-size:14px\">\n{html}</body></html>\n"
    );
    (text.trim_end().to_owned() + "\n", html)
}

fn utf8(kind: &'static str) -> ContentType<'static> {
    ContentType::new(kind).attribute("charset", "utf-8")
}

/// Parts, with a boundary that follows from the id of the mail. No encoding in use writes `=_`.
fn multipart(
    kind: &'static str,
    stamp: &Stamp,
    parts: Vec<MimePart<'static>>,
) -> MimePart<'static> {
    let digest = Sha256::digest(format!("{kind}\0{}", stamp.message_id));
    let boundary = format!("=_{}", hex::encode(digest.get(..12).unwrap_or_default()));
    let kind = ContentType::new(format!("multipart/{kind}")).attribute("boundary", boundary);
    MimePart::new(kind, BodyPart::Multipart(parts))
}

fn enclosed(file: &Enclosed, disposition: &'static str) -> Result<MimePart<'static>, Refusal> {
    let name = file_name(&file.name).ok_or(Refusal::Invalid { field: "name" })?;
    let is_type = |mime: &str| {
        mime.split('/').count() == 2
            && mime
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'-' | b'+' | b'_'))
    };
    if !is_type(&file.mime) {
        return Err(Refusal::Invalid { field: "mime" });
    }
    // A text or a mail must come out as it went in: nothing but base64 leaves line ends alone.
    let kind = ContentType::new(file.mime.clone()).attribute("name", name.clone());
    let disposition = ContentType::new(disposition).attribute("filename", name);
    Ok(
        MimePart::new(kind, BodyPart::Binary(base64_lines(&file.bytes).into()))
            .header("Content-Disposition", disposition)
            .transfer_encoding("base64"),
    )
}

/// RFC 2045 section 6.8: lines of 76.
fn base64_lines(bytes: &[u8]) -> Vec<u8> {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    let mut lines = Vec::with_capacity(text.len() + text.len() / 38);
    for line in text.as_bytes().chunks(76) {
        lines.extend_from_slice(line);
        lines.extend_from_slice(b"\r\n");
    }
    lines
}

/// More is a mailing list, which has other rules.
const RECIPIENTS_MAX: usize = 100;
/// 25 MB of mail are what large providers take; in base64 that is 18 MB of files.
pub const FILES_BYTES_MAX: usize = 18 * 1024 * 1024;
/// RFC 5322 section 3.6.4 advises against long lists; programs look at the first and the last.
const REFERENCES_MAX: usize = 20;
/// What fits a line of RFC 5322 section 2.1.1, with its name.
const ID_BYTES_MAX: usize = 500;
