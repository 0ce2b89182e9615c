//! SQL of flows: a draft that changes, and published versions that never do.

use desk::id::{CompanyId, FlowId, UserId};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyExecutor};

use crate::row::{Columns, json};
use crate::{Error, Page};

/// What callers hear and press, as its author sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// Its id.
    pub id: FlowId,
    /// Whose it is.
    pub company: CompanyId,
    /// What people call it.
    pub name: String,
    /// What is being worked on, as `ivr` understands it.
    pub draft: serde_json::Value,
    /// Counts the changes of the draft, so that two authors do not overwrite each other.
    pub draft_revision: u32,
    /// The last version that was published, whether calls follow it or not.
    pub last_version: u32,
    /// The version that calls follow; `None` when none was published.
    pub published: Option<u32>,
    /// When it was created.
    pub created_ms: i64,
    /// When the draft or the published version last changed.
    pub updated_ms: i64,
}

/// A published version; never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// The flow it belongs to.
    pub flow: FlowId,
    /// Counted from 1.
    pub version: u32,
    /// What was published.
    pub definition: serde_json::Value,
    /// Who published it.
    pub author: Option<UserId>,
    /// When.
    pub published_ms: i64,
}

/// A flow as calls follow it.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// The flow.
    pub flow: FlowId,
    /// Whose it is.
    pub company: CompanyId,
    /// The version that calls follow.
    pub version: u32,
    /// What it says.
    pub definition: serde_json::Value,
}

