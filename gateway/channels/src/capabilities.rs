//! What a channel can carry, as data: the composer obeys it, and what is sent is checked against it.

use serde::Serialize;

use crate::connector::Refusal;
use crate::event::MediaKind;
use crate::send::{OutChoices, OutContent, OutMedia};

/// What a channel can carry.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Capabilities {
    /// The longest text.
    pub text_max: TextMax,
    /// The longest words below a file, in characters. 0 where there are none.
    pub caption_chars_max: usize,
    /// Which files.
    pub media: &'static [MediaRule],
    /// Files in one message.
    pub files_max: usize,
    /// Whether a file can be uploaded to the provider beforehand; else it is fetched at our link.
    pub upload: bool,
    /// Answers to choose from, where there are such.
    pub choices: Option<ChoiceRules>,
    /// Whether a place can be sent.
    pub location: bool,
    /// Whether a message can quote the one it answers.
    pub replies: bool,
    /// Whether we can react to messages.
    pub reactions: bool,
    /// Whether we can tell the customer that a person read.
    pub read_receipts: bool,
    /// Whether we can tell the customer that a person types.
    pub typing: bool,
    /// Whether there are templates.
    pub templates: bool,
    /// Whether the customer can be asked for their telephone by a tap.
    pub ask_phone: bool,
    /// Whether the customer can be asked for where they are by a tap.
    pub ask_location: bool,
    /// Whether statuses carry our own id, so that a message whose fate is unknown can be found again.
    pub correlation: bool,
    /// Whether the provider tells what messages cost.
    pub costs: bool,
    /// For how long after the customer's last message anything may be written, in milliseconds.
    pub window_ms: Option<i64>,
    /// How fast messages may leave.
    pub rates: Rates,
    /// Within what time a webhook must be answered, in milliseconds.
    pub answer_within_ms: u64,
    /// The status of HTTP with which a webhook is acknowledged, without a body.
    pub acknowledge: u16,
}

/// The longest text, in the unit in which the channel counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TextMax {
    /// Characters.
    Chars(usize),
    /// Bytes of UTF-8.
    Bytes(usize),
}

/// Which files of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MediaRule {
    /// The kind.
    pub kind: MediaKind,
    /// Their types, without parameters; none is any.
    pub mimes: &'static [&'static str],
    /// The longest, in bytes.
    pub bytes_max: u64,
    /// Whether words can stand below one.
    pub caption: bool,
}

/// How many answers may be offered, and how long they may be, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ChoiceRules {
    /// So many are shown as buttons; more become a list.
    pub buttons_max: usize,
    /// What stands on a button.
    pub button_chars_max: usize,
    /// So many can be in a list.
    pub rows_max: usize,
    /// What stands in a row.
    pub row_chars_max: usize,
    /// What stands below it.
    pub description_chars_max: usize,
    /// Our id of an answer.
    pub id_chars_max: usize,
    /// The question.
    pub body_chars_max: usize,
    /// The small words.
    pub footer_chars_max: usize,
}

/// How fast messages may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rates {
    /// By one sending identity.
    pub identity: Rate,
    /// To one customer.
    pub recipient: Option<Rate>,
}

/// A bucket of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rate {
    /// One token comes so often, in microseconds.
    pub every_us: u64,
    /// So many are held at most.
    pub burst: u32,
}

impl Capabilities {
    /// Checks what is to be sent, so that nobody waits for a provider to refuse it. Templates are
    /// checked against themselves.
    ///
    /// # Errors
    ///
    /// [`Refusal`].
    pub fn check(&self, content: &OutContent) -> Result<(), Refusal> {
        let can = match content {
            OutContent::Text { text, .. } => return self.check_text(text),
            OutContent::Media(media) => return self.check_media(media),
            OutContent::Choices(choices) => return self.check_choices(choices),
            OutContent::Location(place) => {
                let on_earth = place.latitude.abs() <= 90.0 && place.longitude.abs() <= 180.0;
                if self.location && !on_earth {
                    return Err(Refusal::Invalid { field: "location" });
                }
                self.location
            }
            OutContent::Template(_) => self.templates,
            OutContent::Reaction { .. } => self.reactions,
            OutContent::AskPhone { text } => {
                self.check_text(text)?;
                self.ask_phone
            }
            OutContent::AskLocation { text } => {
                self.check_text(text)?;
                self.ask_location
            }
        };
        let what = content.what();
        can.then_some(()).ok_or(Refusal::Unsupported { what })
    }

