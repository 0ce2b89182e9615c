//! The ids under which channels know a customer, each in its normal form.
//!
//! ```text
//!  "(11) 8123-4567" ─ Identity::phone ─▶ +5511981234567 ─┐
//!  "551181234567"   ─ Identity::wa_id ─▶ 551181234567  ──┴─ lookup ─▶ +5511981234567
//! ```
//!
//! What a channel wrote is kept as [`Identity::external_id`], for it is what the channel wants back;
//! what is compared is [`Identity::lookup`], in which the two spellings of one id are one. So the
//! unique key of the store decides races between them, too.
//!
//! A CPF is personal data that identifies for life: of it the store gets a keyed hash and the last
//! digits, never the number. A CNPJ is public.

pub mod document;
#[cfg(test)]
mod tests;

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::numbering::{self, NotANumber, Place, brazil};
use crate::words;
use document::{InvalidCnpj, InvalidCpf};

words! {
    /// What kind of id it is.
    IdentityKind {
        /// A telephone (E.164).
        Phone = "phone",
        /// A telephone as WhatsApp writes it, in digits; of many in Brazil without the ninth.
        WaId = "wa_id",
        /// Who somebody on WhatsApp is to one business portfolio, whatever their telephone.
        WaBsuid = "wa_bsuid",
        /// The same to the parent of portfolios.
        WaParentBsuid = "wa_parent_bsuid",
        /// An e-mail address.
        Email = "email",
        /// A person's number in Brazil, kept as a keyed hash.
        Cpf = "cpf",
        /// A company's number in Brazil.
        Cnpj = "cnpj",
        /// Who somebody is to one page of Facebook.
        Psid = "psid",
        /// Who somebody is to one account of Instagram.
        Igsid = "igsid",
        /// A user of one site of Mercado Livre.
        MlUser = "ml_user",
        /// A person on Telegram.
        TgChat = "tg_chat",
        /// A user of X.
        XUser = "x_user",
        /// Whatever another system calls a customer, on one generic channel.
        Generic = "generic",
    }
}

impl IdentityKind {
    /// Whether the same id is somebody else in another scope: another page, account, portfolio, site
    /// or channel.
    pub fn is_scoped(self) -> bool {
        match self {
            Self::WaBsuid
            | Self::WaParentBsuid
            | Self::Psid
            | Self::Igsid
            | Self::MlUser
            | Self::Generic => true,
            Self::Phone
            | Self::WaId
            | Self::Email
            | Self::Cpf
            | Self::Cnpj
            | Self::TgChat
            | Self::XUser => false,
        }
    }
}

/// An id of a customer on some channel, in its normal form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    kind: IdentityKind,
    scope: String,
    external_id: String,
    lookup: String,
}

/// Why text is no id of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentity {
    /// It is nobody's telephone.
    #[error("not a telephone number: {0}")]
    Phone(#[from] NotANumber),
    /// It reaches a service (190), not a customer.
    #[error("this number is a service's")]
    ServiceNumber,
    /// It is no id that WhatsApp gives to a telephone.
    #[error("an id of WhatsApp is a number with its country, in digits")]
    WaId,
    /// It is no e-mail address.
    #[error("not an e-mail address")]
    Email,
    /// It is no CPF.
    #[error("not a CPF: {0}")]
    Cpf(#[from] InvalidCpf),
    /// It is no CNPJ.
    #[error("not a CNPJ: {0}")]
    Cnpj(#[from] InvalidCnpj),
    /// A channel's own id is short and has no spaces.
    #[error("an id of this kind has 1 to {OPAQUE_LENGTH_MAX} characters and no spaces")]
    Opaque,
    /// An id of this kind says nothing without its scope.
    #[error("the scope is missing: the page, account, portfolio, site or channel")]
    ScopeMissing,
    /// An id of this kind is the same everywhere.
    #[error("an id of this kind has no scope")]
    ScopeUnwanted,
}

impl InvalidIdentity {
    /// The error in one word, for the API.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Phone(_) | Self::ServiceNumber | Self::WaId => "invalid_phone",
            Self::Email => "invalid_email",
            Self::Cpf(_) => "invalid_cpf",
            Self::Cnpj(_) => "invalid_cnpj",
            Self::Opaque => "invalid_identity",
            Self::ScopeMissing | Self::ScopeUnwanted => "invalid_identity_scope",
        }
    }
}

