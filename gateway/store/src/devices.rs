//! SQL of devices: SIP phones and browsers of people.

use desk::id::{CompanyId, DeviceId, UserId};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::row::Columns;
use crate::{Error, Page};

/// A SIP account. Not serialisable, so that its secrets cannot slip into an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// Whose it is.
    pub company: CompanyId,
    /// The user name it registers with, unique in the installation.
    pub username: String,
    /// The name shown to those it calls.
    pub display_name: String,
    /// The short number by which colleagues dial it.
    pub extension: Option<String>,
    /// The number outside at which it is reached; it does not register then.
    pub number: Option<String>,
    /// The person it belongs to: of the company; a window's may be of the installation.
    pub user: Option<UserId>,
    /// The digest hashes as ciphertext; the key is outside the database.
    pub secrets: Vec<u8>,
    /// Whether it is the window of that person; each has one at most.
    pub browser: bool,
    /// Whether it may not register and call.
    pub disabled: bool,
    /// When it was created.
    pub created_ms: i64,
    /// When it was last changed.
    pub updated_ms: i64,
}

/// Adds a device; its user name must be free in the
/// whole installation, its extension in the company.
pub async fn insert(db: impl AnyExecutor<'_>, device: &Device) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO devices (id, company, username, display_name, extension, user_id, secrets,
                             disabled, created_ms, updated_ms, number, browser, visitor)
         SELECT $1, $2, $3, $4, $5, CASE WHEN v.id IS NULL THEN $6 END, $7, $8, $9, $10, $11, $12, v.id
           FROM (SELECT 1 AS one) AS row LEFT JOIN users v
             ON v.id = $6 AND v.company IS NULL AND $12 = 1",
    )
    .bind(device.id.as_str())
    .bind(device.company.as_str())
    .bind(&device.username)
    .bind(&device.display_name)
    .bind(device.extension.as_deref())
    .bind(device.user.as_ref().map(UserId::as_str))
    .bind(&device.secrets[..])
    .bind(i64::from(device.disabled))
    .bind(device.created_ms)
    .bind(device.updated_ms)
    .bind(device.number.as_deref())
    .bind(i64::from(device.browser))
    .execute(db)
    .await?;
    Ok(())
}

/// Changes all of a device but its id, company, birth and whether it is a window. Returns whether it exists.
pub async fn update(db: impl AnyExecutor<'_>, device: &Device) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE devices
            SET username = $3, display_name = $4, extension = $5, secrets = $7,
                user_id = CASE WHEN visitor = $6 THEN NULL ELSE $6 END, disabled = $8, updated_ms = $9, number = $10
          WHERE id = $1 AND company = $2",
    )
    .bind(device.id.as_str())
    .bind(device.company.as_str())
    .bind(&device.username)
    .bind(&device.display_name)
    .bind(device.extension.as_deref())
    .bind(device.user.as_ref().map(UserId::as_str))
    .bind(&device.secrets[..])
    .bind(i64::from(device.disabled))
    .bind(device.updated_ms)
    .bind(device.number.as_deref())
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Finds a device of a company.
pub async fn by_id(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &DeviceId,
) -> Result<Option<Device>, Error> {
    let found = sqlx::query("SELECT * FROM devices WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Finds the window of somebody.
pub async fn browser_of(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    user: &UserId,
) -> Result<Option<Device>, Error> {
    let found =
        sqlx::query("SELECT * FROM devices WHERE company = $1 AND COALESCE(user_id, visitor) = $2 AND browser = 1")
            .bind(company.as_str())
            .bind(user.as_str())
            .try_map(read)
            .fetch_optional(db)
            .await?;
    Ok(found)
}

/// Lists the devices of a company, the oldest first.
pub async fn list(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    page: &Page<DeviceId>,
) -> Result<Vec<Device>, Error> {
    let found = sqlx::query(
        "SELECT * FROM devices
          WHERE company = $1 AND id > COALESCE($2, '') ORDER BY id LIMIT $3",
    )
    .bind(company.as_str())
    .bind(page.after.as_ref().map(DeviceId::as_str))
    .bind(page.limit())
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// All devices of all companies, for the directory that calls are routed by.
pub async fn all(db: impl AnyExecutor<'_>) -> Result<Vec<Device>, Error> {
    let found = sqlx::query("SELECT * FROM devices ORDER BY id")
        .try_map(read)
        .fetch_all(db)
        .await?;
    Ok(found)
}

/// Deletes a device. Returns whether it existed; [`Error::Reference`] when something uses it.
pub async fn delete(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &DeviceId,
) -> Result<bool, Error> {
    let done = sqlx::query("DELETE FROM devices WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

fn read(row: AnyRow) -> sqlx::Result<Device> {
    Ok(Device {
        id: row.parsed("id")?,
        company: row.parsed("company")?,
        username: row.text("username")?,
        display_name: row.text("display_name")?,
        extension: row.text_maybe("extension")?,
        number: row.text_maybe("number")?,
        user: match row.parsed_maybe("user_id")? {
            Some(user) => Some(user),
            None => row.parsed_maybe("visitor")?,
        },
        secrets: row.bytes("secrets")?,
        browser: row.flag("browser")?,
        disabled: row.flag("disabled")?,
        created_ms: row.whole("created_ms")?,
        updated_ms: row.whole("updated_ms")?,
    })
}
