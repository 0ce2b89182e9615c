//! A typed id for every noun, so that a trunk can never be looked up by the id of a number.
//!
//! An id is text: 26 characters of lower-case base32, 48 bits of milliseconds and 80 bits of
//! chance, so that ids made later sort later and two nodes never make the same one. Ids are made
//! by the shell, which has the clock and the seeded generator; text from outside is checked for
//! length and alphabet, so that an id is always safe in a path, a log line and a header.

use std::sync::Arc;

use rand::RngCore;
use serde::{Deserialize, Serialize};

/// The longest id taken from outside, in characters: ours have 26; the demo and imported data
/// may have readable ones.
pub const ID_LENGTH_MAX: usize = 64;

/// Text that is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id has 1 to {ID_LENGTH_MAX} letters, digits, '-' or '_'")]
pub struct InvalidId;

/// Declares the id types. Each is text of its own type; clones share the text.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Makes an id that sorts by `at_ms`, milliseconds since 1970 (UTC).
            pub fn new(at_ms: i64, random: &mut impl RngCore) -> Self {
                Self(generate(at_ms, random))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                check(text)?;
                Ok(Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }
    )*};
}

ids! {
    /// A tenant.
    CompanyId;
    /// A person who logs in.
    UserId;
    /// A log-in of a person, in one browser. Not the secret in the cookie.
    SessionId;
    /// A key of another system. Not the secret it presents.
    ApiKeyId;
    /// What the customer chooses (Vendas, Suporte): a queue with its rules.
    ServiceId;
    /// Opening hours that numbers, flows and services share.
    CalendarId;
    /// A number or short extension that can be dialled.
    NumberId;
    /// A carrier.
    TrunkId;
    /// A way by which calls leave.
    OutboundRouteId;
    /// A call that left by a carrier, for its cost.
    OutboundCallId;
    /// A SIP phone or browser of a person.
    DeviceId;
    /// A recording, or a text with a voice.
    PromptId;
    /// What a caller hears and presses.
    FlowId;
    /// One process of the program, the same after each restart of it.
    InstanceId;
    /// One matter being handled: a call or a conversation.
    InteractionId;
    /// An interaction as the queue sees it: what waits, is offered and is handled.
    WorkId;
    /// A customer.
    ContactId;
    /// One of the ids under which channels know a customer.
    IdentityId;
    /// Two customers that turned out to be one.
    MergeId;
    /// A way by which customers write: a number, a mailbox, another system.
    ChannelId;
    /// Where a company is told of what happens.
    WebhookId;
    /// Something that another system asked by a key of a channel.
    RequestId;
    /// A thread with a customer on a channel.
    ConversationId;
    /// One utterance of a conversation.
    MessageId;
    /// A file of a message.
    AttachmentId;
    /// Something that a channel brought, before anything was made of it.
    ReceiptId;
    /// Something an agent can do better or worse (fatura, inglês).
    SkillId;
    /// A reason for a pause (almoço, treinamento).
    PauseId;
    /// A sentence that agents write by a few letters.
    QuickReplyId;
    /// What people may do, under a name.
    ProfileId;
    /// A wrap-up code that closes an interaction.
    DispositionId;
    /// A message that a caller left.
    VoiceMessageId;
    /// A recording of a call.
    RecordingId;
    /// A line of the administrators' audit log.
    AuditId;
}

impl InteractionId {
    /// What all interactions that began at `at_ms` or later sort behind or equal.
    pub fn earliest(at_ms: i64) -> Self {
        Self(digits(u128::from(at_ms.unsigned_abs() & TIME_MASK) << 80))
    }
}

fn generate(at_ms: i64, random: &mut impl RngCore) -> Arc<str> {
    let time = u128::from(at_ms.unsigned_abs() & TIME_MASK) << 80;
    let chance = (u128::from(random.next_u64()) << 16) | u128::from(random.next_u32() & 0xffff);
    digits(time | chance)
}

fn digits(bits: u128) -> Arc<str> {
    let mut text = String::with_capacity(DIGITS);
    for digit in (0..DIGITS).rev() {
        let index = (bits >> (digit * 5)) & 31;
        text.push(char::from(ALPHABET[index as usize & 31]));
    }
    text.into()
}

fn check(text: &str) -> Result<(), InvalidId> {
    let sane = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if text.is_empty() || text.len() > ID_LENGTH_MAX || !text.bytes().all(sane) {
        return Err(InvalidId);
    }
    Ok(())
}

/// 128 bits in digits of 5 bits.
const DIGITS: usize = 26;

/// 48 bits of milliseconds last until the year 10889.
const TIME_MASK: u64 = (1 << 48) - 1;

/// Base32 without i, l, o and u, which people misread. In ASCII order, so that ids sort by time.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    #[test]
    fn ids_made_later_sort_later_and_never_meet() {
        let mut random = SmallRng::seed_from_u64(1);
        let ids: Vec<_> = (0..1000)
            .map(|n| InteractionId::new(1_763_825_000_000 + n, &mut random))
            .collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(ids.iter().all(|id| id.as_str().len() == 26));
        let earliest = InteractionId::earliest(1_763_825_000_500);
        assert!(ids[499] < earliest && earliest <= ids[500]);
        let same_ms: std::collections::BTreeSet<_> = (0..1000)
            .map(|_| InteractionId::new(1, &mut random))
            .collect();
        assert_eq!(same_ms.len(), 1000);
    }

    #[test]
    fn the_same_seed_makes_the_same_ids() {
        let make = || TrunkId::new(1_763_825_000_000, &mut SmallRng::seed_from_u64(7));
        assert_eq!(make(), make());
    }

    #[test]
    fn text_that_is_no_id_is_refused_everywhere() {
        for bad in ["", "a/b", "a b", "é", "'", &"a".repeat(ID_LENGTH_MAX + 1)] {
            assert_eq!(bad.parse::<CompanyId>(), Err(InvalidId), "{bad:?}");
            assert!(CompanyId::try_from(bad.to_owned()).is_err());
        }
        let good: CompanyId = "demo-1_A".parse().unwrap();
        assert_eq!(good.to_string(), "demo-1_A");
    }
}
