//! What of a text its sender wrote now, what is their signature and what they quote.
//!
//! Programs say it with lines of their own, in Portuguese, English and Spanish. Nothing is thrown away:
//! the pieces are of the text as it came. In doubt all of it was written now.

/// A text in its pieces, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split<'a> {
    /// What was written now.
    pub written: &'a str,
    /// The signature below it.
    pub signature: Option<&'a str>,
    /// What is quoted below that, with the line that says so.
    pub quoted: Option<&'a str>,
}

/// Takes a text apart. Lines end with `\n`.
pub fn split(text: &str) -> Split<'_> {
    let lines = lines(text);
    let cut = quotation(&lines);
    let at = cut
        .and_then(|at| lines.get(at))
        .map_or(text.len(), |line| line.begin);
    let (above, quoted) = text.split_at_checked(at).unwrap_or((text, ""));
    let (written, signature) = unsigned(above);
    Split {
        written: written.trim_matches('\n').trim_end(),
        signature: signature.map(str::trim).filter(|text| !text.is_empty()),
        quoted: Some(quoted.trim_end()).filter(|quoted| !quoted.is_empty()),
    }
}

struct Line<'a> {
    begin: usize,
    text: &'a str,
}

fn lines(text: &str) -> Vec<Line<'_>> {
    let mut begin = 0;
    text.split_inclusive('\n')
        .map(|line| {
            let this = begin;
            begin += line.len();
            Line {
                begin: this,
                text: line.trim_end(),
            }
        })
        .collect()
}

