//! SQL of what providers charge: one row a message, and sums of them.

use desk::id::{ChannelId, CompanyId, MessageId};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::Error;
use crate::row::Columns;

/// What one message was to the bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageCost {
    /// Which.
    pub message: MessageId,
    /// Whose.
    pub company: CompanyId,
    /// By which channel.
    pub channel: ChannelId,
    /// Of what kind (`service`, `utility`, `marketing` …).
    pub category: String,
    /// Whether it is on the bill.
    pub billable: bool,
    /// By what rule.
    pub model: Option<String>,
    /// The country of the customer, as its calling code.
    pub country: Option<String>,
    /// What it cost: the currency (ISO 4217) and millionths of it, where the company's card says so.
    pub cost: Option<(String, i64)>,
    /// When.
    pub at_ms: i64,
}

/// Messages of one kind in a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// Of what kind.
    pub category: String,
    /// The country of the customers, as its calling code.
    pub country: Option<String>,
    /// How many.
    pub messages: i64,
    /// How many of them are on the bill.
    pub billable: i64,
    /// In which currency (ISO 4217) they are priced, if they are.
    pub currency: Option<String>,
    /// What those that are priced cost together, in millionths of it.
    pub micros: i64,
}

/// Notes what a message was to the bill; the first word counts.
pub async fn insert(db: impl AnyExecutor<'_>, cost: &MessageCost) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO message_costs (message, company, channel, category, billable, model, country,
                                    at_ms, currency, micros)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (message) DO NOTHING",
    )
    .bind(cost.message.as_str())
    .bind(cost.company.as_str())
    .bind(cost.channel.as_str())
    .bind(&cost.category)
    .bind(i64::from(cost.billable))
    .bind(cost.model.as_deref())
    .bind(cost.country.as_deref())
    .bind(cost.at_ms)
    .bind(cost.cost.as_ref().map(|(currency, _)| currency.as_str()))
    .bind(cost.cost.as_ref().map(|(_, micros)| *micros))
    .execute(db)
    .await?;
    Ok(())
}

/// What the messages of a channel were to the bill in a time.
pub async fn sums(
    db: impl AnyExecutor<'_>,
    (company, channel): (&CompanyId, &ChannelId),
    (from_ms, until_ms): (i64, i64),
) -> Result<Vec<Sum>, Error> {
    let found = sqlx::query(
        "SELECT category, country, currency, COUNT(*) AS messages,
                CAST(SUM(billable) AS BIGINT) AS billable,
                CAST(COALESCE(SUM(micros), 0) AS BIGINT) AS micros
           FROM message_costs
          WHERE company = $1 AND channel = $2 AND at_ms >= $3 AND at_ms < $4
          GROUP BY category, country, currency ORDER BY category, country, currency",
    )
    .bind(company.as_str())
    .bind(channel.as_str())
    .bind(from_ms)
    .bind(until_ms)
    .try_map(|row: AnyRow| {
        Ok(Sum {
            category: row.text("category")?,
            country: row.text_maybe("country")?,
            messages: row.whole("messages")?,
            billable: row.whole("billable")?,
            currency: row.text_maybe("currency")?,
            micros: row.whole("micros")?,
        })
    })
    .fetch_all(db)
    .await?;
    Ok(found)
}
