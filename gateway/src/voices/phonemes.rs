//! From text to what Kokoro reads: phonemes as numbers, in portions that it can say at once.
//!
//! ```text
//!  text ─▶ clauses ─▶ espeak-ng (IPA, ties) ─▶ symbols ─▶ tokens ─▶ utterances of at most 510
//! ```
//!
//! The model learned from espeak-ng's phonemes with some pairs drawn together into one letter, and
//! it hears punctuation, which espeak-ng leaves out: so texts are cut at it here.

use ivr::Language;

/// A piece of text without punctuation, and the mark that ends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clause {
    /// What is said.
    pub(super) text: String,
    /// One of the marks that the model knows.
    pub(super) mark: Option<char>,
}

/// A piece as tokens, ready to be put together with its neighbours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spoken {
    /// The tokens, the one of the mark included.
    pub(super) tokens: Vec<i64>,
    /// Whether a sentence ends here.
    pub(super) ends: bool,
}

/// Cuts a text at its punctuation; a mark within a number or an address is none.
pub(super) fn clauses(text: &str) -> Vec<Clause> {
    let mut clauses = Vec::new();
    let mut piece = String::new();
    let mut characters = text.chars().peekable();
    let mut previous = ' ';
    while let Some(character) = characters.next() {
        let inside = previous.is_alphanumeric()
            && characters.peek().is_some_and(|next| next.is_alphanumeric())
            && matches!(character, '.' | ',' | ':');
        match mark_of(character).filter(|_| !inside) {
            Some(mark) => push(&mut clauses, &mut piece, Some(mark)),
            None => piece.push(character),
        }
        previous = character;
    }
    push(&mut clauses, &mut piece, None);
    clauses
}

fn push(clauses: &mut Vec<Clause>, piece: &mut String, mark: Option<char>) {
    let text = std::mem::take(piece).trim().to_owned();
    if text.chars().any(char::is_alphanumeric) {
        clauses.push(Clause { text, mark });
    }
}

fn mark_of(character: char) -> Option<char> {
    match character {
        '.' | ',' | ';' | ':' | '!' | '?' | '…' | '—' => Some(character),
        '–' => Some('—'),
        '(' | ')' | '[' | ']' => Some(','),
        '\n' => Some('.'),
        _ => None,
    }
}

/// The tokens of one clause, from what espeak-ng says of it.
pub(super) fn spoken(language: Language, clause: &Clause, ipa: &str) -> Spoken {
    let mut symbols = symbols(language, ipa);
    if language == Language::PtBr && clause.text.split(' ').next_back() == Some("e") {
        symbols = and(&symbols);
    }
    let mut tokens: Vec<i64> = symbols.chars().filter_map(token).collect();
    tokens.extend(clause.mark.and_then(token));
    Spoken {
        tokens,
        ends: matches!(clause.mark, Some('.' | '!' | '?' | '…') | None),
    }
}

/// "duzentos e" goes on: the "e" is the word, which is said "i"; espeak-ng reads the letter.
fn and(symbols: &str) -> String {
    let letter = symbols.strip_suffix('ɛ');
    letter.map_or_else(
        || symbols.to_owned(),
        |before| format!("{}i", before.trim_end_matches(['ˈ', 'ˌ'])),
    )
}

/// Draws pairs together as the model learned them, and drops what it never saw.
fn symbols(language: Language, ipa: &str) -> String {
    let pairs = match language {
        Language::En => ENGLISH,
        Language::PtBr | Language::Es => ROMANCE,
    };
    let mut symbols = ipa.split_whitespace().collect::<Vec<_>>().join(" ");
    for (from, to) in pairs {
        symbols = symbols.replace(from, to);
    }
    symbols
}

/// Puts clauses together: a few sentences sound better at once than one by one, and more than
/// [`TOKENS_MAX`] the model cannot read.
pub(super) fn utterances(clauses: Vec<Spoken>) -> Vec<Vec<i64>> {
    let mut utterances: Vec<Vec<i64>> = Vec::new();
    let mut current: Vec<i64> = Vec::new();
    for clause in clauses {
        for part in parts(&clause.tokens) {
            if current.len() + 1 + part.len() > TOKENS_MAX && !current.is_empty() {
                utterances.push(std::mem::take(&mut current));
            }
            if !current.is_empty() {
                current.push(SPACE);
            }
            current.extend(part);
        }
        if clause.ends && current.len() >= TOKENS_ENOUGH {
            utterances.push(std::mem::take(&mut current));
        }
    }
    if !current.is_empty() {
        utterances.push(current);
    }
    utterances
}

