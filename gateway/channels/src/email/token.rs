//! Tokens by which our own mails are known again: in their ids, and in addresses with a plus.
//!
//! A token is the id of a conversation and proof that we made it, so that nobody gets into a
//! conversation by counting. It survives servers that fold capitals.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::mail::Address;
use crate::secret::Secret;

/// The token of a conversation: `conversation.proof`. None without a secret, for then anybody could
/// make one.
pub fn token(conversation: &str, secret: &Secret) -> Option<String> {
    let fits = !conversation.is_empty()
        && conversation.len() <= CONVERSATION_BYTES_MAX
        && conversation
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'));
    if secret.is_empty() || !fits {
        return None;
    }
    Some(format!("{conversation}.{}", proof(conversation, secret)?))
}

/// The conversation of a token that we made.
pub fn conversation(token: &str, secret: &Secret) -> Option<String> {
    let (conversation, proof_told) = token.rsplit_once('.')?;
    let conversation = conversation.to_ascii_lowercase();
    if secret.is_empty() || conversation.is_empty() || conversation.len() > CONVERSATION_BYTES_MAX {
        return None;
    }
    let expected = proof(&conversation, secret)?;
    let told = proof_told.to_ascii_lowercase();
    bool::from(expected.as_bytes().ct_eq(told.as_bytes())).then_some(conversation)
}

/// The id of a mail of ours (RFC 5322 section 3.6.4), without its brackets.
///
/// It is made before the first try and stays the same over all of them: by it a second copy is known.
pub fn message_id(message: &str, token: &str, domain: &str) -> String {
    format!("{message}.{token}@{domain}")
}

/// The conversation that an id of ours names.
pub fn of_message_id(id: &str, secret: &Secret) -> Option<String> {
    let (local, _) = id.rsplit_once('@')?;
    let (_, token) = local.split_once('.')?;
    conversation(token, secret)
}

/// An address of ours with a token in it: `sac+token@loja.example`. None where it would be too long.
pub fn plus_address(address: &Address, token: &str) -> Option<Address> {
    let local = format!("{}+{token}", address.local());
    let plus = Address::parse(&format!("{local}@{}", address.domain()))?;
    // RFC 5321 section 4.5.3.1.1.
    (local.len() <= 64).then(|| plus.named(address.name.clone()))
}

/// The conversation that an address of ours names.
pub fn of_address(address: &Address, secret: &Secret) -> Option<String> {
    let (_, token) = address.local().split_once('+')?;
    conversation(token, secret)
}

/// An address without what stands behind a plus.
pub fn without_plus(address: &str) -> String {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return address.to_lowercase();
    };
    let local = local.split_once('+').map_or(local, |(local, _)| local);
    format!("{local}@{domain}").to_lowercase()
}

/// 64 bits in hexadecimal: guessing one takes longer than any mail server allows.
fn proof(conversation: &str, secret: &Secret) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).ok()?;
    mac.update(b"email conversation\0");
    mac.update(conversation.as_bytes());
    let code = mac.finalize().into_bytes();
    Some(hex::encode(code.get(..PROOF_BYTES)?))
}

const PROOF_BYTES: usize = 8;
/// What an address has room for beside the rest.
const CONVERSATION_BYTES_MAX: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_again_and_cannot_be_made_by_others() {
        let secret = Secret::new("k");
        let made = token("0192f0aa-k7", &secret).expect("a token");
        assert_eq!(
            conversation(&made.to_uppercase(), &secret).as_deref(),
            Some("0192f0aa-k7")
        );
        assert_eq!(conversation(&made, &Secret::new("other")), None);
        assert_eq!(conversation(&made.replace("k7", "k8"), &secret), None);
        let (name, proof) = made.split_once('.').expect("a proof");
        for cut in 0..proof.len() {
            assert_eq!(
                conversation(&format!("{name}.{}", &proof[..cut]), &secret),
                None
            );
        }
        assert_eq!(token("x", &Secret::default()), None);
        assert_eq!(conversation("x.", &Secret::default()), None);
        assert_eq!(token("A b", &secret), None);
    }

    #[test]
    fn a_token_goes_through_an_id_and_an_address() {
        let secret = Secret::new("k");
        let made = token("0192f0aa", &secret).expect("a token");
        let id = message_id("m1", &made, "loja.example");
        assert_eq!(of_message_id(&id, &secret).as_deref(), Some("0192f0aa"));
        let address = Address::parse("sac@loja.example").expect("an address");
        let plus = plus_address(&address, &made).expect("an address");
        assert_eq!(of_address(&plus, &secret).as_deref(), Some("0192f0aa"));
        assert_eq!(without_plus(&plus.address), "sac@loja.example");
        assert_eq!(plus_address(&address, &"x".repeat(80)), None);
        assert_eq!(of_message_id("<no>", &secret), None);
    }
}
