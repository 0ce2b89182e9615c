//! The numbers of people (CPF) and companies (CNPJ) in Brazil, with their check digits.

/// Why text is no CPF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCpf {
    /// Something besides digits and punctuation is in it.
    #[error("it holds more than digits")]
    Characters,
    /// It has 11 digits.
    #[error("it has 11 digits")]
    Length,
    /// The last two digits do not fit the others: it was mistyped.
    #[error("its check digits are wrong")]
    CheckDigits,
}

/// Why text is no CNPJ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCnpj {
    /// Something besides letters, digits and punctuation is in it, or a letter among the check digits.
    #[error("it holds more than letters and digits, the last two of which are digits")]
    Characters,
    /// It has 14 characters.
    #[error("it has 14 letters and digits")]
    Length,
    /// The last two digits do not fit the others: it was mistyped.
    #[error("its check digits are wrong")]
    CheckDigits,
}

/// The 11 digits of a CPF.
///
/// # Errors
///
/// [`InvalidCpf`].
pub fn cpf(text: &str) -> Result<String, InvalidCpf> {
    let digits = bare(text);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(InvalidCpf::Characters);
    }
    if digits.len() != CPF_LENGTH {
        return Err(InvalidCpf::Length);
    }
    // Weights 10 … 2, then 11 … 2; they fit 111.111.111-11 too, which nobody has.
    let fits = |length: usize| {
        let weights = (2..).take(length);
        check_digit(&digits.as_bytes()[..length], weights) == digits.as_bytes()[length]
    };
    if !fits(9) || !fits(10) || is_one_digit(&digits) {
        return Err(InvalidCpf::CheckDigits);
    }
    Ok(digits)
}

/// The 14 characters of a CNPJ: since July 2026 new ones have letters among the first twelve
/// (Receita Federal, Instrução Normativa 2.229/2024).
///
/// # Errors
///
/// [`InvalidCnpj`].
pub fn cnpj(text: &str) -> Result<String, InvalidCnpj> {
    let number = bare(text).to_uppercase();
    if !number.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(InvalidCnpj::Characters);
    }
    if number.len() != CNPJ_LENGTH {
        return Err(InvalidCnpj::Length);
    }
    let (_, checks) = number.split_at(CNPJ_LENGTH - 2);
    if !checks.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(InvalidCnpj::Characters);
    }
    // From the right: 2 … 9, and again.
    let fits = |length: usize| {
        let weights = (2..=9).cycle().take(length);
        check_digit(&number.as_bytes()[..length], weights) == number.as_bytes()[length]
    };
    if !fits(12) || !fits(13) || is_one_digit(&number) {
        return Err(InvalidCnpj::CheckDigits);
    }
    Ok(number)
}

/// The check digit behind `characters`, whose values are their ASCII codes less that of `0`, with
/// weights from the right (module 11).
fn check_digit(characters: &[u8], weights: impl Iterator<Item = u32>) -> u8 {
    let value = |byte: &u8| u32::from(byte.saturating_sub(b'0'));
    let products = characters.iter().rev().map(value).zip(weights);
    let rest = products.map(|(value, weight)| value * weight).sum::<u32>() % 11;
    match rest {
        0 | 1 => b'0',
        rest => b"0123456789"[(11 - rest) as usize],
    }
}

fn is_one_digit(number: &str) -> bool {
    let first = number.bytes().next();
    number.bytes().all(|byte| Some(byte) == first)
}

/// Without what people write between.
fn bare(text: &str) -> String {
    let written = |letter: &char| !matches!(letter, ' ' | '.' | '-' | '/');
    text.trim().chars().filter(written).collect()
}

const CPF_LENGTH: usize = 11;
const CNPJ_LENGTH: usize = 14;