/// A clause that is too long is cut between words; a word that is too long, anywhere.
fn parts(mut tokens: &[i64]) -> Vec<&[i64]> {
    let mut parts = Vec::new();
    while tokens.len() > TOKENS_MAX {
        let (head, _) = tokens.split_at(TOKENS_MAX);
        let cut = head.iter().rposition(|&token| token == SPACE);
        let (head, rest) = tokens.split_at(cut.filter(|&cut| cut > 0).unwrap_or(TOKENS_MAX));
        parts.push(head);
        tokens = rest.strip_prefix(&[SPACE]).unwrap_or(rest);
    }
    if !tokens.is_empty() {
        parts.push(tokens);
    }
    parts
}

fn token(symbol: char) -> Option<i64> {
    VOCABULARY
        .iter()
        .find(|(known, _)| *known == symbol)
        .map(|(_, number)| *number)
}

/// The longest utterance: the model's 512 positions, less one at each end.
pub(super) const TOKENS_MAX: usize = 510;

/// From here on a sentence's end is an utterance's end: about twelve seconds of speech, which
/// bounds the memory of one run.
const TOKENS_ENOUGH: usize = 180;

const SPACE: i64 = 16;

/// Pairs that espeak-ng ties, by their letter in the model; a tie that is left joins nothing.
const ROMANCE: &[(&str, &str)] = &[
    ("a^ɪ", "I"),
    ("a^ʊ", "W"),
    ("d^z", "ʣ"),
    ("d^ʒ", "ʤ"),
    ("e^ɪ", "A"),
    ("o^ʊ", "O"),
    ("s^s", "S"),
    ("t^s", "ʦ"),
    ("t^ʃ", "ʧ"),
    ("ɔ^ɪ", "Y"),
    ("^", ""),
    ("-", ""),
];

/// English was learned from a dictionary, so espeak-ng's habits are brought to its spelling too.
const ENGLISH: &[(&str, &str)] = &[
    ("ʔˌn\u{329}", "tᵊn"),
    ("ʔn\u{329}", "tᵊn"),
    ("ʔn", "tᵊn"),
    ("ʔ", "t"),
    ("a^ɪ", "I"),
    ("a^ʊ", "W"),
    ("d^ʒ", "ʤ"),
    ("e^ɪ", "A"),
    ("t^ʃ", "ʧ"),
    ("ɔ^ɪ", "Y"),
    ("ə^l", "ᵊl"),
    ("o^ʊ", "O"),
    ("ɜːɹ", "ɜɹ"),
    ("ɜː", "ɜɹ"),
    ("ɪə", "iə"),
    ("ʲ", ""),
    ("ɚ", "əɹ"),
    ("r", "ɹ"),
    ("x", "k"),
    ("ç", "k"),
    ("ɐ", "ə"),
    ("ɬ", "l"),
    ("ɾ", "T"),
    ("o", "ɔ"),
    ("n\u{329}", "ᵊn"),
    ("l\u{329}", "ᵊl"),
    ("\u{329}", ""),
    ("ː", ""),
    ("^", ""),
    ("-", ""),
];

