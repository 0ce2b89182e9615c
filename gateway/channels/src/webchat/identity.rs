//! Users of the shop: whom the shop's own server vouches for.
//!
//! Its page shows `hex(HMAC-SHA256(secret, user_id))`, which only who has the channel's identity secret can
//! make. The user id alone is proven; a name, an e-mail or a telephone beside it is what a page says.

use rand::RngCore;
use serde::{Deserialize, Serialize};

use super::error::ErrorCode;
use super::token::VisitorId;
use crate::peer::{IdentityKind, Peer, PeerId};
use crate::proof;
use crate::secret::Secret;

/// Who the shop's page says that the visitor is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// What the shop calls them.
    pub user_id: String,
    /// The proof, in hexadecimal.
    pub hash: String,
    /// Their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their e-mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Their telephone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// The longest id of a user, in bytes.
pub const USER_BYTES_MAX: usize = 200;

/// The proof for a user, as the shop's server makes it. For the page that shows how, and for tests.
pub fn hash(user_id: &str, secret: &Secret) -> String {
    let mac = proof::hmac_sha256(secret.expose().as_bytes(), &[user_id.as_bytes()]);
    hex::encode(mac)
}

/// A secret for a shop: 32 bytes of chance in hexadecimal.
pub fn secret(random: &mut impl RngCore) -> Secret {
    let mut bytes = [0; 32];
    random.fill_bytes(&mut bytes);
    Secret::new(hex::encode(bytes))
}

impl Identity {
    /// Checks the proof against the secrets of the channel: while one takes the place of another, either
    /// will do.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Identity`], also where the channel has no secret.
    pub fn prove(&self, secrets: &[Secret]) -> Result<(), ErrorCode> {
        let fits = !self.user_id.is_empty() && self.user_id.len() <= USER_BYTES_MAX;
        let given = hex::decode(&self.hash).ok().filter(|_| fits);
        let given = given.ok_or(ErrorCode::Identity)?;
        let mut proven = false;
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            let key = secret.expose().as_bytes();
            let expected = proof::hmac_sha256(key, &[self.user_id.as_bytes()]);
            proven |= proof::same(&given, &expected).is_ok();
        }
        proven.then_some(()).ok_or(ErrorCode::Identity)
    }
}

/// Who a visitor is to `channel`: the shop's user, where that is proven, and the visitor. What a page or
/// a form says beside that is no id, for anybody can type anybody's e-mail.
pub fn peer(
    channel: &str,
    visitor: &VisitorId,
    proven_user: Option<&str>,
    name: Option<String>,
) -> Peer {
    let id = |text: String| PeerId::scoped(IdentityKind::Generic, channel, text);
    let user = proven_user.map(|user| id(format!("user:{user}")));
    let visitor = id(format!("visitor:{}", visitor.as_str()));
    Peer {
        ids: user.into_iter().chain([visitor]).collect(),
        name,
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    fn user(user_id: &str, hash: &str) -> Identity {
        Identity {
            user_id: user_id.to_owned(),
            hash: hash.to_owned(),
            ..Identity::default()
        }
    }

    #[test]
    fn the_shop_proves_its_users_and_nobody_else_does() {
        // RFC 4231 section 4.3.
        let secret = Secret::new("Jefe");
        let known = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let who = "what do ya want for nothing?";
        assert_eq!(hash(who, &secret), known);
        let old = Secret::new("velho");
        let both = [old.clone(), secret.clone()];
        let wrong = Err(ErrorCode::Identity);
        #[rustfmt::skip]
        let rows: [(Identity, &[Secret], _); 10] = [
            (user(who, known), &both[1..], Ok(())),
            (user(who, &known.to_uppercase()), &both[1..], Ok(())),
            (user(who, known), &both, Ok(())),
            (user(who, &hash(who, &old)), &both, Ok(())),
            (user("C-991", known), &both, wrong),
            (user(who, &known[..62]), &both, wrong),
            (user(who, "zz"), &both, wrong),
            (user(who, ""), &both, wrong),
            (user(who, known), &[], wrong),
            // Without a secret anybody could make the proof.
            (user(who, &hash(who, &Secret::default())), &[Secret::default()], wrong),
        ];
        for (at, (identity, secrets, expected)) in rows.into_iter().enumerate() {
            assert_eq!(identity.prove(secrets), expected, "row {at}");
        }
        let long = "x".repeat(USER_BYTES_MAX + 1);
        for user_id in ["", &long] {
            assert_eq!(user(user_id, &hash(user_id, &secret)).prove(&both), wrong);
        }
    }

    #[test]
    fn no_user_can_be_called_as_a_visitor_is() {
        let mut random = SmallRng::seed_from_u64(1);
        let visitor = VisitorId::new(&mut random);
        let nobody = peer("c1", &visitor, None, None);
        let user = peer(
            "c1",
            &visitor,
            Some(visitor.as_str()),
            Some("Ana".to_owned()),
        );
        assert_eq!(nobody.ids.len(), 1);
        assert_eq!(user.ids.len(), 2);
        assert_ne!(user.ids[0], nobody.ids[0]);
        assert_eq!(user.ids[1], nobody.ids[0]);
        assert_eq!(user.ids[0].scope, "c1");
        assert_ne!(secret(&mut random), secret(&mut random));
    }
}
