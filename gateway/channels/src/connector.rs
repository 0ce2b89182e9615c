//! The one interface behind which each provider stands. All of it is a pure function of what is given.

use std::fmt;

use desk::explain::Language;

use crate::capabilities::Capabilities;
use crate::event::{Event, MediaSource};
use crate::failure::{Advice, Failure, FailureClass};
use crate::health::{Check, Finding};
use crate::peer::PeerId;
use crate::send::{Accepted, Outgoing, Request, Response, Signal};
use crate::template::TemplatePage;

/// The longest webhook and the longest answer that is read, in bytes: Meta's largest webhook is 3 MB.
pub const BODY_BYTES_MAX: usize = 4 << 20;

/// A request that came to a webhook.
#[derive(Clone, Copy)]
pub struct Webhook<'a> {
    /// The public address as the provider wrote it, with its query: some sign it.
    pub url: &'a str,
    /// The headers.
    pub headers: &'a Headers,
    /// The body, byte by byte as it came.
    pub body: &'a [u8],
}

impl fmt::Debug for Webhook<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Webhook ({} bytes)", self.body.len())
    }
}

/// Headers of a request, found by name in whatever case.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// The value, where the header is there once. Twice it says nothing: one of the two was added.
    pub fn one(&self, name: &str) -> Option<&str> {
        let mut found = self
            .0
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let (_, value) = found.next()?;
        found.next().is_none().then_some(value)
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(headers: I) -> Self {
        let owned = |(name, value): (N, V)| (name.into(), value.into());
        Self(headers.into_iter().map(owned).collect())
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be secrets.
        let names = self.0.iter().map(|(name, _)| name);
        formatter.debug_list().entries(names).finish()
    }
}

/// How one provider of one channel is spoken to.
pub trait Connector: fmt::Debug + Send + Sync {
    /// What it can carry.
    fn capabilities(&self) -> &Capabilities;

    /// What the provider calls the account for which this connector speaks: events of another
    /// ([`Event::account`]) belong to another channel. None where one webhook tells of one account.
    fn account(&self) -> Option<&str>;

    /// Proves that a webhook comes from the provider. Nothing of it is believed before.
    ///
    /// # Errors
    ///
    /// [`Forged`]: answered with 401 and counted, never stored.
    fn verify(&self, webhook: &Webhook<'_>) -> Result<(), Forged>;

    /// By which of a customer's ids they are written to here, the first that the provider takes; none
    /// where the channel does not know them.
    fn address<'a>(&self, ids: &'a [PeerId]) -> Option<&'a PeerId>;

    /// What to answer to a `GET` with this query, by which a provider asks whether we are who we say;
    /// none is a 403.
    fn handshake(&self, query: &str) -> Option<String> {
        let _ = query;
        None
    }