/// The line at which a quotation begins that goes to the end. What quotes and says nothing is shown
/// whole, so something must stand above.
fn quotation(lines: &[Line<'_>]) -> Option<usize> {
    let first = lines.iter().position(|line| !line.text.trim().is_empty())?;
    let begins = |at: &usize| {
        let rest = lines.get(*at..).unwrap_or_default();
        is_separator(rest)
            || is_head_block(rest)
            || (attribution(rest).is_some() && all_quoted(rest))
            || is_quote_to_end(rest)
    };
    (first..lines.len()).find(begins).filter(|at| *at > first)
}

/// `-----Mensagem original-----` and its like, or Outlook's rule with a head below it.
fn is_separator(rest: &[Line<'_>]) -> bool {
    let Some(first) = rest.first() else {
        return false;
    };
    let bare = first
        .text
        .trim_matches(|c: char| c == '-' || c == '_' || c == ' ' || c == '*')
        .to_lowercase();
    if first.text.starts_with("--") && SEPARATORS.contains(&bare.as_str()) {
        return true;
    }
    if FORWARDS
        .iter()
        .any(|words| first.text.trim_end_matches(':').eq_ignore_ascii_case(words))
    {
        return true;
    }
    let rule = first.text.len() >= RULE_LENGTH_MIN && first.text.chars().all(|c| c == '_');
    let below = rest.iter().skip(1).position(|line| !line.text.is_empty());
    rule && below.is_some_and(|at| is_head_block(rest.get(at + 1..).unwrap_or_default()))
}

/// Outlook: `De: … Enviado: … Para: … Assunto: …`, one a line.
fn is_head_block(rest: &[Line<'_>]) -> bool {
    let field = |line: &Line<'_>, names: &[&str]| {
        let text = line.text.trim_start_matches('*').to_lowercase();
        names.iter().any(|name| {
            text.strip_prefix(name)
                .is_some_and(|rest| rest.trim_start_matches('*').trim_start().starts_with(':'))
        })
    };
    rest.first().is_some_and(|line| field(line, FROM_FIELDS))
        && rest
            .iter()
            .skip(1)
            .take(HEAD_LINES_MAX)
            .filter(|line| field(line, HEAD_FIELDS))
            .count()
            >= 2
}

/// `Em seg., 2 de nov. de 2026 às 10:00, Ana <ana@example.com> escreveu:` over at most three lines.
/// Tells how many.
fn attribution(rest: &[Line<'_>]) -> Option<usize> {
    let first = rest.first()?.text.trim_start().to_lowercase();
    let begins = ATTRIBUTIONS
        .iter()
        .filter(|(begin, _)| first.starts_with(begin));
    let mut joined = String::new();
    let together = rest.iter().take_while(|line| !line.text.trim().is_empty());
    for (at, line) in together.take(ATTRIBUTION_LINES_MAX).enumerate() {
        joined.push_str(&line.text.trim().to_lowercase());
        let ends = |end: &str| {
            joined.trim_end().ends_with(end) && joined.chars().any(|c| c.is_ascii_digit())
        };
        if begins.clone().any(|(_, end)| ends(end)) {
            return Some(at + 1);
        }
        joined.push(' ');
    }
    // Gmail of old: `2026-11-22 10:00 GMT-03:00 Ana <ana@example.com>:`
    let dated = first
        .as_bytes()
        .get(..4)
        .is_some_and(|year| year.iter().all(u8::is_ascii_digit));
    (dated && first.ends_with(">:") && first.contains('@')).then_some(1)
}

/// Whether nothing is written between and below what an attribution quotes.
fn all_quoted(rest: &[Line<'_>]) -> bool {
    let below = rest
        .get(attribution(rest).unwrap_or(1)..)
        .unwrap_or_default();
    let marked = below
        .iter()
        .any(|line| line.text.trim_start().starts_with('>'));
    !marked || written_below(below).is_none()
}

/// Lines with `>` from here to the end.
fn is_quote_to_end(rest: &[Line<'_>]) -> bool {
    rest.first()
        .is_some_and(|line| line.text.trim_start().starts_with('>'))
        && written_below(rest).is_none()
}

/// The first line that is neither quoted nor empty nor of a signature.
fn written_below(rest: &[Line<'_>]) -> Option<usize> {
    let at = rest
        .iter()
        .position(|line| !line.text.is_empty() && !line.text.trim_start().starts_with('>'))?;
    (!is_signature(rest.get(at)?.text)).then_some(at)
}

/// The text above a signature, and the signature.
fn unsigned(text: &str) -> (&str, Option<&str>) {
    let lines = lines(text);
    let found = lines.iter().enumerate().find(|(at, line)| {
        is_signature(line.text) && lines.len() - at <= SIGNATURE_LINES_MAX && *at > 0
    });
    found
        .and_then(|(_, line)| text.split_at_checked(line.begin))
        .map_or((text, None), |(written, signature)| {
            (written, Some(signature))
        })
}

fn is_signature(line: &str) -> bool {
    let line = line.trim();
    let lower = line.to_lowercase();
    line == "--" || DEVICES.iter().any(|words| lower.starts_with(words))
}

const SEPARATORS: &[&str] = &[
    "mensagem original",
    "mensagem encaminhada",
    "original message",
    "forwarded message",
    "mensaje original",
    "mensaje reenviado",
];
/// What Apple's programs write, without a rule around it.
const FORWARDS: &[&str] = &[
    "Início da mensagem encaminhada",
    "Begin forwarded message",
    "Inicio del mensaje reenviado",
];
const FROM_FIELDS: &[&str] = &["de", "from"];
const HEAD_FIELDS: &[&str] = &[
    "enviado",
    "enviada",
    "enviado em",
    "enviada em",
    "data",
    "para",
    "cc",
    "assunto",
    "sent",
    "date",
    "to",
    "subject",
    "fecha",
    "enviado el",
    "asunto",
];
/// How an attribution begins, and how it ends.
const ATTRIBUTIONS: &[(&str, &str)] = &[
    ("em ", "escreveu:"),
    ("no dia ", "escreveu:"),
    ("on ", "wrote:"),
    ("el ", "escribió:"),
    ("em ", "wrote:"),
    ("on ", "escreveu:"),
];
/// What telephones and programs write below, in lower case.
const DEVICES: &[&str] = &[
    "enviado do meu ",
    "enviado do iphone",
    "enviado do ipad",
    "enviado do outlook",
    "enviado via ",
    "enviado desde mi ",
    "enviado desde el ",
    "obter o outlook",
    "obtenha o outlook",
    "obtener outlook",
    "get outlook for",
    "sent from my ",
    "sent from outlook",
    "sent from mail for",
    "sent via ",
];
/// A signature with a legal notice has some 20.
const SIGNATURE_LINES_MAX: usize = 30;
/// Programs break the line at 78 characters; names and addresses are long.
const ATTRIBUTION_LINES_MAX: usize = 4;
/// De, Enviado, Para, Cc, Assunto, and lines in between.
const HEAD_LINES_MAX: usize = 8;
/// Outlook's rule has 32.
const RULE_LENGTH_MIN: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_now_is_told_from_what_each_program_quotes() {
        #[rustfmt::skip]
        let rows: &[(&str, &str, &str)] = &[
            ("gmail pt", "Obrigado!\n\nEm seg., 2 de nov. de 2026 às 10:00, Loja <sac@loja.example>\nescreveu:\n\n> Olá\n> Tudo bem?\n", "Em seg."),
            ("gmail en", "Thanks\n\nOn Mon, Nov 2, 2026 at 10:00 AM Shop <help@shop.example> wrote:\n\n> Hi\n", "On Mon"),
            ("gmail es", "Gracias\n\nEl lun, 2 nov 2026 a las 10:00, Tienda (<sac@tienda.example>) escribió:\n\n> Hola\n", "El lun"),
            ("outlook pt", "Segue.\n\nDe: Loja <sac@loja.example>\nEnviada em: segunda-feira, 2 de novembro de 2026 10:00\nPara: Ana\nAssunto: Pedido\n\nOlá", "De: Loja"),
            ("outlook rule", "Segue.\n\n________________________________\nDe: Loja <sac@loja.example>\nEnviado: segunda-feira\nPara: Ana\nAssunto: Pedido\n\nOlá", "____"),
            ("outlook bold", "Done.\n\n*From:* Shop\n*Sent:* Monday\n*To:* Ana\n*Subject:* Order\n\nHi", "*From:*"),
            ("original", "Segue.\n\n-----Mensagem original-----\nDe: x\nOlá", "-----Mensagem"),
            ("original es", "Va.\n\n-----Mensaje original-----\nOlá", "-----Mensaje"),
            ("apple", "Certo.\n\nEm 2 de nov. de 2026, à(s) 10:00, Loja <sac@loja.example> escreveu:\n\n> Olá\n", "Em 2 de nov"),
            ("apple without marks", "Ok\n\nOn 2 Nov 2026, at 10:00, Shop <help@shop.example> wrote:\n\nHi there", "On 2 Nov"),
            ("gmail of old", "Ok\n\n2026-11-02 10:00 GMT-03:00 Loja <sac@loja.example>:\n\n> Olá\n", "2026-11-02"),
            ("marks alone", "Sim.\n\n> Confirma?\n> Ana\n", "> Confirma?"),
        ];
        for (name, text, begin) in rows {
            let split = split(text);
            let first = text.lines().next().expect("a line");
            assert_eq!(split.written, first, "{name}");
            assert!(
                split.quoted.is_some_and(|quoted| quoted.starts_with(begin)),
                "{name}: {split:?}"
            );
            assert!(
                text.ends_with(split.quoted.unwrap_or_default())
                    || text.trim_end().ends_with(split.quoted.unwrap_or_default()),
                "{name}"
            );
        }
    }

    #[test]
    fn answers_between_the_lines_stay_with_what_they_answer() {
        for text in [
            "Em 2 de nov. de 2026, Loja escreveu:\n\n> Qual o número?\n\n1234\n\n> E o CPF?\n\nNão informo",
            "> Qual o número?\n1234",
            "Veja abaixo.\n\n> Qual o número?\n1234",
        ] {
            assert_eq!(
                split(text),
                Split {
                    written: text,
                    signature: None,
                    quoted: None
                }
            );
        }
    }

    #[test]
    fn a_mail_that_only_passes_something_on_is_shown_whole() {
        let text = "---------- Forwarded message ---------\nDe: Ana\nSubject: x\n\nOlá";
        assert_eq!(split(text).written, text);
    }

    #[test]
    fn signatures_are_told_from_what_was_written() {
        let text = "Bom dia\n\n-- \nAna Souza\n(11) 4002-8922\n";
        let whole = split(text);
        assert_eq!(
            (whole.written, whole.signature),
            ("Bom dia", Some("-- \nAna Souza\n(11) 4002-8922"))
        );
        for device in [
            "Enviado do meu iPhone",
            "Sent from my Galaxy",
            "Obter o Outlook para Android<https://aka.ms/x>",
        ] {
            let text =
                format!("Bom dia\n\n{device}\n\nEm 2 de nov. de 2026, Loja escreveu:\n\n> Olá");
            let split = split(&text);
            assert_eq!(
                (split.written, split.signature),
                ("Bom dia", Some(device)),
                "{device}"
            );
        }
        let words = "Certo.\nEm breve ligo.\n\nEm 2 de nov. de 2026, Loja escreveu:\n\n> Olá";
        assert_eq!(split(words).written, "Certo.\nEm breve ligo.");
        let words = "A resposta é:\nem casa ele escreveu: nada.\nFim";
        assert_eq!(split(words).written, words);
    }
}
