//! Whether collected digits are what was asked for.

use jiff::civil::Date;

use crate::Accept;

impl Accept {
    /// Whether `digits` are acceptable.
    #[must_use]
    pub fn holds(&self, digits: &str) -> bool {
        match self {
            Self::Pattern(pattern) => has_form(digits, pattern),
            Self::Cpf => is_cpf(digits),
            Self::Cnpj => is_cnpj(digits),
            Self::CpfOrCnpj => is_cpf(digits) || is_cnpj(digits),
            Self::Card => is_card(digits),
            Self::Date => is_date(digits),
        }
    }

    /// Whether a pattern has nothing in it but what [`Accept::Pattern`] knows.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        match self {
            Self::Pattern(pattern) => {
                let known = |c: char| c.is_ascii_digit() || matches!(c, 'X' | 'Z' | 'N');
                !pattern.is_empty() && pattern.chars().all(known)
            }
            Self::Cpf | Self::Cnpj | Self::CpfOrCnpj | Self::Card | Self::Date => true,
        }
    }
}

fn has_form(digits: &str, pattern: &str) -> bool {
    let fits = |(digit, form): (char, char)| match form {
        'X' => digit.is_ascii_digit(),
        'Z' => matches!(digit, '1'..='9'),
        'N' => matches!(digit, '2'..='9'),
        itself => digit == itself,
    };
    digits.chars().count() == pattern.chars().count()
        && digits.chars().zip(pattern.chars()).all(fits)
}

fn values(digits: &str) -> Option<Vec<u32>> {
    digits.chars().map(|digit| digit.to_digit(10)).collect()
}

/// The check digit of CPF and CNPJ: the weighted sum modulo 11, taken from 11; 10 and 11 give 0.
fn check_digit(values: &[u32], weights: impl Iterator<Item = u32>) -> u32 {
    let sum: u32 = values
        .iter()
        .zip(weights)
        .map(|(value, weight)| value * weight)
        .sum();
    match sum % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    }
}

fn is_cpf(digits: &str) -> bool {
    let Some(values) = values(digits).filter(|values| values.len() == 11) else {
        return false;
    };
    // Eleven times the same digit checks, and is nobody's.
    let all_the_same = values.iter().all(|value| Some(value) == values.first());
    !all_the_same
        && values.get(9)
            == Some(&check_digit(
                values.get(..9).unwrap_or_default(),
                (2..=10).rev(),
            ))
        && values.get(10)
            == Some(&check_digit(
                values.get(..10).unwrap_or_default(),
                (2..=11).rev(),
            ))
}

fn is_cnpj(digits: &str) -> bool {
    let Some(values) = values(digits).filter(|values| values.len() == 14) else {
        return false;
    };
    let all_the_same = values.iter().all(|value| Some(value) == values.first());
    let weights = |first: u32| (2..=first).rev().chain((2..=9).rev());
    !all_the_same
        && values.get(12)
            == Some(&check_digit(
                values.get(..12).unwrap_or_default(),
                weights(5),
            ))
        && values.get(13)
            == Some(&check_digit(
                values.get(..13).unwrap_or_default(),
                weights(6),
            ))
}

/// The Luhn formula: every second digit from the right counts double, as the sum of its digits.
fn is_card(digits: &str) -> bool {
    let Some(values) = values(digits).filter(|values| (12..=19).contains(&values.len())) else {
        return false;
    };
    let sum: u32 = values
        .iter()
        .rev()
        .enumerate()
        .map(|(place, &value)| match (place % 2, value) {
            (0, value) => value,
            (_, 0..=4) => value * 2,
            (_, value) => value * 2 - 9,
        })
        .sum();
    sum.is_multiple_of(10)
}

fn is_date(digits: &str) -> bool {
    let number =
        |range: std::ops::Range<usize>| digits.get(range).and_then(|part| part.parse::<i8>().ok());
    let year = match digits.len() {
        8 => digits.get(4..8).and_then(|year| year.parse::<i16>().ok()),
        6 => digits
            .get(4..6)
            .and_then(|year| year.parse::<i16>().ok())
            .map(|year| 2000 + year),
        _ => None,
    };
    match (year, number(2..4), number(0..2)) {
        (Some(year), Some(month), Some(day)) => Date::new(year, month, day).is_ok(),
        (_, _, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_checked() {
        // Made-up numbers with right check digits.
        assert!(Accept::Cpf.holds("11144477735"));
        assert!(!Accept::Cpf.holds("11144477736"));
        assert!(!Accept::Cpf.holds("11111111111"));
        assert!(Accept::Cnpj.holds("11222333000181"));
        assert!(!Accept::Cnpj.holds("11222333000182"));
        assert!(
            Accept::CpfOrCnpj.holds("11144477735") && Accept::CpfOrCnpj.holds("11222333000181")
        );
        assert!(Accept::Card.holds("4111111111111111"));
        assert!(!Accept::Card.holds("4111111111111112"));
    }

    #[test]
    fn dates_exist_in_the_calendar() {
        assert!(Accept::Date.holds("29022028"));
        assert!(Accept::Date.holds("290228"));
        assert!(!Accept::Date.holds("29022027"));
        assert!(!Accept::Date.holds("2902"));
        assert!(!Accept::Date.holds("3é022027"));
    }

    #[test]
    fn a_pattern_is_as_long_as_the_digits() {
        let pattern = Accept::Pattern("1ZNX".into());
        assert!(pattern.holds("1120"));
        assert!(!pattern.holds("1020"));
        assert!(!pattern.holds("1110"));
        assert!(!pattern.holds("112"));
        assert!(pattern.is_well_formed());
        assert!(!Accept::Pattern("X-9".into()).is_well_formed());
        assert!(!Accept::Pattern(String::new()).is_well_formed());
    }
}