    fn check_text(&self, text: &str) -> Result<(), Refusal> {
        if text.trim().is_empty() {
            return Err(Refusal::Empty { field: "text" });
        }
        let (length, max) = match self.text_max {
            TextMax::Chars(max) => (text.chars().count(), max),
            TextMax::Bytes(max) => (text.len(), max),
        };
        let field = "text";
        (length <= max)
            .then_some(())
            .ok_or(Refusal::TooLong { field, max })
    }

    fn check_media(&self, media: &OutMedia) -> Result<(), Refusal> {
        let what = media.kind.as_str();
        let of_kind = || self.media.iter().filter(|rule| rule.kind == media.kind);
        if of_kind().next().is_none() {
            return Err(Refusal::Unsupported { what });
        }
        let bare = media.mime.split(';').next().unwrap_or_default().trim();
        let mut fitting =
            of_kind().filter(|rule| rule.mimes.is_empty() || rule.mimes.contains(&bare));
        let Some(rule) = fitting.next() else {
            let mime = bare.to_owned();
            return Err(Refusal::FileType { what, mime });
        };
        if media.bytes > rule.bytes_max {
            let bytes_max = rule.bytes_max;
            return Err(Refusal::FileTooLarge { what, bytes_max });
        }
        if let Some(caption) = &media.caption {
            if !rule.caption {
                return Err(Refusal::Unsupported { what: "caption" });
            }
            at_most("caption", caption, self.caption_chars_max)?;
        }
        Ok(())
    }

    fn check_choices(&self, question: &OutChoices) -> Result<(), Refusal> {
        let Some(rules) = &self.choices else {
            return Err(Refusal::Unsupported { what: "choices" });
        };
        let count = question.choices.len();
        if question.body.trim().is_empty() {
            return Err(Refusal::Empty { field: "body" });
        }
        if count == 0 {
            return Err(Refusal::Empty { field: "choices" });
        }
        let max = rules.rows_max.max(rules.buttons_max);
        if count > max {
            let field = "choices";
            return Err(Refusal::TooMany { field, max });
        }
        at_most("body", &question.body, rules.body_chars_max)?;
        at_most(
            "footer",
            question.footer.as_deref().unwrap_or_default(),
            rules.footer_chars_max,
        )?;
        let title_max = match rules.as_buttons(question) {
            true => rules.button_chars_max,
            false => rules.row_chars_max,
        };
        for (at, choice) in question.choices.iter().enumerate() {
            if choice.id.is_empty() || choice.title.trim().is_empty() {
                return Err(Refusal::Empty { field: "choices" });
            }
            if question.choices[..at]
                .iter()
                .any(|earlier| earlier.id == choice.id)
            {
                return Err(Refusal::Invalid { field: "choices" });
            }
            let description = choice.description.as_deref().unwrap_or_default();
            at_most("id", &choice.id, rules.id_chars_max)?;
            at_most("title", &choice.title, title_max)?;
            at_most("description", description, rules.description_chars_max)?;
        }
        Ok(())
    }
}

impl ChoiceRules {
    /// Whether a question is shown with buttons rather than a list.
    pub fn as_buttons(&self, question: &OutChoices) -> bool {
        let described = |choice: &crate::send::OutChoice| choice.description.is_some();
        question.choices.len() <= self.buttons_max
            && question.open.is_none()
            && !question.choices.iter().any(described)
    }
}

