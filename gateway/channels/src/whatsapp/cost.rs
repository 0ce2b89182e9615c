//! What messages cost: a card of prices by country, kind and date, as data that an administrator keeps.
//!
//! Nothing here knows a price: the provider's list is typed in or imported, and changes with its date.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::event::Billed;

/// The prices of a company, in whatever order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Price>", into = "Vec<Price>")]
pub struct PriceCard {
    rows: Vec<Price>,
}

/// One price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// With what the numbers begin for which it is (`55`). Empty: all others.
    #[serde(default)]
    pub country: String,
    /// For which kind of message (`service`, `utility`, `marketing`, `authentication` …).
    pub category: String,
    /// From which day on (UTC).
    pub from: Date,
    /// ISO 4217.
    pub currency: String,
    /// In millionths of the currency.
    pub micros: i64,
}

/// What one message cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// ISO 4217.
    pub currency: String,
    /// In millionths of the currency.
    pub micros: i64,
}

/// Why a card cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCard {
    /// There are too many prices.
    #[error("more than {ROWS_MAX} prices")]
    TooMany,
    /// A price is not one.
    #[error(
        "price {0}: digits of a country, a kind, three capitals of a currency, nothing below 0"
    )]
    Row(usize),
    /// The same is priced twice from the same day on.
    #[error("price {0} is there twice")]
    Twice(usize),
}

impl TryFrom<Vec<Price>> for PriceCard {
    type Error = InvalidCard;

    fn try_from(rows: Vec<Price>) -> Result<Self, InvalidCard> {
        Self::new(rows)
    }
}

impl From<PriceCard> for Vec<Price> {
    fn from(card: PriceCard) -> Self {
        card.rows
    }
}

impl PriceCard {
    /// Takes prices.
    ///
    /// # Errors
    ///
    /// [`InvalidCard`] names the price, counted from 0.
    pub fn new(rows: Vec<Price>) -> Result<Self, InvalidCard> {
        if rows.len() > ROWS_MAX {
            return Err(InvalidCard::TooMany);
        }
        let mut seen = std::collections::BTreeSet::new();
        for (at, row) in rows.iter().enumerate() {
            if !row.is_right() {
                return Err(InvalidCard::Row(at));
            }
            if !seen.insert((&row.country, row.category.to_ascii_lowercase(), row.from)) {
                return Err(InvalidCard::Twice(at));
            }
        }
        Ok(Self { rows })
    }

    /// What a message to the number `digits` cost that was billed at `at_ms` (milliseconds since 1970,
    /// UTC). What is not on the bill costs nothing; none where the card does not say.
    pub fn cost(&self, digits: &str, billed: &Billed, at_ms: i64) -> Option<Cost> {
        let at = jiff::Timestamp::from_millisecond(at_ms).ok()?;
        let day = at.to_zoned(TimeZone::UTC).date();
        let digits = digits.strip_prefix('+').unwrap_or(digits);
        let fits = |row: &&Price| {
            row.category.eq_ignore_ascii_case(&billed.category)
                && digits.starts_with(&row.country)
                && row.from <= day
        };
        // The nearest country, and of that the newest price.
        let row = self.rows.iter().filter(fits);
        let row = row.max_by_key(|row| (row.country.len(), row.from))?;
        Some(Cost {
            currency: row.currency.clone(),
            micros: if billed.billable { row.micros } else { 0 },
        })
    }
}

impl Price {
    fn is_right(&self) -> bool {
        let digits = self.country.bytes().all(|byte| byte.is_ascii_digit());
        let currency =
            self.currency.len() == 3 && self.currency.bytes().all(|byte| byte.is_ascii_uppercase());
        digits
            && self.country.len() <= 7
            && !self.category.trim().is_empty()
            && currency
            && self.micros >= 0
    }
}

/// Some 240 countries, a handful of kinds, a few dates.
const ROWS_MAX: usize = 10_000;

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn price(country: &str, category: &str, from: Date, micros: i64) -> Price {
        Price {
            country: country.to_owned(),
            category: category.to_owned(),
            from,
            currency: "BRL".to_owned(),
            micros,
        }
    }

    fn billed(category: &str, billable: bool) -> Billed {
        Billed {
            message: "wamid.A".to_owned(),
            correlation: None,
            category: category.to_owned(),
            billable,
            model: None,
            ground: None,
        }
    }

    #[test]
    fn a_message_costs_what_its_country_its_kind_and_its_day_say() {
        let rows = vec![
            price("55", "marketing", date(2026, 7, 1), 350_000),
            price("55", "marketing", date(2026, 10, 1), 360_000),
            price("55", "service", date(2026, 10, 1), 40_000),
            price("", "marketing", date(2026, 7, 1), 600_000),
            price("1", "marketing", date(2026, 7, 1), 250_000),
            price("1809", "marketing", date(2026, 7, 1), 700_000),
        ];
        let card = PriceCard::new(rows).expect("a card");
        // The last millisecond of September, and the first of October (UTC).
        let (before, after) = (1_790_812_799_999, 1_790_812_800_000);
        #[rustfmt::skip]
        let rows = [
            ("5511987654321", billed("marketing", true), before, Some(350_000)),
            ("+5511987654321", billed("MARKETING", true), after, Some(360_000)),
            ("5511987654321", billed("service", true), after, Some(40_000)),
            ("5511987654321", billed("service", true), before, None),
            ("5511987654321", billed("marketing", false), after, Some(0)),
            ("4915112345678", billed("marketing", true), after, Some(600_000)),
            ("15551234567", billed("marketing", true), after, Some(250_000)),
            ("18095551234", billed("marketing", true), after, Some(700_000)),
            ("5511987654321", billed("meta_business_agent", true), after, None),
            ("5511987654321", billed("marketing", true), 0, None),
            ("5511987654321", billed("marketing", true), i64::MAX, None),
        ];
        for (digits, billed, at_ms, expected) in rows {
            let cost = card.cost(digits, &billed, at_ms);
            assert_eq!(
                cost.map(|cost| cost.micros),
                expected,
                "{digits} {billed:?} {at_ms}"
            );
        }
    }

    #[test]
    fn a_card_that_says_two_things_or_nothing_is_refused() {
        let good = price("55", "utility", date(2026, 7, 1), 1);
        let twice = vec![
            good.clone(),
            Price {
                category: "UTILITY".to_owned(),
                ..good.clone()
            },
        ];
        assert_eq!(PriceCard::new(twice), Err(InvalidCard::Twice(1)));
        let own = str::to_owned;
        let bad = [
            Price {
                country: own("BR"),
                ..good.clone()
            },
            Price {
                category: own(" "),
                ..good.clone()
            },
            Price {
                currency: own("real"),
                ..good.clone()
            },
            Price {
                micros: -1,
                ..good.clone()
            },
        ];
        for row in bad {
            assert_eq!(
                PriceCard::new(vec![good.clone(), row]),
                Err(InvalidCard::Row(1))
            );
        }
        assert_eq!(
            PriceCard::new(vec![good; 10_001]),
            Err(InvalidCard::TooMany)
        );
        let read = serde_json::json!([{"country": "55", "category": "utility", "from": "2026-07-01", "currency": "BRL", "micros": 1}]);
        assert!(serde_json::from_value::<PriceCard>(read).is_ok());
    }
}
