//! What Meta answers.

use serde_json::Value;

use crate::connector::Fetch;
use crate::failure::{Advice, Failure, FailureClass};
use crate::json::{self, Fields};
use crate::peer::{IdentityKind, PeerId};
use crate::proof;
use crate::send::{Accepted, Method, Request, Response, host};
use crate::whatsapp::errors;
use crate::whatsapp::meta::read::Scope;

/// What the answer to a message means.
pub(crate) fn accepted(response: &Response, scope: Scope<'_>) -> Result<Accepted, Failure> {
    let body = json::parse(&response.body).unwrap_or_default();
    let message = body.list("messages").first();
    let id = message.and_then(|message| message.id("id"));
    match (response.status, id) {
        (200..=299, Some(id)) => Ok(Accepted {
            id,
            learned: learned(&body, scope),
        }),
        _ => Err(errors::of_answer(response)),
    }
}

/// The ids of the customer as WhatsApp has them: their telephone, which may lack the ninth digit, and
/// their id in the portfolio.
fn learned(body: &Value, scope: Scope<'_>) -> Vec<PeerId> {
    let Some(contact) = body.list("contacts").first() else {
        return vec![];
    };
    let id = contact.id("user_id");
    let id = id.map(|id| PeerId::scoped(IdentityKind::WaBsuid, scope.portfolio, id));
    let number = contact.id("wa_id");
    let number = number.map(|number| PeerId::new(IdentityKind::WaId, number));
    id.into_iter().chain(number).collect()
}

/// Where a file is, as the answer to its id says.
pub(crate) fn link(response: &Response) -> Result<String, Failure> {
    let body = json::parse(&response.body).unwrap_or_default();
    match (response.status, body.text("url")) {
        (200..=299, Some(url)) if host(&url).is_some() => Ok(url),
        (200..=299, _) => {
            let (class, advice) = (FailureClass::Permanent, Advice::File);
            Err(Failure::new(
                class,
                advice,
                "no link",
                "the answer holds no link",
            ))
        }
        _ => Err(errors::of_answer(response)),
    }
}

/// The id of a file that was laid down.
pub(crate) fn uploaded(response: &Response) -> Result<String, Failure> {
    let body = json::parse(&response.body).unwrap_or_default();
    match (response.status, body.id("id")) {
        (200..=299, Some(id)) => Ok(id),
        _ => Err(errors::of_answer(response)),
    }
}

/// A file at a link, without any secret of ours.
pub(crate) fn plain(url: &str) -> Fetch {
    Fetch::File(Request::new(Method::Get, url))
}

/// A form with a file in it (RFC 7578).
pub(crate) fn form(request: Request, mime: &str, name: &str, bytes: &[u8]) -> Request {
    // Derived from the file, so that it cannot be in it but by a collision.
    let digest = proof::hmac_sha256(b"boundary", &[name.as_bytes(), bytes]);
    let boundary = hex::encode(&digest[..16]);
    let is_plain = |letter: &char| !letter.is_control() && !matches!(letter, '"' | '\\');
    let name: String = name.chars().filter(is_plain).collect();
    let mime: String = mime.chars().filter(|letter| !letter.is_control()).collect();
    let mut body = vec![];
    for (field, value) in [("messaging_product", "whatsapp"), ("type", &mime)] {
        let part = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n"
        );
        body.extend_from_slice(part.as_bytes());
    }
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: {mime}\r\n\r\n"
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(bytes);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    request.body(&format!("multipart/form-data; boundary={boundary}"), body)
}
