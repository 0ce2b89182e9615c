//! SQL of trunks, the carriers.

use desk::id::{CompanyId, TrunkId};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::row::{Columns, json};
use crate::{Error, Page};

/// A carrier. Not serialisable, so that its secrets cannot slip into an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Trunk {
    /// Its id.
    pub id: TrunkId,
    /// Whose it is.
    pub company: CompanyId,
    /// What people call it.
    pub name: String,
    /// Addresses, transport, registration …, as the gateway understands them.
    pub settings: serde_json::Value,
    /// Credentials as ciphertext; the key is outside the database.
    pub secrets: Option<Vec<u8>>,
    /// Whether it takes and carries no calls.
    pub disabled: bool,
    /// When it was created.
    pub created_ms: i64,
    /// When it was last changed.
    pub updated_ms: i64,
}

/// Adds a trunk; its name must be free in the company.
pub async fn insert(db: impl AnyExecutor<'_>, trunk: &Trunk) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO trunks (id, company, name, settings, secrets, disabled, created_ms,
                             updated_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(trunk.id.as_str())
    .bind(trunk.company.as_str())
    .bind(&trunk.name)
    .bind(json(&trunk.settings)?)
    .bind(trunk.secrets.as_deref())
    .bind(i64::from(trunk.disabled))
    .bind(trunk.created_ms)
    .bind(trunk.updated_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Changes all of a trunk but its id, company and birth. Returns whether it exists.
pub async fn update(db: impl AnyExecutor<'_>, trunk: &Trunk) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE trunks
            SET name = $3, settings = $4, secrets = $5, disabled = $6, updated_ms = $7
          WHERE id = $1 AND company = $2",
    )
    .bind(trunk.id.as_str())
    .bind(trunk.company.as_str())
    .bind(&trunk.name)
    .bind(json(&trunk.settings)?)
    .bind(trunk.secrets.as_deref())
    .bind(i64::from(trunk.disabled))
    .bind(trunk.updated_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Finds a trunk of a company.
pub async fn by_id(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &TrunkId,
) -> Result<Option<Trunk>, Error> {
    let found = sqlx::query("SELECT * FROM trunks WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Lists the trunks of a company, the oldest first.
pub async fn list(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    page: &Page<TrunkId>,
) -> Result<Vec<Trunk>, Error> {
    let found = sqlx::query(
        "SELECT * FROM trunks
          WHERE company = $1 AND id > COALESCE($2, '') ORDER BY id LIMIT $3",
    )
    .bind(company.as_str())
    .bind(page.after.as_ref().map(TrunkId::as_str))
    .bind(page.limit())
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// All trunks of all companies, for the directory that calls are routed by.
pub async fn all(db: impl AnyExecutor<'_>) -> Result<Vec<Trunk>, Error> {
    let found = sqlx::query("SELECT * FROM trunks ORDER BY id")
        .try_map(read)
        .fetch_all(db)
        .await?;
    Ok(found)
}

/// Deletes a trunk. Returns whether it existed; [`Error::Reference`] when something uses it.
pub async fn delete(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &TrunkId,
) -> Result<bool, Error> {
    let done = sqlx::query("DELETE FROM trunks WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

fn read(row: AnyRow) -> sqlx::Result<Trunk> {
    Ok(Trunk {
        id: row.parsed("id")?,
        company: row.parsed("company")?,
        name: row.text("name")?,
        settings: row.json("settings")?,
        secrets: row.bytes_maybe("secrets")?,
        disabled: row.flag("disabled")?,
        created_ms: row.whole("created_ms")?,
        updated_ms: row.whole("updated_ms")?,
    })
}