    /// What a webhook tells. Kinds that we do not know become [`crate::event::EventKind::Unsupported`]
    /// or a message with [`crate::event::Content::Unsupported`], never an error.
    ///
    /// # Errors
    ///
    /// [`Unreadable`]: it is kept raw, counted and shown on the page of the channel's health.
    fn read(&self, webhook: &Webhook<'_>) -> Result<Vec<Event>, Unreadable>;

    /// How a message is sent.
    ///
    /// # Errors
    ///
    /// [`Refusal`], before anything was sent.
    fn send(&self, message: &Outgoing) -> Result<Request, Refusal>;

    /// What the answer to [`Connector::send`] means. An answer that never came is
    /// [`Failure::no_answer`].
    ///
    /// # Errors
    ///
    /// [`Failure`].
    fn answered(&self, response: &Response) -> Result<Accepted, Failure>;

    /// How the customer is told that a person read or types. The answer does not matter.
    ///
    /// # Errors
    ///
    /// [`Refusal::Unsupported`] where the channel has no such thing.
    fn signal(&self, signal: &Signal) -> Result<Request, Refusal> {
        let _ = signal;
        let what = "signal";
        Err(Refusal::Unsupported { what })
    }

    /// How a file of a message is fetched. The shell guards against addresses inside.
    ///
    /// # Errors
    ///
    /// [`Refusal`] where this provider gives out no such files.
    fn media(&self, source: &MediaSource) -> Result<Fetch, Refusal>;

    /// The second step of [`Fetch::Locate`].
    ///
    /// # Errors
    ///
    /// [`Failure`].
    fn located(&self, response: &Response) -> Result<Request, Failure> {
        Err(unasked(response))
    }

    /// How a file is laid down at the provider, where [`Capabilities::upload`] says that it can be.
    ///
    /// # Errors
    ///
    /// [`Refusal`].
    fn upload(&self, mime: &str, name: &str, bytes: &[u8]) -> Result<Request, Refusal> {
        let _ = (mime, name, bytes);
        let what = "upload";
        Err(Refusal::Unsupported { what })
    }

    /// The id of a file that was laid down.
    ///
    /// # Errors
    ///
    /// [`Failure`].
    fn uploaded(&self, response: &Response) -> Result<String, Failure> {
        Err(unasked(response))
    }

    /// How a customer is kept from writing, or let again.
    ///
    /// # Errors
    ///
    /// [`Refusal`] where the provider has no such thing.
    fn block(&self, customer: &PeerId, blocked: bool) -> Result<Request, Refusal> {
        let _ = (customer, blocked);
        let what = "block";
        Err(Refusal::Unsupported { what })
    }

    /// How the provider is told to call `webhook` with what happens. None where that is said on its own
    /// pages.
    fn set_up(&self, webhook: &str) -> Vec<Request> {
        let _ = webhook;
        vec![]
    }

    /// How the provider is asked about the account itself, for the page of the channel's health.
    fn checks(&self) -> Vec<(Check, Request)> {
        vec![]
    }

    /// What the answer to one of [`Connector::checks`] says.
    ///
    /// # Errors
    ///
    /// [`Failure`]: for one, the token is void.
    fn checked(&self, check: Check, response: &Response) -> Result<Vec<Finding>, Failure> {
        let _ = check;
        Err(unasked(response))
    }

    /// How a page of the templates is listed: the first, or the one behind [`TemplatePage::after`].
    ///
    /// # Errors
    ///
    /// [`Refusal`] where there are none.
    fn templates(&self, after: Option<&str>) -> Result<Request, Refusal>;

    /// What the answer to [`Connector::templates`] lists.
    ///
    /// # Errors
    ///
    /// [`Failure`].
    fn templates_listed(&self, response: &Response) -> Result<TemplatePage, Failure>;
}

/// An answer to something that this provider is never asked.
fn unasked(response: &Response) -> Failure {
    let (class, advice) = (FailureClass::Permanent, Advice::OurMistake);
    Failure::new(
        class,
        advice,
        format!("http {}", response.status),
        "never asked",
    )
}

/// How a file is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetch {
    /// The answer is the file.
    File(Request),
    /// The answer says where the file is: give it to [`Connector::located`].
    Locate(Request),
}

/// A webhook that the provider did not send, or that was changed on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forged {
    /// The signature or the secret is not there, or there twice.
    #[error("the header {0} is missing")]
    Missing(&'static str),
    /// It is there and does not have the form.
    #[error("the header {0} does not have its form")]
    Malformed(&'static str),
    /// It does not fit.
    #[error("the signature or secret is wrong")]
    Wrong,
    /// The channel has no secret, and so proves nothing. A mistake of ours: refused all the same.
    #[error("the channel has no secret to check with")]
    NoSecret,
}

/// A webhook that came from the provider, and that nobody can read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Longer than any they send.
    #[error("{0} bytes are more than {BODY_BYTES_MAX}")]
    TooLong(usize),
    /// It holds more values than any they send.
    #[error("it holds more values than any webhook")]
    TooMany,
    /// It is cut off, nested too deeply, or not in the format at all.
    #[error("not readable: {0}")]
    Syntax(String),
    /// It is in the format, and not what they send here.
    #[error("not {0}")]
    Shape(&'static str),
}

/// What we will not ask of a channel. Told before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The channel has no such thing.
    #[error("this channel has no {what}")]
    Unsupported {
        /// What.
        what: &'static str,
    },
    /// There is nothing in it.
    #[error("{field} is empty")]
    Empty {
        /// Of what.
        field: &'static str,
    },
    /// There is too much in it.
    #[error("{field} has more than {max} characters")]
    TooLong {
        /// Of what.
        field: &'static str,
        /// How many characters (bytes, where the channel counts so) it may have.
        max: usize,
    },
    /// There are too many.
    #[error("there are more than {max} {field}")]
    TooMany {
        /// Of what.
        field: &'static str,
        /// How many there may be.
        max: usize,
    },
    /// It is not what it should be.
    #[error("{field} is not valid")]
    Invalid {
        /// What.
        field: &'static str,
    },
    /// Files of this type are not taken.
    #[error("{what} of the type {mime} is not taken")]
    FileType {
        /// Which kind of file.
        what: &'static str,
        /// Its type.
        mime: String,
    },
    /// The file is too large.
    #[error("{what} has more than {bytes_max} bytes")]
    FileTooLarge {
        /// Which kind of file.
        what: &'static str,
        /// The longest, in bytes.
        bytes_max: u64,
    },
    /// The channel does not know the customer by such an id.
    #[error("the channel does not know anybody by this kind of id")]
    Address,
}

