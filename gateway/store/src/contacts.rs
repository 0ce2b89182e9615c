//! SQL of contacts, the customers. Their ids are in [`crate::identities`], what makes two of them one
//! in [`crate::merges`].

use std::collections::BTreeMap;

use desk::contact::{OwnerFallback, fold};
use desk::id::{CompanyId, ContactId, IdentityId, UserId};
use desk::identity::Identity;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyExecutor};

use crate::row::{Columns, json};
use crate::{Error, PAGE_MAX, identities};

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Their id.
    pub id: ContactId,
    /// Whose customer.
    pub company: CompanyId,
    /// What people call them.
    pub name: String,
    /// The agent to whom they belong (*carteira*).
    pub owner: Option<UserId>,
    /// Who serves them while that one cannot.
    pub owner_fallback: OwnerFallback,
    /// The points of priority of all their work.
    pub priority: i16,
    /// The language in which they are served, as BCP 47.
    pub language: Option<String>,
    /// What people write down of them.
    pub notes: String,
    /// Fields of the company's own, by their names.
    pub fields: BTreeMap<String, String>,
    /// Whether what comes from them is refused.
    pub blocked_in: bool,
    /// Whether nothing may be sent to them, and nobody may call them.
    pub blocked_out: bool,
    /// Since when nobody can tell any more who they were.
    pub anonymised_ms: Option<i64>,
    /// The contact that they turned out to be.
    pub merged_into: Option<ContactId>,
    /// When they were first known.
    pub created_ms: i64,
    /// When they were last changed.
    pub updated_ms: i64,
}

/// A place in the list of contacts: they are sorted by both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// [`fold`] of the name.
    pub name: String,
    /// The id.
    pub id: ContactId,
}

impl Contact {
    /// Where it stands in the list.
    pub fn position(&self) -> Position {
        Position {
            name: fold(&self.name),
            id: self.id.clone(),
        }
    }
}

/// Which contacts to list; what is not set does not matter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Whose name begins so, in any case and with any accents.
    pub name: String,
    /// Who belongs to whom.
    pub owner: OwnerFilter,
    /// After this one, the last of the page before.
    pub after: Option<Position>,
}

/// Whose contacts to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum OwnerFilter {
    /// Everybody's and nobody's.
    #[default]
    Any,
    /// Those who belong to nobody.
    Nobody,
    /// Those of one agent.
    Agent(UserId),
}

/// What is known of who calls or writes, as far as it decides who serves them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Who.
    pub contact: ContactId,
    /// What people call them.
    pub name: String,
    /// The agent to whom they belong.
    pub owner: Option<UserId>,
    /// Who serves them while that one cannot.
    pub owner_fallback: OwnerFallback,
    /// The points of priority of their work.
    pub priority: i16,
    /// The language in which they are served.
    pub language: Option<String>,
    /// Whether what comes from them is refused.
    pub blocked_in: bool,
    /// Whether nothing may be sent to them.
    pub blocked_out: bool,
    /// The agent who had their last interaction that anybody had.
    pub last_agent: Option<UserId>,
}

/// Who somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Met {
    /// The contact.
    pub contact: Contact,
    /// Whether they are new.
    pub is_new: bool,
    /// Others to whom some of the ids belong: perhaps they are one.
    pub others: Vec<ContactId>,
}

