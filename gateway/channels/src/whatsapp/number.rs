//! The ninth digit of Brazilian mobiles, which the WhatsApp ids of many lack.

use desk::numbering::brazil::with_ninth_digit;

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