impl Refusal {
    /// The word for it in the API.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unsupported { .. } => "unsupported",
            Self::Empty { .. } => "empty",
            Self::TooLong { .. } => "too_long",
            Self::TooMany { .. } => "too_many",
            Self::Invalid { .. } => "invalid",
            Self::FileType { .. } => "file_type",
            Self::FileTooLarge { .. } => "file_too_large",
            Self::Address => "address",
        }
    }

    /// What the agent is told.
    pub fn sentence(&self, language: Language) -> String {
        let [pt, en, es] = match self {
            Self::Unsupported { what } => [
                format!("Este canal não aceita isto ({what}): envie de outra forma."),
                format!("This channel does not take this ({what}): send it in another form."),
                format!("Este canal no acepta esto ({what}): envíelo de otra forma."),
            ],
            Self::Empty { field } => [
                format!("O campo {field} está vazio: preencha-o."),
                format!("The field {field} is empty: fill it in."),
                format!("El campo {field} está vacío: complételo."),
            ],
            Self::TooLong { field, max } => [
                format!("O campo {field} passa de {max} caracteres: encurte-o."),
                format!("The field {field} has more than {max} characters: shorten it."),
                format!("El campo {field} pasa de {max} caracteres: acórtelo."),
            ],
            Self::TooMany { field, max } => [
                format!("O campo {field} passa de {max} itens: retire alguns."),
                format!("The field {field} has more than {max} items: take some out."),
                format!("El campo {field} pasa de {max} elementos: quite algunos."),
            ],
            Self::Invalid { field } => [
                format!("O campo {field} não é válido: corrija-o."),
                format!("The field {field} is not valid: correct it."),
                format!("El campo {field} no es válido: corríjalo."),
            ],
            Self::FileType { mime, .. } => [
                format!("Este canal não aceita arquivos {mime}: converta o arquivo."),
                format!("This channel takes no files of the type {mime}: convert the file."),
                format!("Este canal no acepta archivos {mime}: convierta el archivo."),
            ],
            Self::FileTooLarge { bytes_max, .. } => {
                let mb = bytes_max / 1_000_000;
                let kb = bytes_max / 1_000;
                let max = if mb > 0 {
                    format!("{mb} MB")
                } else {
                    format!("{kb} kB")
                };
                [
                    format!("O arquivo passa de {max}: reduza-o ou envie um link."),
                    format!("The file is larger than {max}: make it smaller or send a link."),
                    format!("El archivo pasa de {max}: redúzcalo o envíe un enlace."),
                ]
            }
            Self::Address => [
                "O cliente não tem um contato neste canal: peça o número a ele.".to_owned(),
                "The customer has no id on this channel: ask them for it.".to_owned(),
                "El cliente no tiene un contacto en este canal: pídaselo.".to_owned(),
            ],
        };
        match language {
            Language::PtBr => pt,
            Language::En => en,
            Language::Es => es,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_is_there_twice_says_nothing() {
        let headers: Headers = [("X-Secret", "a"), ("x-once", "b"), ("x-SECRET", "a")]
            .into_iter()
            .collect();
        assert_eq!(headers.one("x-secret"), None);
        assert_eq!(headers.one("X-Once"), Some("b"));
        assert_eq!(headers.one("x-none"), None);
        assert_eq!(
            format!("{headers:?}"),
            r#"["X-Secret", "x-once", "x-SECRET"]"#
        );
    }

    #[test]
    fn every_refusal_is_a_sentence_in_every_language_that_says_what_to_do() {
        let refusals = [
            Refusal::Unsupported { what: "sticker" },
            Refusal::Empty { field: "text" },
            Refusal::TooLong {
                field: "text",
                max: 4096,
            },
            Refusal::TooMany {
                field: "choices",
                max: 10,
            },
            Refusal::Invalid { field: "location" },
            Refusal::FileType {
                what: "audio",
                mime: "audio/webm".to_owned(),
            },
            Refusal::FileTooLarge {
                what: "sticker",
                bytes_max: 100_000,
            },
            Refusal::Address,
        ];
        for refusal in refusals {
            let said = Language::ALL
                .iter()
                .map(|language| refusal.sentence(*language));
            let said: std::collections::BTreeSet<_> = said.collect();
            assert_eq!(said.len(), 3, "{refusal}");
            assert!(
                said.iter()
                    .all(|one| one.contains(": ") && one.ends_with('.')),
                "{said:?}"
            );
        }
        let large = Refusal::FileTooLarge {
            what: "image",
            bytes_max: 5_000_000,
        };
        let said = large.sentence(Language::PtBr);
        assert_eq!(said, "O arquivo passa de 5 MB: reduza-o ou envie um link.");
    }
}
