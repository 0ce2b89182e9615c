//! SQL of services: what the customer chooses, each a queue with its rules.

use desk::id::{CalendarId, CompanyId, FlowId, NumberId, PromptId, ServiceId};
use desk::rules::ServiceRules;
use serde::{Deserialize, Serialize};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::row::{Columns, json};
use crate::{Error, Page};

/// What the customer chooses (Vendas, Suporte), and how one waits for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// Its id.
    pub id: ServiceId,
    /// Whose it is.
    pub company: CompanyId,
    /// What people call it.
    pub name: String,
    /// How long a caller waits before the message for unanswered calls plays, in seconds.
    pub wait_limit_s: u32,
    /// How many may wait at once; `None` is no limit of the service's own.
    pub waiting_max: Option<u32>,
    /// What plays while one waits; `None` is the music that ships.
    pub music_prompt: Option<PromptId>,
    /// What is said between the music.
    pub announcements: Vec<Announcement>,
    /// Whether they are told how many are before them.
    pub say_position: bool,
    /// What plays when the limit is reached; `None` is the message that ships.
    pub unanswered_prompt: Option<PromptId>,
    /// When people are there; `None` is always.
    pub calendar: Option<CalendarId>,
    /// How long an agent's phones ring before the next one is asked, in seconds.
    pub ring_s: u32,
    /// How long an agent has after a call before the next one, in seconds.
    pub wrap_up_s: u32,
    /// How its work is treated, but for the times above, which are not in it.
    pub rules: ServiceRules,
    /// How its calls are treated.
    pub calls: CallSettings,
    /// What customers are told before their calls are recorded.
    pub recording_notice: Option<PromptId>,
    /// What asks customers how it was.
    pub survey: Option<FlowId>,
    /// The number that its calls to customers show.
    pub caller_number: Option<NumberId>,
    /// Whether nobody may choose it.
    pub disabled: bool,
    /// When it was created.
    pub created_ms: i64,
    /// When it was last changed.
    pub updated_ms: i64,
}

/// How the calls of a service are treated; what is not set is as usual.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallSettings {
    /// `off`, `always` or `on_demand`.
    pub recording: String,
    /// Whether those who wait are told how long they will probably wait.
    pub say_wait: bool,
    /// The key by which who waits asks to be called back.
    pub callback_key: Option<String>,
}

/// Something said to one who waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// What is said.
    pub prompt: PromptId,
    /// How long after the beginning of the wait it is said first, in seconds.
    pub after_s: u32,
    /// How often it is said from then on, in seconds; `None` is once.
    pub every_s: Option<u32>,
}

/// Adds a service; its name must be free in the company.
pub async fn insert(db: impl AnyExecutor<'_>, service: &Service) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO services (id, company, name, wait_limit_s, waiting_max, music_prompt,
                             announcements, unanswered_prompt, calendar, disabled, created_ms,
                             updated_ms, say_position, ring_s, wrap_up_s, rules, calls,
                             recording_notice, survey, caller_number)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                 $19, $20)",
    )
    .bind(service.id.as_str())
    .bind(service.company.as_str())
    .bind(&service.name)
    .bind(i64::from(service.wait_limit_s))
    .bind(service.waiting_max.map(i64::from))
    .bind(service.music_prompt.as_ref().map(PromptId::as_str))
    .bind(json(&service.announcements)?)
    .bind(service.unanswered_prompt.as_ref().map(PromptId::as_str))
    .bind(service.calendar.as_ref().map(CalendarId::as_str))
    .bind(i64::from(service.disabled))
    .bind(service.created_ms)
    .bind(service.updated_ms)
    .bind(i64::from(service.say_position))
    .bind(i64::from(service.ring_s))
    .bind(i64::from(service.wrap_up_s))
    .bind(json(&service.rules)?)
    .bind(json(&service.calls)?)
    .bind(service.recording_notice.as_ref().map(PromptId::as_str))
    .bind(service.survey.as_ref().map(FlowId::as_str))
    .bind(service.caller_number.as_ref().map(NumberId::as_str))
    .execute(db)
    .await?;
    Ok(())
}

