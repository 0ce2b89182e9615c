//! SQL of profiles: what people may do, under a name.

use desk::id::{CompanyId, ProfileId};
use desk::permission::Permissions;
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::row::{Columns, json};
use crate::{Error, Page};

/// What people may do, under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its id.
    pub id: ProfileId,
    /// Whose it is.
    pub company: CompanyId,
    /// Its name, unique in the company.
    pub name: String,
    /// What it allows.
    pub permissions: Permissions,
    /// When it was created.
    pub created_ms: i64,
    /// When it was last changed.
    pub updated_ms: i64,
}

/// Adds a profile; its name must be free in the company.
pub async fn insert(db: impl AnyExecutor<'_>, profile: &Profile) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO profiles (id, company, name, permissions, created_ms, updated_ms)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(profile.id.as_str())
    .bind(profile.company.as_str())
    .bind(&profile.name)
    .bind(json(&profile.permissions)?)
    .bind(profile.created_ms)
    .bind(profile.updated_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Changes name and permissions of a profile. Returns whether it exists.
pub async fn update(db: impl AnyExecutor<'_>, profile: &Profile) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE profiles SET name = $3, permissions = $4, updated_ms = $5
          WHERE company = $1 AND id = $2",
    )
    .bind(profile.company.as_str())
    .bind(profile.id.as_str())
    .bind(&profile.name)
    .bind(json(&profile.permissions)?)
    .bind(profile.updated_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Finds a profile of a company.
pub async fn by_id(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &ProfileId,
) -> Result<Option<Profile>, Error> {
    let found = sqlx::query("SELECT * FROM profiles WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Lists the profiles of a company, the oldest first.
pub async fn list(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    page: &Page<ProfileId>,
) -> Result<Vec<Profile>, Error> {
    let found = sqlx::query(
        "SELECT * FROM profiles
          WHERE company = $1 AND id > COALESCE($2, '') ORDER BY id LIMIT $3",
    )
    .bind(company.as_str())
    .bind(page.after.as_ref().map(ProfileId::as_str))
    .bind(page.limit())
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Deletes a profile. Returns whether it existed; [`Error::Reference`] when somebody has it.
pub async fn delete(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &ProfileId,
) -> Result<bool, Error> {
    let done = sqlx::query("DELETE FROM profiles WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

fn read(row: AnyRow) -> sqlx::Result<Profile> {
    Ok(Profile {
        id: row.parsed("id")?,
        company: row.parsed("company")?,
        name: row.text("name")?,
        permissions: row.json("permissions")?,
        created_ms: row.whole("created_ms")?,
        updated_ms: row.whole("updated_ms")?,
    })
}