/// Adds a contact. [`Error::Reference`] when the owner is not of the company.
pub async fn insert(db: impl AnyExecutor<'_>, contact: &Contact) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO contacts (id, company, name, name_key, owner, owner_fallback, priority,
                               language, notes, fields, blocked_in, blocked_out, created_ms,
                               updated_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(contact.id.as_str())
    .bind(contact.company.as_str())
    .bind(&contact.name)
    .bind(fold(&contact.name).into_bytes())
    .bind(contact.owner.as_ref().map(UserId::as_str))
    .bind(json(&contact.owner_fallback)?)
    .bind(i64::from(contact.priority))
    .bind(contact.language.as_deref())
    .bind(&contact.notes)
    .bind(json(&contact.fields)?)
    .bind(i64::from(contact.blocked_in))
    .bind(i64::from(contact.blocked_out))
    .bind(contact.created_ms)
    .bind(contact.updated_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Changes all of a contact but its id, company and birth. Returns whether it exists: not when it was
/// merged into another or anonymised, for then nothing of it changes.
pub async fn update(db: impl AnyExecutor<'_>, contact: &Contact) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE contacts
            SET name = $3, name_key = $4, owner = $5, owner_fallback = $6, priority = $7,
                language = $8, notes = $9, fields = $10, blocked_in = $11, blocked_out = $12,
                updated_ms = $13
          WHERE id = $1 AND company = $2 AND merged_into IS NULL AND anonymised_ms IS NULL",
    )
    .bind(contact.id.as_str())
    .bind(contact.company.as_str())
    .bind(&contact.name)
    .bind(fold(&contact.name).into_bytes())
    .bind(contact.owner.as_ref().map(UserId::as_str))
    .bind(json(&contact.owner_fallback)?)
    .bind(i64::from(contact.priority))
    .bind(contact.language.as_deref())
    .bind(&contact.notes)
    .bind(json(&contact.fields)?)
    .bind(i64::from(contact.blocked_in))
    .bind(i64::from(contact.blocked_out))
    .bind(contact.updated_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Finds a contact of a company, one that was merged into another too.
pub async fn by_id(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &ContactId,
) -> Result<Option<Contact>, Error> {
    let found = sqlx::query("SELECT * FROM contacts WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Lists contacts of a company by their names, without those that were merged into others.
pub async fn list(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    filter: &Filter,
    limit: u32,
) -> Result<Vec<Contact>, Error> {
    let begins = fold(&filter.name).into_bytes();
    let after = filter.after.as_ref();
    let (nobody, agent) = match &filter.owner {
        OwnerFilter::Any => (false, None),
        OwnerFilter::Nobody => (true, None),
        OwnerFilter::Agent(agent) => (false, Some(agent.as_str())),
    };
    let found = sqlx::query(
        "SELECT * FROM contacts
          WHERE company = $1 AND merged_into IS NULL AND name_key >= $2 AND name_key < $3
            AND (name_key, id) > ($4, $5)
            AND ($6 = 0 OR owner IS NULL) AND ($7 IS NULL OR owner = $7)
          ORDER BY name_key, id LIMIT $8",
    )
    .bind(company.as_str())
    .bind(begins.clone())
    .bind(identities::behind(begins))
    .bind(after.map_or_else(Vec::new, |after| after.name.clone().into_bytes()))
    .bind(after.map_or("", |after| after.id.as_str()))
    .bind(i64::from(nobody))
    .bind(agent)
    .bind(i64::from(limit.min(PAGE_MAX)))
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Finds the contact that has an id, in any spelling of it.
pub async fn by_identity(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    identity: &Identity,
) -> Result<Option<Contact>, Error> {
    let [first, second] = identity.kinds();
    let found = sqlx::query(
        "SELECT c.* FROM identities d JOIN contacts c ON c.id = d.contact
          WHERE d.company = $1 AND d.lookup = $2 AND d.kind IN ($3, $4) AND d.scope = $5
          ORDER BY CASE WHEN d.kind = $3 THEN 0 ELSE 1 END LIMIT 1",
    )
    .bind(company.as_str())
    .bind(identity.lookup().as_bytes().to_vec())
    .bind(first.as_str())
    .bind(second.as_str())
    .bind(identity.scope())
    .try_map(read)
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// A contact belongs to this agent no longer.
pub async fn unassign(
    db: impl AnyExecutor<'_>,
    (company, contact): (&CompanyId, &ContactId),
    owner: &UserId,
) -> Result<(), Error> {
    sqlx::query("UPDATE contacts SET owner = NULL WHERE id = $1 AND company = $2 AND owner = $3")
        .bind(contact.as_str())
        .bind(company.as_str())
        .bind(owner.as_str())
        .execute(db)
        .await?;
    Ok(())
}

/// Who has this id, and who served them last, of the interactions begun at `since_ms` or later: what
/// decides who serves them now. One statement, of two look-ups in indices ([`KNOWN`]).
pub async fn known(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    identity: &Identity,
    since_ms: i64,
) -> Result<Option<Known>, Error> {
    let [first, second] = identity.kinds();
    let found = sqlx::query(KNOWN)
        .bind(company.as_str())
        .bind(identity.lookup().as_bytes().to_vec())
        .bind(first.as_str())
        .bind(second.as_str())
        .bind(identity.scope())
        .bind(since_ms)
        .try_map(|row: AnyRow| {
            Ok(Known {
                contact: row.parsed("id")?,
                name: row.text("name")?,
                owner: row.parsed_maybe("owner")?,
                owner_fallback: row.json("owner_fallback")?,
                priority: row.count("priority")?,
                language: row.text_maybe("language")?,
                blocked_in: row.flag("blocked_in")?,
                blocked_out: row.flag("blocked_out")?,
                last_agent: row.parsed_maybe("last_agent")?,
            })
        })
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// The statement of [`known`]. The unique key of the identities (company, lookup, kind, scope) finds
/// the contact, `interactions_by_contact` who had them last.
pub const KNOWN: &str =
    "SELECT c.id, c.name, c.owner, c.owner_fallback, c.priority, c.language, c.blocked_in,
        c.blocked_out,
        (SELECT i.agent FROM interactions i
          WHERE i.contact = c.id AND i.company = c.company AND i.started_ms >= $6
            AND i.agent IS NOT NULL
          ORDER BY i.started_ms DESC, i.id DESC LIMIT 1) AS last_agent
   FROM identities d JOIN contacts c ON c.id = d.contact
  WHERE d.company = $1 AND d.lookup = $2 AND d.kind IN ($3, $4) AND d.scope = $5
  ORDER BY CASE WHEN d.kind = $3 THEN 0 ELSE 1 END LIMIT 1";

/// Who has one of these ids: the contact of the first that is known, or `newcomer` with all of them.
/// The ids that nobody has are theirs from then on. To be called in a transaction.
///
/// Two that meet the same stranger at once get the same contact: the unique key of the first id
/// decides, and who comes second takes back what they made.
pub async fn find_or_create(
    db: &mut AnyConnection,
    newcomer: &Contact,
    ids: &[(IdentityId, Identity)],
) -> Result<Met, Error> {
    let company = &newcomer.company;
    if let Some(met) = meet(db, company, ids).await? {
        return add_missing(db, met, ids).await;
    }
    insert(&mut *db, newcomer).await?;
    for (id, identity) in ids {
        let at_ms = newcomer.created_ms;
        let is_ours =
            identities::claim(&mut *db, company, &newcomer.id, (id, identity), at_ms).await?;
        if is_ours {
            continue;
        }
        // Somebody was faster, and has committed, or we would wait still.
        if let Some(met) = meet(db, company, ids).await?
            && met.contact.id != newcomer.id
        {
            discard(&mut *db, company, &newcomer.id).await?;
            return add_missing(db, met, ids).await;
        }
    }
    Ok(Met {
        contact: newcomer.clone(),
        is_new: true,
        others: vec![],
    })
}

/// Who has one of these ids: the contact of the first that is known, and the others'. None where
/// nobody has any.
pub async fn meet(
    db: &mut AnyConnection,
    company: &CompanyId,
    ids: &[(IdentityId, Identity)],
) -> Result<Option<Met>, Error> {
    let mut met: Option<Met> = None;
    for (_, identity) in ids {
        let Some(contact) = by_identity(&mut *db, company, identity).await? else {
            continue;
        };
        match &mut met {
            None => {
                met = Some(Met {
                    contact,
                    is_new: false,
                    others: vec![],
                });
            }
            Some(met) if met.contact.id != contact.id && !met.others.contains(&contact.id) => {
                met.others.push(contact.id);
            }
            Some(_) => {}
        }
    }
    Ok(met)
}

async fn add_missing(
    db: &mut AnyConnection,
    met: Met,
    ids: &[(IdentityId, Identity)],
) -> Result<Met, Error> {
    let (company, contact) = (&met.contact.company, &met.contact.id);
    for (id, identity) in ids {
        let at_ms = met.contact.updated_ms;
        identities::claim(&mut *db, company, contact, (id, identity), at_ms).await?;
    }
    Ok(met)
}

/// Takes back a contact that this transaction made, with its ids.
async fn discard(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &ContactId,
) -> Result<(), Error> {
    sqlx::query("DELETE FROM contacts WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .execute(db)
        .await?;
    Ok(())
}

/// Deletes a contact with its ids. [`Error::Reference`] when it has interactions or is part of a merge
/// that stands. Returns whether it existed.
pub async fn delete(
    db: &mut AnyConnection,
    company: &CompanyId,
    id: &ContactId,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "DELETE FROM contacts
          WHERE id = $1 AND company = $2
            AND NOT EXISTS (SELECT 1 FROM interactions WHERE contact = $1)
            AND NOT EXISTS (SELECT 1 FROM merges
                             WHERE company = $2 AND kept = $1 AND undone_ms IS NULL)
            AND NOT EXISTS (SELECT 1 FROM merges
                             WHERE company = $2 AND absorbed = $1 AND undone_ms IS NULL)",
    )
    .bind(id.as_str())
    .bind(company.as_str())
    .execute(&mut *db)
    .await?;
    if done.rows_affected() == 1 {
        return Ok(true);
    }
    match by_id(db, company, id).await? {
        Some(_) => Err(Error::Reference),
        None => Ok(false),
    }
}

pub(crate) fn read(row: AnyRow) -> sqlx::Result<Contact> {
    Ok(Contact {
        id: row.parsed("id")?,
        company: row.parsed("company")?,
        name: row.text("name")?,
        owner: row.parsed_maybe("owner")?,
        owner_fallback: row.json("owner_fallback")?,
        priority: row.count("priority")?,
        language: row.text_maybe("language")?,
        notes: row.text("notes")?,
        fields: row.json("fields")?,
        blocked_in: row.flag("blocked_in")?,
        blocked_out: row.flag("blocked_out")?,
        anonymised_ms: row.whole_maybe("anonymised_ms")?,
        merged_into: row.parsed_maybe("merged_into")?,
        created_ms: row.whole("created_ms")?,
        updated_ms: row.whole("updated_ms")?,
    })
}
