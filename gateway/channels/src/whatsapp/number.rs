//! The ninth digit of Brazilian mobiles, which the WhatsApp ids of many lack.

use desk::numbering::brazil::with_ninth_digit;

use crate::failure::{Advice, Failure};
use crate::peer::{IdentityKind, PeerId};

/// To whom a message is sent once more when nobody could be reached (131026): the other form of the
/// number. The caller does it once a message, for the other form of the other form is the first.
pub fn second_try(to: &PeerId, failure: &Failure) -> Option<PeerId> {
    let is_number = matches!(to.kind, IdentityKind::WaId | IdentityKind::Phone);
    if failure.advice != Advice::NotReachable || !is_number {
        return None;
    }
    let digits = to.value.strip_prefix('+').unwrap_or(&to.value);
    let other = other_form(digits)?;
    Some(PeerId::new(IdentityKind::WaId, other))
}

/// The other form of a WhatsApp id, where a Brazilian mobile has two: with the ninth digit, and
/// without. None for landlines, other countries and what is no number.
///
/// A message that cannot be delivered (131026) is tried once with it; which form is right is learned
/// from the answer.
pub fn other_form(wa_id: &str) -> Option<String> {
    if !wa_id.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let full = |wa_id: &str| with_ninth_digit(&format!("+{wa_id}")).split_off(1);
    let with = full(wa_id);
    if with != wa_id {
        return Some(with);
    }
    // The digit stands behind the country and the area, two digits each.
    let (head, tail) = wa_id.split_at_checked(4)?;
    let without = format!("{head}{}", tail.get(1..)?);
    (full(&without) == wa_id).then_some(without)
}

/// The calling code with which a number of digits begins (ITU-T E.164): one digit, two or three.
pub fn calling_code(digits: &str) -> Option<&str> {
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    let two: u8 = digits.get(..2)?.parse().ok()?;
    let length = match two {
        10..=19 | 70..=79 => 1,
        20
        | 27
        | 30..=34
        | 36
        | 39..=41
        | 43..=49
        | 51..=58
        | 60..=66
        | 81
        | 82
        | 84
        | 86
        | 90..=95
        | 98 => 2,
        _ => 3,
    };
    digits.get(..length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::FailureClass;

    #[test]
    fn only_brazilian_mobiles_have_two_forms_and_each_is_the_others() {
        let rows = [
            ("5511987654321", Some("551187654321")),
            ("551187654321", Some("5511987654321")),
            ("5531961234567", Some("553161234567")),
            // A landline has no ninth digit, nor has 0800.
            ("551131234567", None),
            ("558001234567", None),
            // Nine digits, and what follows the nine is no mobile of eight.
            ("5511931234567", None),
            ("15551234567", None),
            ("4915112345678", None),
            ("55", None),
            ("5511", None),
            ("", None),
            ("55119876543é", None),
        ];
        for (wa_id, other) in rows {
            assert_eq!(other_form(wa_id).as_deref(), other, "{wa_id}");
            if let Some(other) = other {
                assert_eq!(other_form(other).as_deref(), Some(wa_id));
            }
        }
    }

    #[test]
    fn a_number_that_is_not_reached_is_tried_once_in_its_other_form() {
        let failure = |advice| Failure::new(FailureClass::Permanent, advice, "131026", "");
        let (gone, closed) = (failure(Advice::NotReachable), failure(Advice::WindowClosed));
        let wa_id = |value: &str| PeerId::new(IdentityKind::WaId, value);
        let phone = PeerId::new(IdentityKind::Phone, "+5511987654321");
        let bsuid = PeerId::scoped(IdentityKind::WaBsuid, "2729", "551187654321");
        let other = Some(wa_id("551187654321"));
        assert_eq!(second_try(&wa_id("5511987654321"), &gone), other);
        assert_eq!(second_try(&phone, &gone), other);
        assert_eq!(second_try(&wa_id("5511987654321"), &closed), None);
        assert_eq!(
            second_try(&wa_id("551131234567"), &gone),
            None,
            "a landline"
        );
        assert_eq!(second_try(&bsuid, &gone), None);
    }

    #[test]
    fn a_number_begins_with_the_code_of_its_country() {
        for (digits, code) in [
            ("5511987654321", Some("55")),
            ("+15550100", Some("1")),
            ("79260000000", Some("7")),
            ("351910000000", Some("351")),
            ("59899000000", Some("598")),
            ("5", None),
            ("", None),
        ] {
            assert_eq!(calling_code(digits), code, "{digits}");
        }
    }
}
