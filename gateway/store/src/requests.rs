//! SQL of requests: what came by the keys of channels, when, and with what outcome, for whoever asks why
//! something did not arrive. A log, not a record: it is written a moment later, and a crash may take the
//! last of it.

use desk::id::{ApiKeyId, ChannelId, CompanyId, MessageId, RequestId};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyExecutor, AssertSqlSafe};

use crate::changes::values;
use crate::row::Columns;
use crate::{Error, PAGE_MAX};

/// Something that another system asked of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its id.
    pub id: RequestId,
    /// Which channel.
    pub channel: ChannelId,
    /// By which key.
    pub api_key: ApiKeyId,
    /// When it came.
    pub at_ms: i64,
    /// What was asked: the method, and the end of the path.
    pub what: String,
    /// The status that was answered.
    pub status: u16,
    /// The word of a refusal.
    pub code: Option<String>,
    /// The field at fault.
    pub field: Option<String>,
    /// The message that it became, or was before.
    pub message: Option<MessageId>,
    /// How long the answer took.
    pub took_ms: i64,
}

/// Adds requests.
pub async fn insert(db: &mut AnyConnection, requests: &[Request]) -> Result<(), Error> {
    for part in requests.chunks(ROWS_MAX) {
        let sql = format!(
            "INSERT INTO channel_requests (id, channel, api_key, at_ms, what, status, code, field,
                                           message, took_ms) VALUES {}",
            values(db, part.len(), 10),
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for request in part {
            query = query
                .bind(request.id.as_str())
                .bind(request.channel.as_str())
                .bind(request.api_key.as_str())
                .bind(request.at_ms)
                .bind(&request.what)
                .bind(i64::from(request.status))
                .bind(request.code.as_deref())
                .bind(request.field.as_deref())
                .bind(request.message.as_ref().map(MessageId::as_str))
                .bind(request.took_ms);
        }
        query.execute(&mut *db).await?;
    }
    Ok(())
}

/// Which requests to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// By this key.
    pub api_key: Option<ApiKeyId>,
    /// From this status on: 400 are those that were refused.
    pub status_min: Option<u16>,
    /// From this time on.
    pub from_ms: Option<i64>,
    /// Before this time.
    pub until_ms: Option<i64>,
}

/// Lists what was asked of a channel, the last first, from behind `before` on.
pub async fn list(
    db: impl AnyExecutor<'_>,
    (company, channel): (&CompanyId, &ChannelId),
    filter: &Filter,
    before: Option<&str>,
    limit: u32,
) -> Result<Vec<Request>, Error> {
    let found = sqlx::query(
        "SELECT * FROM channel_requests
          WHERE channel = (SELECT id FROM channels WHERE id = $1 AND company = $2)
            AND ($3 IS NULL OR api_key = $3) AND status >= $4 AND at_ms >= $5 AND at_ms < $6
            AND ($7 IS NULL OR id < $7)
          ORDER BY id DESC LIMIT $8",
    )
    .bind(channel.as_str())
    .bind(company.as_str())
    .bind(filter.api_key.as_ref().map(ApiKeyId::as_str))
    .bind(i64::from(filter.status_min.unwrap_or_default()))
    .bind(filter.from_ms.unwrap_or(i64::MIN))
    .bind(filter.until_ms.unwrap_or(i64::MAX))
    .bind(before)
    .bind(i64::from(limit.min(PAGE_MAX)))
    .try_map(|row: AnyRow| {
        Ok(Request {
            id: row.parsed("id")?,
            channel: row.parsed("channel")?,
            api_key: row.parsed("api_key")?,
            at_ms: row.whole("at_ms")?,
            what: row.text("what")?,
            status: row.count("status")?,
            code: row.text_maybe("code")?,
            field: row.text_maybe("field")?,
            message: row.parsed_maybe("message")?,
            took_ms: row.whole("took_ms")?,
        })
    })
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Deletes what came before a time, and of each channel what is not among its last `many`.
pub async fn forget(db: &mut AnyConnection, before_ms: i64, many: u32) -> Result<(), Error> {
    sqlx::query("DELETE FROM channel_requests WHERE at_ms < $1")
        .bind(before_ms)
        .execute(&mut *db)
        .await?;
    sqlx::query(
        "DELETE FROM channel_requests
          WHERE id < (SELECT r.id FROM channel_requests r
                       WHERE r.channel = channel_requests.channel
                       ORDER BY r.id DESC LIMIT 1 OFFSET $1)",
    )
    .bind(i64::from(many.saturating_sub(1)))
    .execute(db)
    .await?;
    Ok(())
}

/// Rows in one statement.
const ROWS_MAX: usize = 32;