/// The model's symbols and their numbers.
#[rustfmt::skip]
const VOCABULARY: &[(char, i64)] = &[
    (';', 1), (':', 2), (',', 3), ('.', 4), ('!', 5), ('?', 6), ('—', 9), ('…', 10),
    (' ', SPACE), ('\u{303}', 17), ('ʣ', 18), ('ʥ', 19), ('ʦ', 20), ('ʨ', 21), ('ᵝ', 22),
    ('A', 24), ('I', 25), ('O', 31), ('Q', 33), ('S', 35), ('T', 36), ('W', 39), ('Y', 41),
    ('ᵊ', 42), ('a', 43), ('b', 44), ('c', 45), ('d', 46), ('e', 47), ('f', 48), ('h', 50),
    ('i', 51), ('j', 52), ('k', 53), ('l', 54), ('m', 55), ('n', 56), ('o', 57), ('p', 58),
    ('q', 59), ('r', 60), ('s', 61), ('t', 62), ('u', 63), ('v', 64), ('w', 65), ('x', 66),
    ('y', 67), ('z', 68), ('ɑ', 69), ('ɐ', 70), ('ɒ', 71), ('æ', 72), ('β', 75), ('ɔ', 76),
    ('ɕ', 77), ('ç', 78), ('ɖ', 80), ('ð', 81), ('ʤ', 82), ('ə', 83), ('ɚ', 85), ('ɛ', 86),
    ('ɜ', 87), ('ɟ', 90), ('ɡ', 92), ('ɥ', 99), ('ɨ', 101), ('ɪ', 102), ('ʝ', 103),
    ('ɯ', 110), ('ɰ', 111), ('ŋ', 112), ('ɳ', 113), ('ɲ', 114), ('ɴ', 115), ('ø', 116),
    ('ɸ', 118), ('θ', 119), ('œ', 120), ('ɹ', 123), ('ɾ', 125), ('ɻ', 126), ('ʁ', 128),
    ('ɽ', 129), ('ʂ', 130), ('ʃ', 131), ('ʈ', 132), ('ʧ', 133), ('ʊ', 135), ('ʋ', 136),
    ('ʌ', 138), ('ɣ', 139), ('ɤ', 140), ('χ', 142), ('ʎ', 143), ('ʒ', 147), ('ʔ', 148),
    ('ˈ', 156), ('ˌ', 157), ('ː', 158), ('ʰ', 162), ('ʲ', 164), ('ᵻ', 177),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_cuts_and_what_is_within_numbers_does_not() {
        let cut = |text: &str| -> Vec<(String, Option<char>)> {
            let clauses = clauses(text).into_iter();
            clauses.map(|clause| (clause.text, clause.mark)).collect()
        };
        let piece = |text: &str, mark| (text.to_owned(), mark);
        assert_eq!(
            cut("Olá! Para vendas, digite 1."),
            [
                piece("Olá", Some('!')),
                piece("Para vendas", Some(',')),
                piece("digite 1", Some('.')),
            ]
        );
        assert_eq!(
            cut("R$ 1.234,56 às 10:30"),
            [piece("R$ 1.234,56 às 10:30", None)]
        );
        assert_eq!(
            cut("¿No? (sí)"),
            [piece("¿No", Some('?')), piece("sí", Some(','))]
        );
        assert_eq!(cut(" ...!? \n"), []);
    }

    #[test]
    fn phonemes_become_the_models_symbols() {
        for (language, ipa, expected) in [
            (Language::PtBr, "tˌeɾəsˈe^ɪɾʊ", "tˌeɾəsˈAɾʊ"),
            (Language::PtBr, "nˌɐ̃^ʊ̃ d^ʒˈiæ\nlˈe^ɪt^ʃy", "nˌɐ̃ʊ̃ ʤˈiæ lˈAʧy"),
            (Language::En, "nˈa^ɪn ˈa^ʊɚz ɡˌo^ʊ", "nˈIn ˈWəɹz ɡˌO"),
            (Language::En, "bˈʌʔn\u{329} lˈe^ɪɾɚ", "bˈʌtᵊn lˈATəɹ"),
            (Language::Es, "ˈot^ʃo sˈe^ɪs", "ˈoʧo sˈAs"),
        ] {
            assert_eq!(symbols(language, ipa), expected);
        }
    }

    #[test]
    fn symbols_become_tokens_and_unknown_ones_nothing() {
        let clause = Clause {
            text: "olá 語".to_owned(),
            mark: Some('!'),
        };
        let spoken = spoken(Language::PtBr, &clause, "olˈa 語");
        assert_eq!(spoken.tokens, [57, 54, 156, 43, 16, 5]);
        assert!(spoken.ends);
        for (index, (symbol, number)) in VOCABULARY.iter().enumerate() {
            let rest = VOCABULARY.iter().skip(index + 1);
            assert!(rest.clone().all(|(other, _)| other != symbol), "{symbol}");
            assert!(rest.clone().all(|(_, other)| other > number), "{symbol}");
        }
    }

    #[test]
    fn a_portuguese_e_at_the_end_is_the_word_and_not_the_letter() {
        let tokens = |language, text: &str, ipa| {
            let clause = Clause {
                text: text.to_owned(),
                mark: None,
            };
            spoken(language, &clause, ipa).tokens
        };
        assert_eq!(tokens(Language::PtBr, "e", "ˈɛ"), [51]);
        assert_eq!(
            tokens(Language::PtBr, "cento e", "sˈ ˈɛ"),
            [61, 156, 16, 51]
        );
        assert_eq!(tokens(Language::PtBr, "é", "ˈɛ"), [156, 86]);
        assert_eq!(tokens(Language::Es, "e", "ˈɛ"), [156, 86]);
    }

    #[test]
    fn no_utterance_is_longer_than_the_model_reads_and_nothing_is_lost() {
        let word = [vec![57; 9], vec![SPACE]].concat();
        for (tokens, ends) in [(word.repeat(200), false), (vec![57; 2_000], true)] {
            let letters = tokens.iter().filter(|&&token| token != SPACE).count();
            let clause = Spoken { tokens, ends };
            let utterances = utterances(vec![clause; 3]);
            assert!(
                utterances
                    .iter()
                    .all(|utterance| utterance.len() <= TOKENS_MAX)
            );
            let said = utterances.iter().flatten().filter(|&&token| token != SPACE);
            assert_eq!(said.count(), 3 * letters);
        }
    }

    #[test]
    fn short_sentences_are_said_together() {
        let sentence = Spoken {
            tokens: vec![57; 50],
            ends: true,
        };
        let lengths: Vec<usize> = utterances(vec![sentence; 6]).iter().map(Vec::len).collect();
        assert_eq!(lengths, [4 * 50 + 3, 2 * 50 + 1]);
    }
}
