//! Who wants no advertising: said by a provider, or by the customer below some.

use channels::peer::PeerId;
use channels::send::OutContent;
use desk::id::{CompanyId, ContactId};
use desk::record::Direction;
use store::conversations::{self, Conversation};
use store::messages::{self, Message};
use store::{Error, Transaction, identities};

use super::sender::peers;

/// The provider says that who was written to wants none.
pub(super) async fn refused(
    db: &mut Transaction,
    message: &Message,
    now_ms: i64,
) -> Result<(), Error> {
    match conversations::by_id(&mut **db, &message.conversation).await? {
        Some(talk) => note_all(db, &talk, now_ms).await,
        None => Ok(()),
    }
}

/// Notes that a customer wants none, where they say so right below some: a press on the button that most
/// templates have for it, or its word.
pub(super) async fn note_refusal(
    db: &mut Transaction,
    talk: &Conversation,
    said: &str,
    at_ms: i64,
) -> Result<(), Error> {
    let said = said.trim().trim_end_matches(['.', '!']).to_lowercase();
    if !REFUSALS.contains(&said.as_str()) {
        return Ok(());
    }
    let before = messages::by_seq(&mut **db, &talk.id, talk.seq.saturating_sub(1)).await?;
    let is_below_some = before.is_some_and(|before| {
        let category = before.content["category"].as_str().unwrap_or_default();
        before.direction == Direction::Outbound && is_advertising(category)
    });
    match is_below_some {
        true => note_all(db, talk, at_ms).await,
        false => Ok(()),
    }
}

/// Whether a contact wants none of what a message is.
pub(crate) async fn is_unwanted(
    db: &mut Transaction,
    (company, contact): (&CompanyId, Option<&ContactId>),
    content: &OutContent,
) -> Result<bool, Error> {
    let (OutContent::Template(template), Some(contact)) = (content, contact) else {
        return Ok(false);
    };
    if !is_advertising(&template.category) {
        return Ok(false);
    }
    let ids = identities::of_contact(&mut **db, company, contact).await?;
    Ok(ids.iter().any(|id| id.no_marketing_ms.is_some()))
}

/// Notes since when a contact wants none by the kinds of these ids; or with `None` that they want it.
pub(super) async fn note(
    db: &mut Transaction,
    whose: (&CompanyId, &ContactId),
    peers: &[PeerId],
    no_marketing_ms: Option<i64>,
) -> Result<(), Error> {
    for peer in peers {
        if let Ok(kind) = peer.kind.as_str().parse() {
            identities::note_marketing(&mut **db, whose, kind, no_marketing_ms).await?;
        }
    }
    Ok(())
}

/// By all ids by which the customer of a conversation is reached.
async fn note_all(db: &mut Transaction, talk: &Conversation, at_ms: i64) -> Result<(), Error> {
    match &talk.contact {
        Some(contact) => note(db, (&talk.company, contact), &peers(talk), Some(at_ms)).await,
        None => Ok(()),
    }
}

/// Providers write it in large letters and in small ones.
fn is_advertising(category: &str) -> bool {
    category.eq_ignore_ascii_case("marketing")
}

/// How people say that they want no more of it.
const REFUSALS: [&str; 14] = [
    "parar",
    "pare",
    "parar de receber",
    "parar promoções",
    "interromper promoções",
    "sair",
    "cancelar",
    "descadastrar",
    "não quero receber",
    "stop",
    "stop promotions",
    "unsubscribe",
    "baja",
    "no quiero recibir",
];
