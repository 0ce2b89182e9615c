//! SQL of users, the people who log in.

use desk::id::{CompanyId, ProfileId, UserId};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::row::Columns;
use crate::{Error, Page};

/// A person who logs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Whose people they belong to; none administers the installation.
    pub company: Option<CompanyId>,
    /// The e-mail address by which they log in; kept and compared in lower case.
    pub email: String,
    /// What people call them.
    pub name: String,
    /// Argon2id as a PHC string; without one nobody logs in as them. Never serialised.
    pub password: Option<String>,
    /// What they are, and what they may do where they have no profile.
    pub role: Role,
    /// What they may do; what their role may where they have none.
    pub profile: Option<ProfileId>,
    /// The language of their screens, as BCP 47.
    pub locale: String,
    /// Whether they are kept out.
    pub disabled: bool,
    /// When they were created.
    pub created_ms: i64,
    /// When they last logged in.
    pub last_login_ms: Option<i64>,
}

desk::words! {
    /// What a person may do, in the widest steps.
    Role {
        /// Everything inside the company; without a company, everything.
        Administrator = "administrator",
        /// Watches and steps in.
        Supervisor = "supervisor",
        /// Takes work.
        Agent = "agent",
    }
}

/// Adds a user; the address must be free in the whole installation.
pub async fn insert(db: impl AnyExecutor<'_>, user: &User) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO users (id, company, email, name, password, role, locale, disabled,
                            created_ms, last_login_ms, profile)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(user.id.as_str())
    .bind(user.company.as_ref().map(CompanyId::as_str))
    .bind(user.email.to_lowercase())
    .bind(&user.name)
    .bind(user.password.as_deref())
    .bind(user.role.as_str())
    .bind(&user.locale)
    .bind(i64::from(user.disabled))
    .bind(user.created_ms)
    .bind(user.last_login_ms)
    .bind(user.profile.as_ref().map(ProfileId::as_str))
    .execute(db)
    .await?;
    Ok(())
}

/// Changes address, name, role, profile, locale and disabled of a user. Returns whether it exists.
pub async fn update(db: impl AnyExecutor<'_>, user: &User) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE users
            SET email = $3, name = $4, role = $5, locale = $6, disabled = $7, profile = $8
          WHERE id = $1 AND company IS NOT DISTINCT FROM $2",
    )
    .bind(user.id.as_str())
    .bind(user.company.as_ref().map(CompanyId::as_str))
    .bind(user.email.to_lowercase())
    .bind(&user.name)
    .bind(user.role.as_str())
    .bind(&user.locale)
    .bind(i64::from(user.disabled))
    .bind(user.profile.as_ref().map(ProfileId::as_str))
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Gives a user a new password (Argon2id as a PHC string). Returns whether they exist.
pub async fn set_password(
    db: impl AnyExecutor<'_>,
    id: &UserId,
    password: &str,
) -> Result<bool, Error> {
    let done = sqlx::query("UPDATE users SET password = $2 WHERE id = $1")
        .bind(id.as_str())
        .bind(password)
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Replaces a password hash by a stronger one of the same password.
///
/// Returns whether it was replaced: not when the password was changed since `seen` was read, so
/// that a log-in under way cannot bring an old password back.
pub async fn rehash_password(
    db: impl AnyExecutor<'_>,
    id: &UserId,
    seen: &str,
    password: &str,
) -> Result<bool, Error> {
    let done = sqlx::query("UPDATE users SET password = $3 WHERE id = $1 AND password = $2")
        .bind(id.as_str())
        .bind(seen)
        .bind(password)
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Remembers that a user logged in.
pub async fn logged_in(db: impl AnyExecutor<'_>, id: &UserId, at_ms: i64) -> Result<(), Error> {
    sqlx::query("UPDATE users SET last_login_ms = $2 WHERE id = $1")
        .bind(id.as_str())
        .bind(at_ms)
        .execute(db)
        .await?;
    Ok(())
}

/// Finds a user of a company (`None`: of the installation).
pub async fn by_id(
    db: impl AnyExecutor<'_>,
    company: Option<&CompanyId>,
    id: &UserId,
) -> Result<Option<User>, Error> {
    let found =
        sqlx::query("SELECT * FROM users WHERE id = $1 AND company IS NOT DISTINCT FROM $2")
            .bind(id.as_str())
            .bind(company.map(CompanyId::as_str))
            .try_map(read)
            .fetch_optional(db)
            .await?;
    Ok(found)
}

/// Finds a user by the address they log in with, disabled ones too.
pub async fn by_email(db: impl AnyExecutor<'_>, email: &str) -> Result<Option<User>, Error> {
    let found = sqlx::query("SELECT * FROM users WHERE email = $1")
        .bind(email.to_lowercase())
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Lists the users of a company (`None`: of the installation), the oldest first.
pub async fn list(
    db: impl AnyExecutor<'_>,
    company: Option<&CompanyId>,
    page: &Page<UserId>,
) -> Result<Vec<User>, Error> {
    let found = sqlx::query(
        "SELECT * FROM users
          WHERE company IS NOT DISTINCT FROM $1 AND id > COALESCE($2, '')
          ORDER BY id LIMIT $3",
    )
    .bind(company.map(CompanyId::as_str))
    .bind(page.after.as_ref().map(UserId::as_str))
    .bind(page.limit())
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// All people of companies who are not kept out, for the directory.
pub async fn of_companies(db: impl AnyExecutor<'_>) -> Result<Vec<User>, Error> {
    let found =
        sqlx::query("SELECT * FROM users WHERE company IS NOT NULL AND disabled = 0 ORDER BY id")
            .try_map(read)
            .fetch_all(db)
            .await?;
    Ok(found)
}

/// Deletes a user and their sessions. Returns whether they existed.
pub async fn delete(
    db: impl AnyExecutor<'_>,
    company: Option<&CompanyId>,
    id: &UserId,
) -> Result<bool, Error> {
    let done = sqlx::query("DELETE FROM users WHERE id = $1 AND company IS NOT DISTINCT FROM $2")
        .bind(id.as_str())
        .bind(company.map(CompanyId::as_str))
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) fn read(row: AnyRow) -> sqlx::Result<User> {
    Ok(User {
        id: row.parsed("id")?,
        company: row.parsed_maybe("company")?,
        email: row.text("email")?,
        name: row.text("name")?,
        password: row.text_maybe("password")?,
        role: row.parsed("role")?,
        profile: row.parsed_maybe("profile")?,
        locale: row.text("locale")?,
        disabled: row.flag("disabled")?,
        created_ms: row.whole("created_ms")?,
        last_login_ms: row.whole_maybe("last_login_ms")?,
    })
}
