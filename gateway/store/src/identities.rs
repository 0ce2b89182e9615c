//! SQL of identities: the ids under which channels know contacts.
//!
//! An id of one kind and scope belongs to one contact of a company: the unique key (company, lookup,
//! kind, scope) decides races.

use desk::id::{CompanyId, ContactId, IdentityId};
use desk::identity::{Identity, IdentityKind};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyExecutor};

use crate::row::Columns;
use crate::{Error, PAGE_MAX, contacts};

/// An id of a contact, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its own id.
    pub id: IdentityId,
    /// Whose it is.
    pub contact: ContactId,
    /// What kind of id.
    pub kind: IdentityKind,
    /// The page, account, portfolio, site or channel; or empty.
    pub scope: String,
    /// What the channel wants to be told; of a CPF, what people may see.
    pub external_id: String,
    /// Since when it is known.
    pub created_ms: i64,
    /// Since when the customer wants no advertising there.
    pub no_marketing_ms: Option<i64>,
}

/// A place in a search by ids: what is found is sorted by both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// [`Identity::lookup`].
    pub lookup: String,
    /// [`Kept::id`].
    pub id: IdentityId,
}

/// Gives a contact an id. [`Error::Taken`] when somebody has it.
pub async fn insert(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    contact: &ContactId,
    identity: (&IdentityId, &Identity),
    now_ms: i64,
) -> Result<(), Error> {
    if claim(db, company, contact, identity, now_ms).await? {
        Ok(())
    } else {
        Err(Error::Taken)
    }
}

/// Gives a contact an id, unless somebody has it. Returns whether it was given.
pub async fn claim(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    contact: &ContactId,
    (id, identity): (&IdentityId, &Identity),
    now_ms: i64,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "INSERT INTO identities (id, company, contact, kind, scope, external_id, lookup, created_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (company, lookup, kind, scope) DO NOTHING",
    )
    .bind(id.as_str())
    .bind(company.as_str())
    .bind(contact.as_str())
    .bind(identity.kind().as_str())
    .bind(identity.scope())
    .bind(identity.external_id())
    .bind(identity.lookup().as_bytes().to_vec())
    .bind(now_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes how the channel spells an id that is known: WhatsApp says with its first answer whether it
/// wants the ninth digit. Returns whether that was news.
pub async fn learn_spelling(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    identity: &Identity,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE identities SET external_id = $5
          WHERE company = $1 AND lookup = $2 AND kind = $3 AND scope = $4 AND external_id <> $5",
    )
    .bind(company.as_str())
    .bind(identity.lookup().as_bytes().to_vec())
    .bind(identity.kind().as_str())
    .bind(identity.scope())
    .bind(identity.external_id())
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The ids of a contact, the oldest first.
pub async fn of_contact(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    contact: &ContactId,
) -> Result<Vec<Kept>, Error> {
    let found = sqlx::query(
        "SELECT * FROM identities WHERE company = $1 AND contact = $2 ORDER BY id LIMIT $3",
    )
    .bind(company.as_str())
    .bind(contact.as_str())
    .bind(i64::from(PAGE_MAX))
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// The ids of the contacts of a list, from its first to its last, by the contacts.
pub async fn between(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    first: &contacts::Position,
    last: &contacts::Position,
) -> Result<Vec<Kept>, Error> {
    let found = sqlx::query(
        "SELECT d.* FROM contacts c JOIN identities d ON d.company = $1 AND d.contact = c.id
          WHERE c.company = $1 AND c.merged_into IS NULL
            AND (c.name_key, c.id) >= ($2, $3) AND (c.name_key, c.id) <= ($4, $5)
          ORDER BY c.name_key, c.id, d.id",
    )
    .bind(company.as_str())
    .bind(first.name.as_bytes().to_vec())
    .bind(first.id.as_str())
    .bind(last.name.as_bytes().to_vec())
    .bind(last.id.as_str())
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Finds contacts one of whose ids begins so, with the place of each in the search. `begins` is the
/// beginning of a [`Identity::lookup`]: `+5511`, `ana@`. Who has two such ids is found twice.
pub async fn search(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    begins: &str,
    after: Option<&Position>,
    limit: u32,
) -> Result<Vec<(contacts::Contact, Position)>, Error> {
    let begins = begins.as_bytes().to_vec();
    let found = sqlx::query(
        "SELECT c.*, d.lookup, d.id AS identity
           FROM identities d JOIN contacts c ON c.id = d.contact
          WHERE d.company = $1 AND d.lookup >= $2 AND d.lookup < $3
            AND (d.lookup, d.id) > ($4, $5)
          ORDER BY d.lookup, d.id LIMIT $6",
    )
    .bind(company.as_str())
    .bind(begins.clone())
    .bind(behind(begins))
    .bind(after.map_or_else(Vec::new, |after| after.lookup.clone().into_bytes()))
    .bind(after.map_or("", |after| after.id.as_str()))
    .bind(i64::from(limit.min(PAGE_MAX)))
    .try_map(|row: AnyRow| {
        let place = Position {
            lookup: String::from_utf8_lossy(&row.bytes("lookup")?).into_owned(),
            id: row.parsed("identity")?,
        };
        Ok((contacts::read(row)?, place))
    })
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Notes since when a contact wants no advertising by ids of a kind, the first time that they say so; or
/// with `None` that they want it.
pub async fn note_marketing(
    db: impl AnyExecutor<'_>,
    (company, contact): (&CompanyId, &ContactId),
    kind: IdentityKind,
    no_marketing_ms: Option<i64>,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE identities
            SET no_marketing_ms = CASE WHEN $4 IS NULL THEN NULL ELSE COALESCE(no_marketing_ms, $4) END
          WHERE company = $1 AND contact = $2 AND kind = $3",
    )
    .bind(company.as_str())
    .bind(contact.as_str())
    .bind(kind.as_str())
    .bind(no_marketing_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Takes an id from a contact. Returns whether it had it.
pub async fn delete(
    db: &mut AnyConnection,
    company: &CompanyId,
    contact: &ContactId,
    id: &IdentityId,
) -> Result<bool, Error> {
    let done =
        sqlx::query("DELETE FROM identities WHERE id = $1 AND company = $2 AND contact = $3")
            .bind(id.as_str())
            .bind(company.as_str())
            .bind(contact.as_str())
            .execute(db)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// The first bytes that are behind all that begin so.
pub(crate) fn behind(mut begins: Vec<u8>) -> Vec<u8> {
    // Text in UTF-8 has no such byte.
    begins.push(0xff);
    begins
}

fn read(row: AnyRow) -> sqlx::Result<Kept> {
    Ok(Kept {
        id: row.parsed("id")?,
        contact: row.parsed("contact")?,
        kind: row.parsed("kind")?,
        scope: row.text("scope")?,
        external_id: row.text("external_id")?,
        created_ms: row.whole("created_ms")?,
        no_marketing_ms: row.whole_maybe("no_marketing_ms")?,
    })
}