/// Rules of a channel that takes any file but stickers, each of `bytes_max` bytes at most.
pub(crate) const fn any_file(bytes_max: u64) -> [MediaRule; 4] {
    [
        any_of(MediaKind::Image, bytes_max),
        any_of(MediaKind::Video, bytes_max),
        any_of(MediaKind::Audio, bytes_max),
        any_of(MediaKind::Document, bytes_max),
    ]
}

const fn any_of(kind: MediaKind, bytes_max: u64) -> MediaRule {
    MediaRule {
        kind,
        mimes: &[],
        bytes_max,
        caption: true,
    }
}

fn at_most(field: &'static str, text: &str, max: usize) -> Result<(), Refusal> {
    (text.chars().count() <= max)
        .then_some(())
        .ok_or(Refusal::TooLong { field, max })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Location, MediaSource};
    use crate::send::OutChoice;

    fn capabilities() -> Capabilities {
        Capabilities {
            text_max: TextMax::Chars(5),
            caption_chars_max: 4,
            media: &[
                MediaRule {
                    kind: MediaKind::Audio,
                    mimes: &["audio/ogg"],
                    bytes_max: 16,
                    caption: false,
                },
                MediaRule {
                    kind: MediaKind::Document,
                    mimes: &[],
                    bytes_max: 100,
                    caption: true,
                },
            ],
            files_max: 1,
            upload: false,
            choices: Some(ChoiceRules {
                buttons_max: 3,
                button_chars_max: 3,
                rows_max: 4,
                row_chars_max: 6,
                description_chars_max: 8,
                id_chars_max: 2,
                body_chars_max: 9,
                footer_chars_max: 3,
            }),
            location: true,
            replies: true,
            reactions: false,
            read_receipts: true,
            typing: true,
            templates: true,
            ask_phone: false,
            ask_location: true,
            correlation: true,
            costs: true,
            window_ms: None,
            rates: Rates {
                identity: Rate {
                    every_us: 1,
                    burst: 1,
                },
                recipient: None,
            },
            answer_within_ms: 1_000,
            acknowledge: 200,
        }
    }

    fn text(text: &str) -> OutContent {
        OutContent::Text {
            text: text.to_owned(),
            preview: false,
        }
    }

    fn media(kind: MediaKind, mime: &str, bytes: u64, caption: Option<&str>) -> OutContent {
        OutContent::Media(OutMedia {
            kind,
            source: MediaSource::Url("https://exemplo.com/a".to_owned()),
            mime: mime.to_owned(),
            bytes,
            name: None,
            caption: caption.map(str::to_owned),
            voice: false,
        })
    }

    fn choices(rows: &[(&str, &str)], open: Option<&str>) -> OutContent {
        let choice = |(id, title): &(&str, &str)| OutChoice {
            id: (*id).to_owned(),
            title: (*title).to_owned(),
            description: None,
        };
        OutContent::Choices(OutChoices {
            body: "Qual?".to_owned(),
            footer: None,
            open: open.map(str::to_owned),
            choices: rows.iter().map(choice).collect(),
        })
    }

    #[test]
    fn what_a_channel_cannot_carry_is_refused_before_it_is_sent() {
        let (field, max) = ("choices", 4);
        let location = |latitude| {
            let (name, address) = (None, None);
            OutContent::Location(Location {
                latitude,
                longitude: -46.6,
                name,
                address,
            })
        };
        let five = [("1", "a"), ("2", "b"), ("3", "c"), ("4", "d"), ("5", "e")];
        #[rustfmt::skip]
        let rows = [
            (text("olá"), Ok(())),
            // Characters, not bytes.
            (text("ááááá"), Ok(())),
            (text("áááááá"), Err(Refusal::TooLong { field: "text", max: 5 })),
            (text(" \n"), Err(Refusal::Empty { field: "text" })),
            (media(MediaKind::Audio, "audio/ogg; codecs=opus", 16, None), Ok(())),
            (media(MediaKind::Audio, "audio/webm", 16, None), Err(Refusal::FileType { what: "audio", mime: "audio/webm".to_owned() })),
            (media(MediaKind::Audio, "audio/ogg", 17, None), Err(Refusal::FileTooLarge { what: "audio", bytes_max: 16 })),
            (media(MediaKind::Image, "image/png", 1, None), Err(Refusal::Unsupported { what: "image" })),
            (media(MediaKind::Document, "any/thing", 100, Some("nota")), Ok(())),
            (media(MediaKind::Document, "any/thing", 100, Some("notas")), Err(Refusal::TooLong { field: "caption", max: 4 })),
            (location(-23.5), Ok(())),
            (location(-90.5), Err(Refusal::Invalid { field: "location" })),
            (location(f64::NAN), Err(Refusal::Invalid { field: "location" })),
            (choices(&five[..3], None), Ok(())),
            (choices(&five[..4], None), Ok(())),
            (choices(&five, None), Err(Refusal::TooMany { field, max })),
            (choices(&[], None), Err(Refusal::Empty { field })),
            (choices(&[("1", "a"), ("1", "b")], None), Err(Refusal::Invalid { field })),
            // A button has less room than a row.
            (choices(&[("1", "abcd")], None), Err(Refusal::TooLong { field: "title", max: 3 })),
            (choices(&[("1", "abcd")], Some("ver")), Ok(())),
            (choices(&[("123", "a")], None), Err(Refusal::TooLong { field: "id", max: 2 })),
            (OutContent::AskLocation { text: "Onde?".to_owned() }, Ok(())),
            (OutContent::AskPhone { text: "Qual?".to_owned() }, Err(Refusal::Unsupported { what: "ask_phone" })),
            (OutContent::Reaction { message: "m".to_owned(), emoji: None }, Err(Refusal::Unsupported { what: "reaction" })),
        ];
        for (content, expected) in rows {
            assert_eq!(capabilities().check(&content), expected, "{content:?}");
        }
    }

    #[test]
    fn channels_of_our_own_take_words_and_files_and_say_what_they_do_not() {
        let own = [
            crate::webchat::WEBCHAT,
            crate::generic::GENERIC,
            crate::email::EMAIL,
        ];
        for channel in own {
            assert_eq!(channel.check(&text("olá")), Ok(()));
            let file = media(MediaKind::Document, "any/thing", 1_000_000, Some("nota"));
            assert_eq!(channel.check(&file), Ok(()));
            let largest = channel.media.iter().map(|rule| rule.bytes_max).max();
            let bytes_max = largest.expect("a rule");
            let large = media(MediaKind::Image, "image/png", bytes_max + 1, None);
            let what = "image";
            let too_large = Refusal::FileTooLarge { what, bytes_max };
            assert_eq!(channel.check(&large), Err(too_large));
            let sticker = media(MediaKind::Sticker, "image/webp", 1, None);
            let what = "sticker";
            assert_eq!(channel.check(&sticker), Err(Refusal::Unsupported { what }));
            let ask = OutContent::AskPhone {
                text: "Qual?".to_owned(),
            };
            let what = "ask_phone";
            assert_eq!(channel.check(&ask), Err(Refusal::Unsupported { what }));
            let (TextMax::Chars(max) | TextMax::Bytes(max)) = channel.text_max;
            let field = "text";
            let long = text(&"x".repeat(max + 1));
            assert_eq!(channel.check(&long), Err(Refusal::TooLong { field, max }));
        }
    }

    #[test]
    fn a_text_is_counted_in_the_unit_of_the_channel() {
        let bytes = Capabilities {
            text_max: TextMax::Bytes(5),
            ..capabilities()
        };
        let (field, max) = ("text", 5);
        assert_eq!(
            bytes.check(&text("ááá")),
            Err(Refusal::TooLong { field, max })
        );
        assert_eq!(bytes.check(&text("áá")), Ok(()));
    }
}
