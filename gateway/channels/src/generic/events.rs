//! What is posted besides messages: the customer types, has read, ended the conversation, or changed
//! what they wrote.

use serde_json::Value;

use super::fields::{Fault, Faults, FieldFault, Reader, push};
use super::receive::{ID_MAX, TEXT_BYTES_MAX, parsed};
use crate::event::{Content, Edited, Event, EventKind, Read, Revoked, Side, Typing, key};
use crate::json;
use crate::peer::Peer;

/// Something that happened to a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Their id of the conversation.
    pub conversation: String,
    /// What. Its peer has no ids: the conversation says who it is.
    pub event: Event,
}

/// Reads what was posted.
///
/// # Errors
///
/// Every field that is wrong.
pub fn read(body: &[u8]) -> Result<Told, Vec<FieldFault>> {
    let value = parsed(body)?;
    let mut faults = vec![];
    let told = of(&value, &mut faults);
    told.filter(|_| faults.is_empty()).ok_or(faults)
}

fn of(value: &Value, faults: &mut Faults) -> Option<Told> {
    let mut reader = Reader::new(String::new(), value, faults);
    let conversation = reader.needed("external_conversation_id", ID_MAX, faults);
    let word = reader.needed("type", ID_MAX, faults);
    let at_ms = reader.time_ms("sent_at", faults);
    let peer = Peer::default();
    let by = Side::Customer;
    let kind = match word.as_str() {
        "typing" => {
            let on = reader
                .value("on")
                .is_none_or(|on| on != &Value::Bool(false));
            Some(EventKind::Typing(Typing { peer, on }))
        }
        "read" => {
            let message = reader.text("external_message_id", ID_MAX, faults);
            let until_ms = at_ms;
            #[rustfmt::skip]
            let read = Read { peer, message, until_ms };
            Some(EventKind::Read(read))
        }
        "customer_closed" => Some(EventKind::Closed { peer }),
        "message_edited" => {
            let message = reader.needed("external_message_id", ID_MAX, faults);
            let text = reader.needed("text", TEXT_BYTES_MAX, faults);
            let content = Content::Text { text };
            #[rustfmt::skip]
            let edited = Edited { peer, by, message, content };
            Some(EventKind::Edited(edited))
        }
        "message_deleted" => {
            let message = reader.needed("external_message_id", ID_MAX, faults);
            Some(EventKind::Revoked(Revoked { peer, by, message }))
        }
        "" => None,
        _ => {
            let expected = "typing, read, customer_closed, message_edited or message_deleted";
            push(faults, "type", Fault::Format { expected });
            None
        }
    };
    if kind.is_some() {
        reader.end(faults);
    }
    Some(Told {
        conversation,
        event: Event {
            key: key(&[&word, &json::fingerprint(value)]),
            account: None,
            at_ms,
            kind: kind?,
        },
    })
}
