//! SQL of merges: contacts that turned out to be one. The rows of one go to the other, and it is
//! remembered which, so that they can go back.

use desk::id::{CompanyId, ContactId, MergeId, UserId};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyExecutor};

use crate::row::Columns;
use crate::{Error, Page};

/// Two contacts that turned out to be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// Its id.
    pub id: MergeId,
    /// Whose contacts.
    pub company: CompanyId,
    /// The one that has everything.
    pub kept: ContactId,
    /// The one that is no more seen.
    pub absorbed: ContactId,
    /// Who found it out; none where it was the program or another system.
    pub user: Option<UserId>,
    /// When.
    pub at_ms: i64,
    /// When it was undone.
    pub undone_ms: Option<i64>,
}

/// Makes one contact of two: ids and interactions of the absorbed one are the kept one's. Returns
/// whether it was done: not when one of them is not there, is anonymised or was merged already.
/// To be called in a transaction.
pub async fn merge(db: &mut AnyConnection, merge: &Merge) -> Result<bool, Error> {
    let (company, id) = (merge.company.as_str(), merge.id.as_str());
    let (kept, absorbed) = (merge.kept.as_str(), merge.absorbed.as_str());
    // Both rows are locked from here on: of two merges that cross, one finds nothing to do.
    let locked = sqlx::query(
        "UPDATE contacts SET updated_ms = $4
          WHERE company = $1 AND id IN ($2, $3) AND merged_into IS NULL
            AND anonymised_ms IS NULL",
    )
    .bind(company)
    .bind(kept)
    .bind(absorbed)
    .bind(merge.at_ms)
    .execute(&mut *db)
    .await?;
    if locked.rows_affected() != 2 {
        return Ok(false);
    }
    sqlx::query(
        "INSERT INTO merges (id, company, kept, absorbed, user_id, at_ms)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id)
    .bind(company)
    .bind(kept)
    .bind(absorbed)
    .bind(merge.user.as_ref().map(UserId::as_str))
    .bind(merge.at_ms)
    .execute(&mut *db)
    .await?;
    sqlx::query(
        "INSERT INTO merged_rows (merge, noun, row_id)
         SELECT $1, 'identity', id FROM identities WHERE company = $2 AND contact = $3
         UNION ALL
         SELECT $1, 'interaction', id FROM interactions WHERE company = $2 AND contact = $3",
    )
    .bind(id)
    .bind(company)
    .bind(absorbed)
    .execute(&mut *db)
    .await?;
    for statement in [
        "UPDATE identities SET contact = $1 WHERE company = $2 AND contact = $3",
        "UPDATE interactions SET contact = $1 WHERE company = $2 AND contact = $3",
        "UPDATE contacts SET merged_into = $1 WHERE company = $2 AND id = $3",
    ] {
        sqlx::query(statement)
            .bind(kept)
            .bind(company)
            .bind(absorbed)
            .execute(&mut *db)
            .await?;
    }
    Ok(true)
}

/// Undoes a merge: what came with the absorbed contact is theirs again, what came since stays. Returns
/// the merge, or none: there is no such merge, it is undone, or the kept one has been merged or
/// anonymised since. To be called in a transaction.
pub async fn undo(
    db: &mut AnyConnection,
    company: &CompanyId,
    id: &MergeId,
    now_ms: i64,
) -> Result<Option<Merge>, Error> {
    let undone = sqlx::query(
        "UPDATE merges SET undone_ms = $3
          WHERE id = $1 AND company = $2 AND undone_ms IS NULL
            AND EXISTS (SELECT 1 FROM contacts c
                         WHERE c.id = merges.kept AND c.merged_into IS NULL
                           AND c.anonymised_ms IS NULL)
         RETURNING *",
    )
    .bind(id.as_str())
    .bind(company.as_str())
    .bind(now_ms)
    .try_map(read)
    .fetch_optional(&mut *db)
    .await?;
    let Some(undone) = undone else {
        return Ok(None);
    };
    for statement in [
        "UPDATE identities SET contact = $1
          WHERE company = $2 AND contact = $3
            AND id IN (SELECT row_id FROM merged_rows WHERE merge = $4 AND noun = 'identity')",
        "UPDATE interactions SET contact = $1
          WHERE company = $2 AND contact = $3
            AND id IN (SELECT row_id FROM merged_rows WHERE merge = $4 AND noun = 'interaction')",
    ] {
        sqlx::query(statement)
            .bind(undone.absorbed.as_str())
            .bind(company.as_str())
            .bind(undone.kept.as_str())
            .bind(id.as_str())
            .execute(&mut *db)
            .await?;
    }
    sqlx::query(
        "UPDATE contacts SET merged_into = NULL, updated_ms = $3 WHERE company = $1 AND id = $2",
    )
    .bind(company.as_str())
    .bind(undone.absorbed.as_str())
    .bind(now_ms)
    .execute(&mut *db)
    .await?;
    sqlx::query("DELETE FROM merged_rows WHERE merge = $1")
        .bind(id.as_str())
        .execute(&mut *db)
        .await?;
    Ok(Some(undone))
}

/// The merges into a contact, the oldest first, undone ones too.
pub async fn of_contact(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    contact: &ContactId,
    page: &Page<MergeId>,
) -> Result<Vec<Merge>, Error> {
    let found = sqlx::query(
        "SELECT * FROM merges
          WHERE company = $1 AND kept = $2 AND id > COALESCE($3, '') ORDER BY id LIMIT $4",
    )
    .bind(company.as_str())
    .bind(contact.as_str())
    .bind(page.after.as_ref().map(MergeId::as_str))
    .bind(page.limit())
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

fn read(row: AnyRow) -> sqlx::Result<Merge> {
    Ok(Merge {
        id: row.parsed("id")?,
        company: row.parsed("company")?,
        kept: row.parsed("kept")?,
        absorbed: row.parsed("absorbed")?,
        user: row.parsed_maybe("user_id")?,
        at_ms: row.whole("at_ms")?,
        undone_ms: row.whole_maybe("undone_ms")?,
    })
}
