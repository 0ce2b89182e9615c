//! What mail servers report of our mails: not delivered, late, called spam, opened.
//!
//! RFC 3464 says how; servers that do not follow it are read by their words.

use desk::words;
use serde::{Deserialize, Serialize};

use super::mail::{Address, Kind};
use super::mime::{Body, Part, Walker};

/// A mail of ours that did not arrive, or is late.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounce {
    /// Ids that the report quotes, the most certain first. One of them is our mail's.
    pub of: Vec<String>,
    /// What became of it, for each recipient told.
    pub recipients: Vec<Recipient>,
}

/// What became of a mail for one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// Who, as we addressed them where the report tells it.
    pub address: String,
    /// What was done.
    pub action: Action,
    /// The status (RFC 3463), such as `5.1.1`; empty if none is told.
    pub status: String,
    /// The words of the server that refused.
    pub diagnostic: String,
    /// That server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
}

impl Recipient {
    /// Whether the address takes no mail at all, so that a second such bounce marks it invalid: the
    /// mailbox or the domain is not there (RFC 3463 subjects 1 and mailbox disabled).
    pub fn address_is_dead(&self) -> bool {
        const DEAD: &[&str] = &[
            "5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1",
        ];
        self.action == Action::Failed && DEAD.contains(&self.status.as_str())
    }
}

words! {
    /// What a server did with a mail (RFC 3464 section 2.3.3).
    Action {
        /// It will not arrive.
        Failed = "failed",
        /// It is tried again.
        Delayed = "delayed",
        /// It is in the mailbox.
        Delivered = "delivered",
        /// It went on to where no reports are made.
        Relayed = "relayed",
        /// It went on to the members of a list.
        Expanded = "expanded",
    }
}

/// Somebody called a mail of ours spam (RFC 5965).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complaint {
    /// `abuse`, `fraud`, `opt-out` …
    pub kind: String,
    /// The id of our mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// Who complained: they get no more mail that they did not ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Address>,
}

/// What a `multipart/report` reports.
pub(super) fn of_report(walker: &Walker, report: &Part<'_>) -> Option<Kind> {
    let find = |mime: &str| report.parts().iter().find(|part| part.mime == mime);
    if let Some(status) =
        find("message/delivery-status").or_else(|| find("message/global-delivery-status"))
    {
        let mut bounce = delivery_status(walker, &status.text());
        bounce.of = quoted_ids(walker, report);
        return Some(Kind::Bounce(bounce));
    }
    if let Some(feedback) = find("message/feedback-report") {
        let fields = walker.fields(feedback.text().as_bytes());
        let recipient = fields
            .text("Original-Rcpt-To")
            .or_else(|| fields.text("Removal-Recipient"));
        return Some(Kind::Complaint(Complaint {
            kind: fields.text("Feedback-Type").unwrap_or_default(),
            of: quoted_ids(walker, report).into_iter().next(),
            recipient: recipient.and_then(|text| Address::parse(text.trim_matches(['<', '>']))),
        }));
    }
    let receipt = find("message/disposition-notification")?;
    let fields = walker.fields(receipt.text().as_bytes());
    let of = fields
        .text("Original-Message-ID")
        .map(|id| bare(&id).to_owned());
    Some(Kind::Receipt { of })
}

/// RFC 3464: a group of fields about the mail, then one for each recipient.
fn delivery_status(walker: &Walker, text: &str) -> Bounce {
    let groups = text
        .split("\n\n")
        .map(str::trim)
        .filter(|group| !group.is_empty());
    let recipients = groups
        .filter_map(|group| recipient(walker, group))
        .take(RECIPIENTS_MAX)
        .collect();
    Bounce {
        of: vec![],
        recipients,
    }
}

fn recipient(walker: &Walker, group: &str) -> Option<Recipient> {
    let fields = walker.fields(group.as_bytes());
    let address = fields
        .text("Original-Recipient")
        .or_else(|| fields.text("Final-Recipient"))?;
    let address = after_type(&address).trim_matches(['<', '>']).to_owned();
    let status = fields.text("Status").unwrap_or_default();
    let status = status
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned();
    let action = fields
        .text("Action")
        .unwrap_or_default()
        .to_ascii_lowercase();
    let by_status = if status.starts_with('4') {
        Action::Delayed
    } else {
        Action::Failed
    };
    Some(Recipient {
        address,
        action: action.parse().unwrap_or(by_status),
        status,
        diagnostic: cut(after_type(
            &fields.text("Diagnostic-Code").unwrap_or_default(),
        )),
        remote: fields
            .text("Remote-MTA")
            .map(|remote| after_type(&remote).to_owned()),
    })
}