/// The key by which CPFs are hashed. It is not in the database: who has that alone cannot try all
/// numbers, of which there are no more than 10⁹.
#[derive(Clone)]
pub struct CpfKey([u8; 32]);

impl CpfKey {
    /// A key of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for CpfKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CpfKey")
    }
}

/// What is to be known to read ids as people write them.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// Where telephones without a country or area are.
    pub place: Place<'a>,
    /// How CPFs are hashed.
    pub cpf_key: &'a CpfKey,
}

impl Identity {
    /// An id of any kind, as people or channels write it. `scope` is empty where the kind has none.
    ///
    /// # Errors
    ///
    /// [`InvalidIdentity`].
    pub fn read(
        kind: IdentityKind,
        scope: &str,
        text: &str,
        reading: Reading<'_>,
    ) -> Result<Self, InvalidIdentity> {
        if !kind.is_scoped() && !scope.trim().is_empty() {
            return Err(InvalidIdentity::ScopeUnwanted);
        }
        match kind {
            IdentityKind::Phone => Self::phone(text, reading.place),
            IdentityKind::WaId => Self::wa_id(text),
            IdentityKind::Email => Self::email(text),
            IdentityKind::Cpf => Self::cpf(text, reading.cpf_key),
            IdentityKind::Cnpj => Self::cnpj(text),
            IdentityKind::WaBsuid
            | IdentityKind::WaParentBsuid
            | IdentityKind::Psid
            | IdentityKind::Igsid
            | IdentityKind::MlUser
            | IdentityKind::TgChat
            | IdentityKind::XUser
            | IdentityKind::Generic => Self::opaque(kind, scope, text),
        }
    }

    /// A telephone, in any of the ways in which people write them.
    ///
    /// # Errors
    ///
    /// [`InvalidIdentity::Phone`], [`InvalidIdentity::ServiceNumber`].
    pub fn phone(text: &str, place: Place<'_>) -> Result<Self, InvalidIdentity> {
        let number = numbering::read(text, place)?.number;
        if !number.starts_with('+') {
            return Err(InvalidIdentity::ServiceNumber);
        }
        Ok(Self {
            kind: IdentityKind::Phone,
            scope: String::new(),
            lookup: brazil::with_ninth_digit(&number),
            external_id: number,
        })
    }

    /// A telephone as WhatsApp writes it. The ninth digit stays away where WhatsApp leaves it away.
    ///
    /// # Errors
    ///
    /// [`InvalidIdentity::WaId`].
    pub fn wa_id(text: &str) -> Result<Self, InvalidIdentity> {
        let text = text.trim();
        let digits = text.strip_prefix('+').unwrap_or(text);
        let is_right = (WA_ID_LENGTH_MIN..=WA_ID_LENGTH_MAX).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && numbering::country_of(digits).is_some();
        if !is_right {
            return Err(InvalidIdentity::WaId);
        }
        Ok(Self {
            kind: IdentityKind::WaId,
            scope: String::new(),
            external_id: digits.to_owned(),
            lookup: brazil::with_ninth_digit(&format!("+{digits}")),
        })
    }

    /// An e-mail address. Servers may tell `Ana@` from `ana@`, and none does: case is kept for sending
    /// and does not count for finding.
    ///
    /// # Errors
    ///
    /// [`InvalidIdentity::Email`].
    pub fn email(text: &str) -> Result<Self, InvalidIdentity> {
        let text = text.trim();
        let (user, host) = text.rsplit_once('@').ok_or(InvalidIdentity::Email)?;
        let host = host.to_lowercase();
        let is_odd = |letter: char| {
            letter.is_whitespace() || letter.is_control() || "<>()[],;:\\\"@".contains(letter)
        };
        let is_host = host.contains('.') && host.split('.').all(|label| !label.is_empty());
        let is_right = !user.is_empty()
            && user.len() <= EMAIL_USER_LENGTH_MAX
            && text.len() <= EMAIL_LENGTH_MAX
            && is_host
            && !text.replacen('@', "", 1).contains(is_odd);
        if !is_right {
            return Err(InvalidIdentity::Email);
        }
        let external_id = format!("{user}@{host}");
        Ok(Self {
            kind: IdentityKind::Email,
            scope: String::new(),
            lookup: external_id.to_lowercase(),
            external_id,
        })
    }

