//! The customers, with their telephones.

use serde::{Deserialize, Serialize};

/// A customer who writes from their telephone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Customer {
    /// Their id in the simulator's own API: a word.
    pub id: String,
    /// What they call themselves.
    pub name: String,
    /// Their number as they would say it, in digits: country, area, number.
    pub phone: String,
    /// Their number as WhatsApp has it: many Brazilian mobiles lack the ninth digit there. Empty: the same.
    #[serde(default)]
    pub wa_id: String,
    /// Their id in the company's portfolio. Empty: one is made up.
    #[serde(default)]
    pub user_id: String,
    /// Their user name, if they took one.
    #[serde(default)]
    pub username: Option<String>,
    /// Whether the company does not learn their number.
    #[serde(default)]
    pub hides_phone: bool,
    /// Whether their telephone has no connection: what is sent waits until it has one.
    #[serde(default)]
    pub offline: bool,
    /// Whether there is no WhatsApp behind the number (131026).
    #[serde(default)]
    pub no_whatsapp: bool,
    /// Whether the number is reached only as WhatsApp has it: the other form of it is nobody's (131026).
    #[serde(default)]
    pub exact_number_only: bool,
    /// Whether others do not see what they have read.
    #[serde(default)]
    pub hides_reading: bool,
}

impl Customer {
    /// A customer with a telephone and nothing special.
    pub fn new(id: &str, name: &str, phone: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            phone: phone.to_owned(),
            wa_id: phone.to_owned(),
            user_id: String::new(),
            username: None,
            hides_phone: false,
            offline: false,
            no_whatsapp: false,
            exact_number_only: false,
            hides_reading: false,
        }
    }

    /// Whether a number leads to them.
    pub fn has_number(&self, digits: &str) -> bool {
        digits == self.wa_id
            || (!self.exact_number_only
                && (digits == self.phone || with_nine(digits) == with_nine(&self.wa_id)))
    }
}

/// A Brazilian mobile with its ninth digit, which it may lack; anything else as it is.
///
/// Behind country and area stand eight digits, of which the first is 6 to 9: landlines begin with 2 to 5.
pub(crate) fn with_nine(digits: &str) -> String {
    match (digits.get(..4), digits.get(4..)) {
        (Some(head), Some(tail))
            if head.starts_with("55") && tail.len() == 8 && tail.as_bytes()[0] >= b'6' =>
        {
            format!("{head}9{tail}")
        }
        _ => digits.to_owned(),
    }
}

/// What a telephone looks like to people.
pub fn shown(digits: &str) -> String {
    match (digits.get(..2), digits.get(2..4), digits.get(4..)) {
        (Some("55"), Some(area), Some(rest)) if (8..=9).contains(&rest.len()) => {
            let (head, tail) = rest.split_at(rest.len() - 4);
            format!("+55 {area} {head}-{tail}")
        }
        _ => format!("+{digits}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_is_reached_in_both_forms_of_their_number_unless_only_one_is_theirs() {
        let mut carlos = Customer::new("carlos", "Carlos", "5531961234567");
        carlos.wa_id = "553161234567".to_owned();
        assert!(carlos.has_number("5531961234567") && carlos.has_number("553161234567"));
        assert!(!carlos.has_number("5531961234568"));
        carlos.exact_number_only = true;
        assert!(!carlos.has_number("5531961234567") && carlos.has_number("553161234567"));
        // A landline has no ninth digit.
        assert_eq!(with_nine("551131234567"), "551131234567");
        assert_eq!(with_nine("15551234567"), "15551234567");
        assert_eq!(with_nine("5"), "5");
    }

    #[test]
    fn numbers_are_shown_as_people_write_them() {
        assert_eq!(shown("5511987654321"), "+55 11 98765-4321");
        assert_eq!(shown("553161234567"), "+55 31 6123-4567");
        assert_eq!(shown("15551234567"), "+15551234567");
    }
}
