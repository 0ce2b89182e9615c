//! Ids as the providers make them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::Rng;

use super::World;

impl World {
    /// An id of WhatsApp's for a message with a customer: their number and twenty hexadecimal digits,
    /// packed and in base64.
    pub(crate) fn wamid(&mut self, number: &str, from_customer: bool) -> String {
        let mut packed = vec![0x1c, 0x18];
        packed.push(u8::try_from(number.len()).unwrap_or(0));
        packed.extend_from_slice(number.as_bytes());
        packed.extend_from_slice(&[0x15, 0x02, 0x00]);
        packed.extend_from_slice(if from_customer {
            &[0x12, 0x18, 0x14]
        } else {
            &[0x11, 0x18, 0x14]
        });
        packed.extend_from_slice(self.hex(20).to_ascii_uppercase().as_bytes());
        packed.push(0);
        format!("wamid.{}", STANDARD.encode(packed))
    }

    /// A random UUID (RFC 9562 section 5.4).
    pub(crate) fn uuid(&mut self) -> String {
        let mut bytes: [u8; 16] = self.random.random();
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let text = hex::encode(bytes);
        let parts = [
            &text[..8],
            &text[8..12],
            &text[12..16],
            &text[16..20],
            &text[20..],
        ];
        parts.join("-")
    }

    /// So many hexadecimal digits.
    pub(crate) fn hex(&mut self, digits: usize) -> String {
        let bytes: [u8; 16] = self.random.random();
        let mut text = hex::encode(bytes);
        text.truncate(digits);
        text
    }

    /// An id of a file or a template at Meta: fifteen or sixteen digits.
    pub(crate) fn number_id(&mut self) -> String {
        let id: u64 = self
            .random
            .random_range(100_000_000_000_000..9_000_000_000_000_000);
        id.to_string()
    }

    /// An id of a customer in the company's portfolio.
    pub(crate) fn user_id(&mut self) -> String {
        format!("BR.{}", self.number_id())
    }
}
