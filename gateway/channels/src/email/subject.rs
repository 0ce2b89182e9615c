//! Subjects: what they say behind `Re:`, `RES:`, `ENC:` and their like, and the protocol number in them.

use super::mime::one_line;

/// A subject without what programs put before it and without a protocol number.
pub fn base_subject(subject: &str) -> String {
    let mut rest = subject.to_owned();
    if let Some((from, to)) = protocol_range(subject) {
        rest.replace_range(from..to, " ");
    }
    let mut rest = rest.trim();
    while let Some(shorter) =
        prefix(rest).and_then(|(_, shorter)| (shorter.len() < rest.len()).then_some(shorter))
    {
        rest = shorter.trim_start();
    }
    one_line(rest)
}

/// Whether a subject says that something is passed on.
pub fn is_forward(subject: &str) -> bool {
    prefix(subject.trim()).is_some_and(|(prefix, _)| FORWARDS.contains(&prefix.as_str()))
}

/// The protocol number in a subject: `[#20261122000123]`.
pub fn protocol(subject: &str) -> Option<String> {
    let (from, to) = protocol_range(subject)?;
    subject.get(from + 2..to - 1).map(str::to_owned)
}

/// A subject that bears a protocol number.
pub fn with_protocol(subject: &str, number: &str) -> String {
    if protocol(subject).as_deref() == Some(number) {
        return subject.to_owned();
    }
    format!("{} [#{number}]", subject.trim()).trim().to_owned()
}

/// The subject of an answer: of the mail that is answered, not of the first of the conversation.
pub fn answer(subject: &str) -> String {
    format!("Re: {}", unprefixed(subject))
}

/// The subject under which a mail is passed on, with the mark of the language.
pub fn forward(subject: &str, mark: &str) -> String {
    format!("{mark}: {}", unprefixed(subject))
}

fn unprefixed(subject: &str) -> String {
    let mut rest = subject.trim();
    while let Some((_, shorter)) = prefix(rest) {
        rest = shorter.trim_start();
    }
    one_line(rest)
}

fn protocol_range(subject: &str) -> Option<(usize, usize)> {
    let mut at = 0;
    while let Some(found) = subject.get(at..)?.find("[#") {
        let begin = at + found;
        let digits = subject.get(begin + 2..)?;
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        if (DIGITS_MIN..=DIGITS_MAX).contains(&count) && digits.get(count..)?.starts_with(']') {
            return Some((begin, begin + 2 + count + 1));
        }
        at = begin + 2;
    }
    None
}

/// The mark before the first colon, in lower case without a count (`Re[2]`), and what follows it.
fn prefix(subject: &str) -> Option<(String, &str)> {
    let (mark, rest) = subject.split_once(':')?;
    let mark = mark.trim().to_lowercase();
    let bare = mark
        .split(['[', '('])
        .next()
        .unwrap_or_default()
        .trim_end()
        .to_owned();
    let known = ANSWERS.contains(&bare.as_str()) || FORWARDS.contains(&bare.as_str());
    known.then_some((bare, rest))
}

const ANSWERS: &[&str] = &[
    "re",
    "res",
    "resp",
    "ref",
    "aw",
    "sv",
    "rif",
    "r",
    "antw",
    "resposta",
    "respuesta",
    "resposta automática",
    "automatic reply",
    "respuesta automática",
    "lida",
    "read",
    "leído",
    "aceito",
    "aceita",
    "accepted",
    "aceptado",
];
const FORWARDS: &[&str] = &[
    "enc",
    "fw",
    "fwd",
    "rv",
    "encaminhada",
    "encaminhado",
    "tr",
    "wg",
    "reenviado",
];
/// A date and a counter: `YYYYMMDD` and digits.
const DIGITS_MIN: usize = 8;
/// Longer ones are of somebody else.
const DIGITS_MAX: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_the_same_behind_whatever_programs_put_before_it() {
        for subject in [
            "Pedido 123",
            "Re: Pedido 123",
            "RES: ENC: Re[2]: Pedido   123",
            "Fwd: Pedido 123 [#20261122000123]",
            "RV: [#20261122000123] Pedido 123",
            "Resposta automática: Pedido 123",
        ] {
            assert_eq!(base_subject(subject), "Pedido 123", "{subject}");
        }
        assert_eq!(base_subject("Relatório: Pedido"), "Relatório: Pedido");
        assert_eq!(base_subject("Re:"), "");
        assert_eq!(base_subject(""), "");
    }

    #[test]
    fn a_protocol_is_digits_in_its_brackets_and_nothing_else() {
        assert_eq!(
            protocol("Re: x [#20261122000123] y").as_deref(),
            Some("20261122000123")
        );
        for none in [
            "[#12]",
            "[#2026112200012x]",
            "#20261122000123",
            "[#",
            "[#123456789012345678901234567890]",
            "é[#",
        ] {
            assert_eq!(protocol(none), None, "{none}");
        }
        assert_eq!(
            protocol("[#1] [#20261122000123]").as_deref(),
            Some("20261122000123")
        );
    }

    #[test]
    fn answers_do_not_pile_up_marks() {
        assert_eq!(answer("RES: Re: Pedido"), "Re: Pedido");
        assert_eq!(forward("Re: Pedido", "ENC"), "ENC: Pedido");
        assert_eq!(
            with_protocol("Re: Pedido [#20261122000123]", "20261122000123"),
            "Re: Pedido [#20261122000123]"
        );
        assert_eq!(
            with_protocol("Pedido", "20261122000123"),
            "Pedido [#20261122000123]"
        );
        assert!(is_forward("ENC: x") && is_forward("fwd: x") && !is_forward("Re: x"));
    }
}
