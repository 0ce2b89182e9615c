//! SQL of skills: what agents can do better or worse, and how well each can.

use desk::id::{CompanyId, SkillId, UserId};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::row::Columns;
use crate::{Error, Page};

/// Something that agents can do better or worse (fatura, inglês).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skill {
    /// Its id.
    pub id: SkillId,
    /// Whose it is.
    pub company: CompanyId,
    /// What people call it.
    pub name: String,
    /// When it was created.
    pub created_ms: i64,
    /// When it was last changed.
    pub updated_ms: i64,
}

/// How well somebody can do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// Whose both are.
    pub company: CompanyId,
    /// Who.
    pub user: UserId,
    /// What.
    pub skill: SkillId,
    /// How well: 1 is a little, 255 the most.
    pub level: u8,
}

/// Adds a skill; its name must be free in the company.
pub async fn insert(db: impl AnyExecutor<'_>, skill: &Skill) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO skills (id, company, name, created_ms, updated_ms)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(skill.id.as_str())
    .bind(skill.company.as_str())
    .bind(&skill.name)
    .bind(skill.created_ms)
    .bind(skill.updated_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Changes the name of a skill. Returns whether it exists.
pub async fn update(db: impl AnyExecutor<'_>, skill: &Skill) -> Result<bool, Error> {
    let done =
        sqlx::query("UPDATE skills SET name = $3, updated_ms = $4 WHERE id = $1 AND company = $2")
            .bind(skill.id.as_str())
            .bind(skill.company.as_str())
            .bind(&skill.name)
            .bind(skill.updated_ms)
            .execute(db)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Finds a skill of a company.
pub async fn by_id(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &SkillId,
) -> Result<Option<Skill>, Error> {
    let found = sqlx::query("SELECT * FROM skills WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Lists the skills of a company, the oldest first.
pub async fn list(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    page: &Page<SkillId>,
) -> Result<Vec<Skill>, Error> {
    let found = sqlx::query(
        "SELECT * FROM skills
          WHERE company = $1 AND id > COALESCE($2, '') ORDER BY id LIMIT $3",
    )
    .bind(company.as_str())
    .bind(page.after.as_ref().map(SkillId::as_str))
    .bind(page.limit())
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// All skills of all companies, for the directory.
pub async fn all(db: impl AnyExecutor<'_>) -> Result<Vec<Skill>, Error> {
    let found = sqlx::query("SELECT * FROM skills ORDER BY id")
        .try_map(read)
        .fetch_all(db)
        .await?;
    Ok(found)
}

/// Deletes a skill. Returns whether it existed; [`Error::Reference`] when somebody has it.
pub async fn delete(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &SkillId,
) -> Result<bool, Error> {
    let done = sqlx::query("DELETE FROM skills WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes how well somebody can do something, in the place of what was known. [`Error::Reference`]
/// when one of them is not of the company.
pub async fn give(db: impl AnyExecutor<'_>, level: &Level) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO agent_skills (company, user_id, skill, level) VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id, skill) DO UPDATE SET level = excluded.level",
    )
    .bind(level.company.as_str())
    .bind(level.user.as_str())
    .bind(level.skill.as_str())
    .bind(i64::from(level.level))
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets all that somebody can do.
pub async fn clear(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    user: &UserId,
) -> Result<(), Error> {
    sqlx::query("DELETE FROM agent_skills WHERE company = $1 AND user_id = $2")
        .bind(company.as_str())
        .bind(user.as_str())
        .execute(db)
        .await?;
    Ok(())
}

/// What somebody can do, by the ids of the skills.
pub async fn of_user(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    user: &UserId,
) -> Result<Vec<Level>, Error> {
    let found = sqlx::query(
        "SELECT * FROM agent_skills WHERE company = $1 AND user_id = $2 ORDER BY skill",
    )
    .bind(company.as_str())
    .bind(user.as_str())
    .try_map(level)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// What everybody can do, for the directory.
pub async fn levels(db: impl AnyExecutor<'_>) -> Result<Vec<Level>, Error> {
    let found = sqlx::query("SELECT * FROM agent_skills ORDER BY user_id, skill")
        .try_map(level)
        .fetch_all(db)
        .await?;
    Ok(found)
}

fn read(row: AnyRow) -> sqlx::Result<Skill> {
    Ok(Skill {
        id: row.parsed("id")?,
        company: row.parsed("company")?,
        name: row.text("name")?,
        created_ms: row.whole("created_ms")?,
        updated_ms: row.whole("updated_ms")?,
    })
}

fn level(row: AnyRow) -> sqlx::Result<Level> {
    Ok(Level {
        company: row.parsed("company")?,
        user: row.parsed("user_id")?,
        skill: row.parsed("skill")?,
        level: row.count("level")?,
    })
}