    /// A CPF: its keyed hash to find it by, its last four digits to show.
    ///
    /// # Errors
    ///
    /// [`InvalidIdentity::Cpf`].
    pub fn cpf(text: &str, key: &CpfKey) -> Result<Self, InvalidIdentity> {
        let digits = document::cpf(text)?;
        // A key of any length makes an HMAC.
        let mut hash = Hmac::<Sha256>::new_from_slice(&key.0).map_err(|_| InvalidCpf::Length)?;
        hash.update(digits.as_bytes());
        let bytes = hash.finalize().into_bytes();
        Ok(Self {
            kind: IdentityKind::Cpf,
            scope: String::new(),
            external_id: format!("***.***.*{}-{}", &digits[7..9], &digits[9..]),
            lookup: bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        })
    }

    /// A CNPJ, with letters or without: 14 characters without punctuation.
    ///
    /// # Errors
    ///
    /// [`InvalidIdentity::Cnpj`].
    pub fn cnpj(text: &str) -> Result<Self, InvalidIdentity> {
        let number = document::cnpj(text)?;
        Ok(Self {
            kind: IdentityKind::Cnpj,
            scope: String::new(),
            external_id: number.clone(),
            lookup: number,
        })
    }

    /// An id that only its channel understands; nothing of it is changed.
    fn opaque(kind: IdentityKind, scope: &str, text: &str) -> Result<Self, InvalidIdentity> {
        let (scope, text) = (scope.trim(), text.trim());
        let is_odd = |letter: char| letter.is_whitespace() || letter.is_control();
        let is_right =
            |text: &str| !text.contains(is_odd) && text.chars().count() <= OPAQUE_LENGTH_MAX;
        if kind.is_scoped() && scope.is_empty() {
            return Err(InvalidIdentity::ScopeMissing);
        }
        if text.is_empty() || !is_right(text) || !is_right(scope) {
            return Err(InvalidIdentity::Opaque);
        }
        Ok(Self {
            kind,
            scope: scope.to_owned(),
            external_id: text.to_owned(),
            lookup: text.to_owned(),
        })
    }

    /// What kind of id it is.
    pub fn kind(&self) -> IdentityKind {
        self.kind
    }

    /// The page, account, portfolio, site or channel in which it means somebody; empty where it means
    /// the same person everywhere.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// What the channel wants to be told; of a CPF, what people may see.
    pub fn external_id(&self) -> &str {
        &self.external_id
    }

    /// What it is found by: the same for all spellings of it.
    pub fn lookup(&self) -> &str {
        &self.lookup
    }

    /// The kinds of id under which the same person has the same [`Identity::lookup`], this one's
    /// first: who is known by WhatsApp is known when they call.
    pub fn kinds(&self) -> [IdentityKind; 2] {
        match self.kind {
            IdentityKind::Phone => [IdentityKind::Phone, IdentityKind::WaId],
            IdentityKind::WaId => [IdentityKind::WaId, IdentityKind::Phone],
            IdentityKind::WaBsuid
            | IdentityKind::WaParentBsuid
            | IdentityKind::Email
            | IdentityKind::Cpf
            | IdentityKind::Cnpj
            | IdentityKind::Psid
            | IdentityKind::Igsid
            | IdentityKind::MlUser
            | IdentityKind::TgChat
            | IdentityKind::XUser
            | IdentityKind::Generic => [self.kind, self.kind],
        }
    }
}

/// Characters of an id that a channel gives, and of a scope: the longest known have 60.
const OPAQUE_LENGTH_MAX: usize = 200;

/// Digits of a telephone with its country (ITU-T E.164 section 6.1).
const WA_ID_LENGTH_MAX: usize = 15;

/// The shortest telephones of the world, with their country.
const WA_ID_LENGTH_MIN: usize = 7;

/// Bytes of an address (RFC 5321 section 4.5.3.1.3, without the brackets).
const EMAIL_LENGTH_MAX: usize = 254;

/// Bytes before the `@` (RFC 5321 section 4.5.3.1.1).
const EMAIL_USER_LENGTH_MAX: usize = 64;