/// Adds a flow with its first draft; its name must be free in the company. Revision, versions
/// and publication of `flow` are taken as they are: a new one has revision 1 and no version.
pub async fn insert(db: impl AnyExecutor<'_>, flow: &Flow) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO flows (id, company, name, draft, draft_revision, last_version, published,
                            created_ms, updated_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(flow.id.as_str())
    .bind(flow.company.as_str())
    .bind(&flow.name)
    .bind(json(&flow.draft)?)
    .bind(i64::from(flow.draft_revision))
    .bind(i64::from(flow.last_version))
    .bind(flow.published.map(i64::from))
    .bind(flow.created_ms)
    .bind(flow.updated_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Saves a draft and name over revision `seen`.
///
/// Returns the new revision, or `None` when the draft is not at `seen` any more (or does not
/// exist): of two authors who began from the same revision, the `WHERE` lets one win.
pub async fn save_draft(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &FlowId,
    seen: u32,
    name: &str,
    draft: &serde_json::Value,
    at_ms: i64,
) -> Result<Option<u32>, Error> {
    let saved = sqlx::query(
        "UPDATE flows
            SET name = $4, draft = $5, draft_revision = draft_revision + 1, updated_ms = $6
          WHERE id = $1 AND company = $2 AND draft_revision = $3
         RETURNING draft_revision",
    )
    .bind(id.as_str())
    .bind(company.as_str())
    .bind(i64::from(seen))
    .bind(name)
    .bind(json(draft)?)
    .bind(at_ms)
    .try_map(|row: AnyRow| row.count("draft_revision"))
    .fetch_optional(db)
    .await?;
    Ok(saved)
}

/// Publishes the draft at revision `seen` as a new version and lets calls follow it. To be
/// called in a transaction: its two statements are one step.
///
/// Returns the new version's number, or `None` when the draft is not at `seen` any more, so
/// that what was validated is what is published. Two who publish at once get two numbers: the
/// first statement holds the row until the commit.
pub async fn publish(
    db: &mut AnyConnection,
    company: &CompanyId,
    id: &FlowId,
    seen: u32,
    author: Option<&UserId>,
    at_ms: i64,
) -> Result<Option<u32>, Error> {
    let version: Option<u32> = sqlx::query(
        "UPDATE flows
            SET last_version = last_version + 1, published = last_version + 1, updated_ms = $4
          WHERE id = $1 AND company = $2 AND draft_revision = $3
         RETURNING last_version",
    )
    .bind(id.as_str())
    .bind(company.as_str())
    .bind(i64::from(seen))
    .bind(at_ms)
    .try_map(|row: AnyRow| row.count("last_version"))
    .fetch_optional(&mut *db)
    .await?;
    if version.is_some() {
        sqlx::query(
            "INSERT INTO flow_versions (flow, version, definition, author, published_ms)
             SELECT id, last_version, draft, $2, $3 FROM flows WHERE id = $1",
        )
        .bind(id.as_str())
        .bind(author.map(UserId::as_str))
        .bind(at_ms)
        .execute(db)
        .await?;
    }
    Ok(version)
}

/// Lets calls follow an older (or newer) version again. Returns whether that version exists.
pub async fn roll_back(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &FlowId,
    version: u32,
    at_ms: i64,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE flows SET published = $3, updated_ms = $4
          WHERE id = $1 AND company = $2
            AND EXISTS (SELECT 1 FROM flow_versions WHERE flow = $1 AND version = $3)",
    )
    .bind(id.as_str())
    .bind(company.as_str())
    .bind(i64::from(version))
    .bind(at_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Finds a flow of a company.
pub async fn by_id(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &FlowId,
) -> Result<Option<Flow>, Error> {
    let found = sqlx::query("SELECT * FROM flows WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Lists the flows of a company, the oldest first.
pub async fn list(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    page: &Page<FlowId>,
) -> Result<Vec<Flow>, Error> {
    let found = sqlx::query(
        "SELECT * FROM flows
          WHERE company = $1 AND id > COALESCE($2, '') ORDER BY id LIMIT $3",
    )
    .bind(company.as_str())
    .bind(page.after.as_ref().map(FlowId::as_str))
    .bind(page.limit())
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Lists the versions of a flow, the newest first.
pub async fn versions(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &FlowId,
    limit: u32,
) -> Result<Vec<Version>, Error> {
    let found = sqlx::query(
        "SELECT v.* FROM flow_versions v JOIN flows f ON f.id = v.flow
          WHERE v.flow = $1 AND f.company = $2 ORDER BY v.version DESC LIMIT $3",
    )
    .bind(id.as_str())
    .bind(company.as_str())
    .bind(i64::from(limit.min(crate::PAGE_MAX)))
    .try_map(read_version)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Finds one version of a flow.
pub async fn version(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &FlowId,
    version: u32,
) -> Result<Option<Version>, Error> {
    let found = sqlx::query(
        "SELECT v.* FROM flow_versions v JOIN flows f ON f.id = v.flow
          WHERE v.flow = $1 AND f.company = $2 AND v.version = $3",
    )
    .bind(id.as_str())
    .bind(company.as_str())
    .bind(i64::from(version))
    .try_map(read_version)
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// All flows of all companies as calls follow them, for the directory.
pub async fn all_published(db: impl AnyExecutor<'_>) -> Result<Vec<Published>, Error> {
    let found = sqlx::query(
        "SELECT f.id, f.company, v.version, v.definition
           FROM flows f JOIN flow_versions v ON v.flow = f.id AND v.version = f.published
          ORDER BY f.id",
    )
    .try_map(|row: AnyRow| {
        Ok(Published {
            flow: row.parsed("id")?,
            company: row.parsed("company")?,
            version: row.count("version")?,
            definition: row.json("definition")?,
        })
    })
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Deletes a flow and its versions. Returns whether it existed; [`Error::Reference`] when a
/// number is answered by it.
pub async fn delete(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &FlowId,
) -> Result<bool, Error> {
    let done = sqlx::query("DELETE FROM flows WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

fn read(row: AnyRow) -> sqlx::Result<Flow> {
    Ok(Flow {
        id: row.parsed("id")?,
        company: row.parsed("company")?,
        name: row.text("name")?,
        draft: row.json("draft")?,
        draft_revision: row.count("draft_revision")?,
        last_version: row.count("last_version")?,
        published: row.count_maybe("published")?,
        created_ms: row.whole("created_ms")?,
        updated_ms: row.whole("updated_ms")?,
    })
}

fn read_version(row: AnyRow) -> sqlx::Result<Version> {
    Ok(Version {
        flow: row.parsed("flow")?,
        version: row.count("version")?,
        definition: row.json("definition")?,
        author: row.parsed_maybe("author")?,
        published_ms: row.whole("published_ms")?,
    })
}
