//! What is in a message, in Meta's words.

use serde_json::Value;

use crate::event::{
    Card, Choice, ChoiceKind, Content, Forwarded, Location, Media, MediaKind, MediaSource, Order,
    OrderItem, Referral,
};
use crate::json::{self, Fields};

/// Reads the content of a message from its `type` and the field of that name. What is not as it
/// should be becomes [`Content::Unsupported`] with all of it.
pub(crate) fn content(message: &Value) -> Content {
    let kind = message.text("type").unwrap_or_else(|| "?".to_owned());
    let body = message.at(&kind);
    let content = match kind.as_str() {
        "text" => body.text("body").map(|text| Content::Text { text }),
        "image" => media(MediaKind::Image, body),
        "video" => media(MediaKind::Video, body),
        "audio" | "voice" => media(MediaKind::Audio, body),
        "document" => media(MediaKind::Document, body),
        "sticker" => media(MediaKind::Sticker, body),
        "location" => location(body),
        "contacts" => cards(message.list("contacts")),
        "interactive" => interactive(body),
        "button" => button(body),
        "order" => order(body),
        _ => None,
    };
    content.unwrap_or_else(|| Content::Unsupported {
        kind,
        raw: message.clone(),
    })
}

fn media(kind: MediaKind, body: &Value) -> Option<Content> {
    // The id lives for 7 days and the link for 5 minutes.
    let by_id = body.id("id").map(MediaSource::Id);
    let source = by_id.or_else(|| body.text("url").map(MediaSource::Url))?;
    Some(Content::Media(Media {
        kind,
        source,
        mime: body.text("mime_type"),
        name: body.text("filename"),
        caption: body.text("caption"),
        voice: body.flag("voice"),
        sha256: body.text("sha256"),
        bytes: None,
    }))
}

/// A place, whose fields three of the providers call the same.
pub(crate) fn location(body: &Value) -> Option<Content> {
    Some(Content::Location(Location {
        latitude: body.number("latitude")?,
        longitude: body.number("longitude")?,
        name: body.text("name"),
        address: body.text("address"),
    }))
}

/// Cards of people.
pub(crate) fn cards(list: &[Value]) -> Option<Content> {
    let cards: Vec<Card> = list.iter().map(card).collect();
    (!cards.is_empty()).then_some(Content::Contacts { cards })
}

fn card(card: &Value) -> Card {
    let name = card.at("name");
    let each = |list: &str, field: &str| {
        let list = card.list(list).iter();
        list.filter_map(|one| one.text(field)).collect()
    };
    Card {
        name: name
            .text("formatted_name")
            .or_else(|| name.text("formattedName"))
            .unwrap_or_default(),
        phones: each("phones", "phone"),
        emails: each("emails", "email"),
        company: card.at("org").text("company"),
    }
}

fn interactive(body: &Value) -> Option<Content> {
    let kind = body.text("type")?;
    let reply = body.at(&kind);
    let (among, id, title, answers) = match kind.as_str() {
        "button_reply" => (
            ChoiceKind::Buttons,
            reply.id("id")?,
            reply.text("title")?,
            None,
        ),
        "list_reply" => (
            ChoiceKind::List,
            reply.id("id")?,
            reply.text("title")?,
            None,
        ),
        "nfm_reply" => {
            // A form's answers are JSON within a string; what is not is kept as the string.
            let answers = reply.text("response_json")?;
            let answers = json::parse(answers.as_bytes()).unwrap_or(Value::String(answers));
            let name = reply.text("name").unwrap_or_else(|| "flow".to_owned());
            let title = reply.text("body").unwrap_or_default();
            (ChoiceKind::Form, name, title, Some(answers))
        }
        "call_permission_reply" => {
            let response = reply.text("response")?;
            (
                ChoiceKind::CallPermission,
                response.clone(),
                response,
                Some(reply.clone()),
            )
        }
        _ => return None,
    };
    Some(Content::Choice(Choice {
        among,
        id,
        title,
        answers,
    }))
}

fn button(body: &Value) -> Option<Content> {
    let title = body.text("text")?;
    Some(Content::Choice(Choice {
        among: ChoiceKind::Template,
        id: body.text("payload").unwrap_or_else(|| title.clone()),
        title,
        answers: None,
    }))
}

fn order(body: &Value) -> Option<Content> {
    let item = |item: &Value| {
        Some(OrderItem {
            product: item.id("product_retailer_id")?,
            quantity: item
                .whole("quantity")
                .and_then(|count| count.try_into().ok())?,
            price_milli: milli(item.number("item_price")?)?,
            currency: item.text("currency")?,
        })
    };
    let items: Option<Vec<OrderItem>> = body.list("product_items").iter().map(item).collect();
    let items = items.filter(|items| !items.is_empty())?;
    Some(Content::Order(Order {
        catalog: body.id("catalog_id")?,
        text: body.text("text"),
        items,
    }))
}

/// A price in thousandths. A double holds whole numbers exactly up to 2⁵³.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn milli(price: f64) -> Option<i64> {
    let milli = (price * 1_000.0).round();
    (milli.abs() < 9e15).then_some(milli as i64)
}

/// How a message was passed on.
pub(crate) fn forwarded(context: &Value) -> Option<Forwarded> {
    if context.flag("frequently_forwarded") {
        return Some(Forwarded::Often);
    }
    context.flag("forwarded").then_some(Forwarded::Once)
}

/// The advertisement that brought a customer.
pub(crate) fn referral(referral: &Value) -> Option<Referral> {
    let found = Referral {
        kind: referral.text("source_type"),
        id: referral.id("source_id"),
        url: referral.text("source_url"),
        headline: referral.text("headline"),
        body: referral.text("body"),
        media_url: ["image_url", "video_url", "thumbnail_url"]
            .iter()
            .find_map(|field| referral.text(field)),
        click: referral.text("ctwa_clid"),
    };
    (found != Referral::default()).then_some(found)
}