/// Changes all of a service but its id, company and birth. Returns whether it exists.
pub async fn update(db: impl AnyExecutor<'_>, service: &Service) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE services
            SET name = $3, wait_limit_s = $4, waiting_max = $5, music_prompt = $6, announcements
                = $7, unanswered_prompt = $8, calendar = $9, disabled = $10, updated_ms = $11,
                say_position = $12, ring_s = $13, wrap_up_s = $14, rules = $15, calls = $16,
                recording_notice = $17, survey = $18, caller_number = $19
          WHERE id = $1 AND company = $2",
    )
    .bind(service.id.as_str())
    .bind(service.company.as_str())
    .bind(&service.name)
    .bind(i64::from(service.wait_limit_s))
    .bind(service.waiting_max.map(i64::from))
    .bind(service.music_prompt.as_ref().map(PromptId::as_str))
    .bind(json(&service.announcements)?)
    .bind(service.unanswered_prompt.as_ref().map(PromptId::as_str))
    .bind(service.calendar.as_ref().map(CalendarId::as_str))
    .bind(i64::from(service.disabled))
    .bind(service.updated_ms)
    .bind(i64::from(service.say_position))
    .bind(i64::from(service.ring_s))
    .bind(i64::from(service.wrap_up_s))
    .bind(json(&service.rules)?)
    .bind(json(&service.calls)?)
    .bind(service.recording_notice.as_ref().map(PromptId::as_str))
    .bind(service.survey.as_ref().map(FlowId::as_str))
    .bind(service.caller_number.as_ref().map(NumberId::as_str))
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Finds a service of a company.
pub async fn by_id(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &ServiceId,
) -> Result<Option<Service>, Error> {
    let found = sqlx::query("SELECT * FROM services WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Lists the services of a company, the oldest first.
pub async fn list(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    page: &Page<ServiceId>,
) -> Result<Vec<Service>, Error> {
    let found = sqlx::query(
        "SELECT * FROM services
          WHERE company = $1 AND id > COALESCE($2, '') ORDER BY id LIMIT $3",
    )
    .bind(company.as_str())
    .bind(page.after.as_ref().map(ServiceId::as_str))
    .bind(page.limit())
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// All services of all companies, for the directory that calls are routed by.
pub async fn all(db: impl AnyExecutor<'_>) -> Result<Vec<Service>, Error> {
    let found = sqlx::query("SELECT * FROM services ORDER BY id")
        .try_map(read)
        .fetch_all(db)
        .await?;
    Ok(found)
}

/// Deletes a service. Returns whether it existed; [`Error::Reference`] when something uses it.
pub async fn delete(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &ServiceId,
) -> Result<bool, Error> {
    let done = sqlx::query("DELETE FROM services WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

fn read(row: AnyRow) -> sqlx::Result<Service> {
    Ok(Service {
        id: row.parsed("id")?,
        company: row.parsed("company")?,
        name: row.text("name")?,
        wait_limit_s: row.count("wait_limit_s")?,
        waiting_max: row.count_maybe("waiting_max")?,
        music_prompt: row.parsed_maybe("music_prompt")?,
        announcements: row.json("announcements")?,
        say_position: row.flag("say_position")?,
        unanswered_prompt: row.parsed_maybe("unanswered_prompt")?,
        calendar: row.parsed_maybe("calendar")?,
        ring_s: row.count("ring_s")?,
        wrap_up_s: row.count("wrap_up_s")?,
        rules: row.json("rules")?,
        calls: row.json("calls")?,
        recording_notice: row.parsed_maybe("recording_notice")?,
        survey: row.parsed_maybe("survey")?,
        caller_number: row.parsed_maybe("caller_number")?,
        disabled: row.flag("disabled")?,
        created_ms: row.whole("created_ms")?,
        updated_ms: row.whole("updated_ms")?,
    })
}
