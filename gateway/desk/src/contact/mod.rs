//! What is said of a customer, as far as rules depend on it: who serves them while their owner is
//! away, how their name is searched; and [`table`], in which many of them come and go.

pub mod table;

use serde::{Deserialize, Serialize};

use crate::id::UserId;

/// Who serves a customer while the agent who owns them cannot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum OwnerFallback {
    /// Whoever of the service is free (*fila geral*).
    #[default]
    Queue,
    /// Nobody: the customer leaves a message for the owner (*recado*).
    Message,
    /// Another agent (*agente reserva*), then the service.
    Backup {
        /// Who.
        agent: UserId,
    },
    /// The owner, elsewhere (*siga-me*).
    FollowMe {
        /// Where: `+` and digits.
        number: String,
    },
    /// Whoever of the service is free, and the customer has no owner from then on (*desatribuir*).
    Unassign,
}

/// A name as it is searched: in lower case, without accents, with single spaces.
pub fn fold(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    for word in name.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.extend(word.chars().flat_map(char::to_lowercase).filter_map(plain));
    }
    folded
}

/// A letter of Portuguese, Spanish and their neighbours without its accent; an accent that stands
/// behind its letter is left out.
fn plain(letter: char) -> Option<char> {
    Some(match letter {
        '\u{300}'..='\u{36f}' => return None,
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' | 'ø' => 'o',
        'ù'..='ü' => 'u',
        'ý' | 'ÿ' => 'y',
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_however_it_is_typed() {
        assert_eq!(fold("  José  da\tConceição "), "jose da conceicao");
        assert_eq!(
            fold("JOSE\u{301} DA CONCEIC\u{327}A\u{303}O"),
            "jose da conceicao"
        );
        assert_eq!(fold("MUÑOZ Ýñïgo & Cia."), "munoz ynigo & cia.");
        assert_eq!(fold("Łukasz 李"), "łukasz 李");
        assert_eq!(fold(" "), "");
    }

    #[test]
    fn a_fallback_is_written_as_one_word_and_what_it_needs() {
        #[rustfmt::skip]
        let rows = [
            (OwnerFallback::Queue, r#"{"kind":"queue"}"#),
            (OwnerFallback::Message, r#"{"kind":"message"}"#),
            (OwnerFallback::Backup { agent: "bia".parse().unwrap() }, r#"{"kind":"backup","agent":"bia"}"#),
            (OwnerFallback::FollowMe { number: "+5511".into() }, r#"{"kind":"follow_me","number":"+5511"}"#),
            (OwnerFallback::Unassign, r#"{"kind":"unassign"}"#),
        ];
        for (fallback, json) in rows {
            assert_eq!(serde_json::to_string(&fallback).unwrap(), json);
            assert_eq!(
                serde_json::from_str::<OwnerFallback>(json).unwrap(),
                fallback
            );
        }
    }
}
