//! The marks of mail that no person wrote (RFC 3834; reference of what mail programs really send).

use super::mail::{Address, Mark};
use super::mime::Head;

/// All marks that a head bears.
pub(super) fn of(head: &Head, from: Option<&Address>, mime: &str) -> Vec<Mark> {
    let text = |name: &str| head.text(name).unwrap_or_default().to_ascii_lowercase();
    let submitted = text("Auto-Submitted");
    let precedence = text("Precedence");
    let suppressed = text("X-Auto-Response-Suppress");
    let role = from.is_some_and(is_role);
    let found = [
        (
            Mark::AutoSubmitted,
            !submitted.is_empty() && !submitted.starts_with("no"),
        ),
        (
            Mark::Precedence,
            matches!(
                precedence.trim(),
                "bulk" | "junk" | "list" | "auto_reply" | "auto-reply"
            ),
        ),
        (
            Mark::List,
            head.has("List-Id") || head.has("List-Unsubscribe"),
        ),
        (
            Mark::AnswersSuppressed,
            ["all", "oof", "autoreply"]
                .iter()
                .any(|word| suppressed.contains(word)),
        ),
        (
            Mark::AutoReply,
            AUTO_REPLY_FIELDS.iter().any(|name| head.has(name)),
        ),
        (Mark::EmptyReturnPath, empty_return_path(head)),
        (Mark::RoleSender, role),
        (Mark::Report, mime == "multipart/report"),
    ];
    found
        .into_iter()
        .filter(|(_, is)| *is)
        .map(|(mark, _)| mark)
        .collect()
}

/// `Return-Path: <>`, the path of what must never be answered (RFC 5321 section 4.5.5).
pub(super) fn empty_return_path(head: &Head) -> bool {
    head.text("Return-Path")
        .is_some_and(|path| path.trim_matches(['<', '>', ' ']).is_empty())
}

/// Whether a program answers for somebody: they are away, or a system took our mail.
pub(super) fn is_auto_reply(head: &Head, subject: &str, marks: &[Mark]) -> bool {
    let submitted = head
        .text("Auto-Submitted")
        .unwrap_or_default()
        .to_ascii_lowercase();
    let precedence = head
        .text("Precedence")
        .unwrap_or_default()
        .to_ascii_lowercase();
    if submitted.starts_with("auto-replied")
        || precedence.starts_with("auto")
        || marks.contains(&Mark::AutoReply)
    {
        return true;
    }
    let subject = subject.to_lowercase();
    // A person may write such a subject too; a program leaves another mark besides, or answers.
    let answers = !marks.is_empty() || head.has("In-Reply-To");
    answers && AWAY_SUBJECTS.iter().any(|words| subject.starts_with(words))
}

/// Whether an address is a machine's, by its name.
pub fn is_role(address: &Address) -> bool {
    let local: String = address
        .local()
        .to_ascii_lowercase()
        .replace(['.', '_'], "-");
    let local = local.split('+').next().unwrap_or_default();
    matches!(
        local,
        "mailer-daemon" | "postmaster" | "bounce" | "bounces" | "maildaemon" | "mail-daemon"
    ) || [
        "noreply",
        "no-reply",
        "nao-responda",
        "naoresponda",
        "nao-responder",
        "donotreply",
        "do-not-reply",
        "no-responder",
    ]
    .iter()
    .any(|name| {
        local == *name
            || local.starts_with(&format!("{name}-"))
            || local.ends_with(&format!("-{name}"))
    }) || local.starts_with("bounce-")
        || local.starts_with("bounces-")
}

const AUTO_REPLY_FIELDS: &[&str] = &[
    "X-Autoreply",
    "X-Autorespond",
    "X-Autoresponse",
    "X-Mail-Autoreply",
];

/// How answers of the absent begin; in lower case.
const AWAY_SUBJECTS: &[&str] = &[
    "resposta automática",
    "resposta automatica",
    "automatic reply",
    "auto:",
    "autoreply",
    "auto-reply",
    "out of office",
    "out of the office",
    "respuesta automática",
    "respuesta automatica",
    "fuera de la oficina",
    "fuera de oficina",
    "fora do escritório",
    "ausência",
    "ausente",
    "em férias",
    "de férias",
];