/// `rfc822; ana@example.com`: what follows the type.
fn after_type(value: &str) -> &str {
    value.split_once(';').map_or(value, |(_, rest)| rest).trim()
}

fn cut(text: &str) -> String {
    text.chars().take(DIAGNOSTIC_CHARS_MAX).collect()
}

fn bare(id: &str) -> &str {
    id.trim().trim_matches(['<', '>'])
}

/// The ids of the mail that a report is about: from the copy that it holds, else from its words.
fn quoted_ids(walker: &Walker, report: &Part<'_>) -> Vec<String> {
    let mut ids = vec![];
    for part in report.parts() {
        if !matches!(part.body, Body::Leaf(_)) {
            continue;
        }
        match part.mime.as_str() {
            "message/rfc822"
            | "message/global"
            | "text/rfc822-headers"
            | "message/rfc822-headers" => {
                ids.extend(walker.head(&part.bytes()).ids("Message-ID"));
            }
            "text/plain" => ids.extend(ids_in(&part.text())),
            _ => {}
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    ids
}

/// Ids that stand anywhere in a text, `Message-ID: <…>`.
fn ids_in(text: &str) -> Vec<String> {
    let mut ids = vec![];
    for line in text.lines().take(LINES_MAX) {
        let found = line
            .to_ascii_lowercase()
            .find("message-id:")
            .and_then(|at| line.get(at + "message-id:".len()..));
        if let Some(id) = found.map(bare)
            && id.contains('@')
            && !id.contains(char::is_whitespace)
        {
            ids.push(id.to_owned());
        }
    }
    ids
}

/// A bounce of a server that does not follow RFC 3464: told by a machine, with a status or a reply
/// code among the words. `parts` are those of the whole mail.
pub(super) fn of_words(
    walker: &Walker,
    mail: &Part<'_>,
    subject: &str,
    text: &str,
) -> Option<Bounce> {
    let subject = subject.to_lowercase();
    let says_so = BOUNCE_SUBJECTS.iter().any(|words| subject.contains(words));
    let (status, line) = text
        .lines()
        .take(LINES_MAX)
        .find_map(|line| Some((status_in(line)?, line)))?;
    let address = text.lines().take(LINES_MAX).find_map(address_in);
    if !says_so || address.is_none() {
        return None;
    }
    let mut of: Vec<String> = vec![];
    for part in mail
        .parts()
        .iter()
        .filter(|part| part.mime == "message/rfc822")
    {
        of.extend(walker.head(&part.bytes()).ids("Message-ID"));
    }
    of.extend(ids_in(text));
    Some(Bounce {
        of,
        recipients: vec![Recipient {
            address: address?,
            action: if status.starts_with('4') {
                Action::Delayed
            } else {
                Action::Failed
            },
            status,
            diagnostic: cut(line.trim()),
            remote: None,
        }],
    })
}

/// `550 5.1.1 …` or `#5.1.1`: the status of RFC 3463, or one made from the reply code.
fn status_in(line: &str) -> Option<String> {
    let words = || line.split(|c: char| !(c.is_ascii_digit() || c == '.'));
    let enhanced = words().find(|word| {
        let numbers: Vec<&str> = word.split('.').collect();
        matches!(numbers.as_slice(), ["4" | "5", b, c] if (1..=3).contains(&b.len()) && (1..=3).contains(&c.len()))
    });
    if let Some(status) = enhanced {
        return Some(status.to_owned());
    }
    let code = words()
        .find(|word| word.len() == 3 && (word.starts_with("55") || word.starts_with("45")))?;
    Some(
        if code.starts_with('5') {
            "5.0.0"
        } else {
            "4.0.0"
        }
        .to_owned(),
    )
}

fn address_in(line: &str) -> Option<String> {
    line.split(|c: char| c.is_whitespace() || "<>():;,\"'".contains(c))
        .find_map(Address::parse)
        .map(|address| address.address)
}

/// What servers that make their own bounces write above them; in lower case.
const BOUNCE_SUBJECTS: &[&str] = &[
    "undeliver",
    "delivery fail",
    "failure notice",
    "delivery status",
    "returned mail",
    "returning message",
    "mail delivery",
    "não entregue",
    "falha na entrega",
    "não foi possível entregar",
    "devolvid",
    "no entregado",
    "no se pudo entregar",
    "devuelto",
];
/// Each of our mails goes to few; a report about more is somebody's attempt.
const RECIPIENTS_MAX: usize = 100;
/// Some servers put a whole page there.
const DIAGNOSTIC_CHARS_MAX: usize = 500;
/// A bounce says what it has to say at once.
const LINES_MAX: usize = 400;
