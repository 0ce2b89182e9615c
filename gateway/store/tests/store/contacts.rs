//! Contacts, the ids under which channels know them, and what becomes of both.

use std::collections::BTreeMap;

use desk::contact::OwnerFallback;
use desk::id::{CompanyId, ContactId, IdentityId, InteractionId};
use desk::identity::{CpfKey, Identity};
use desk::numbering::Place;
use desk::record::{
    Change, Direction, EndedBy, InteractionEnd, InteractionUpdate, TrailEntry, TrailKind,
};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use serde_json::json;
use sqlx::Row;
use store::anonymise::{Anonymised, anonymise};
use store::contacts::{Contact, Filter, Known, Met, OwnerFilter};
use store::merges::Merge;
use store::{Error, Kind, Page, Store, changes, contacts, identities, interactions, merges, trail};

use crate::databases::on_both;
use crate::fixtures::{company, id, opened, user};

const PLACE: Place<'static> = Place {
    country: "55",
    area: Some("11"),
};

pub(crate) fn contact(company: &CompanyId, name: &str) -> Contact {
    Contact {
        id: id(&slug(name)),
        company: company.clone(),
        name: name.to_owned(),
        owner: None,
        owner_fallback: OwnerFallback::Queue,
        priority: 0,
        language: None,
        notes: String::new(),
        fields: BTreeMap::new(),
        blocked_in: false,
        blocked_out: false,
        anonymised_ms: None,
        merged_into: None,
        created_ms: 1,
        updated_ms: 1,
    }
}

/// Text as an id.
fn slug(text: &str) -> String {
    let sane = |letter: char| {
        if letter.is_ascii_alphanumeric() {
            letter
        } else {
            '-'
        }
    };
    text.to_lowercase().chars().map(sane).collect()
}

fn phone(text: &str) -> Identity {
    Identity::phone(text, PLACE).unwrap()
}

fn whatsapp(text: &str) -> Identity {
    Identity::wa_id(text).unwrap()
}

/// A contact with telephones.
async fn known(store: &Store, company: &CompanyId, name: &str, phones: &[&str]) -> ContactId {
    let contact = contact(company, name);
    contacts::insert(store.pool(), &contact).await.unwrap();
    for text in phones {
        let own: IdentityId = id(&slug(&format!("{}-{text}", contact.id)));
        identities::insert(store.pool(), company, &contact.id, (&own, &phone(text)), 1)
            .await
            .unwrap();
    }
    contact.id
}

/// A call with a contact that an agent had, and that is over.
async fn call(
    store: &Store,
    company: &CompanyId,
    name: &str,
    who: &ContactId,
    agent: Option<&str>,
    at_ms: i64,
) {
    let interaction: InteractionId = id(name);
    let update = InteractionUpdate {
        contact: Some(who.clone()),
        agent: agent.map(id),
        ..InteractionUpdate::default()
    };
    let end = InteractionEnd {
        ended_ms: at_ms + 1,
        by: EndedBy::Customer,
        cause: "hung_up".into(),
        sip_status: None,
        quality: None,
    };
    let over = Change::InteractionEnded {
        interaction,
        update: Box::new(update),
        end: Box::new(end),
        trail: vec![],
    };
    save(store, &[opened(company, name, at_ms), over]).await;
}

async fn save(store: &Store, all: &[Change]) {
    let mut db = store.begin().await.unwrap();
    changes::apply(&mut db, all).await.unwrap();
    db.commit().await.unwrap();
}

fn names(found: &[Contact]) -> Vec<&str> {
    found.iter().map(|contact| contact.name.as_str()).collect()
}

on_both! {
    async fn a_contact_is_the_companys_and_so_is_its_owner(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        let (ana, bia) = (user(store, Some(&a), "ana").await, user(store, Some(&b), "bia").await);
        let db = store.pool();
        let mut maria = Contact {
            owner: Some(ana),
            owner_fallback: OwnerFallback::Backup { agent: id("rui") },
            priority: -7,
            language: Some("es".into()),
            notes: "prefere\nmanhã".into(),
            fields: [("Plano".into(), "Ouro".into())].into(),
            blocked_in: true,
            ..contact(&a, "Maria")
        };
        contacts::insert(db, &maria).await.unwrap();
        let stranger = Contact { owner: Some(bia.clone()), ..contact(&a, "Eva") };
        let refused = contacts::insert(db, &stranger).await;
        assert!(matches!(refused, Err(Error::Reference)), "{refused:?}");
        assert_eq!(contacts::by_id(db, &a, &maria.id).await.unwrap().as_ref(), Some(&maria));
        assert_eq!(contacts::by_id(db, &b, &maria.id).await.unwrap(), None);

        maria = Contact { owner: None, blocked_in: false, blocked_out: true, updated_ms: 2, ..maria };
        assert!(contacts::update(db, &maria).await.unwrap());
        let stolen = Contact { company: b.clone(), ..maria.clone() };
        assert!(!contacts::update(db, &stolen).await.unwrap());
        assert_eq!(contacts::by_id(db, &a, &maria.id).await.unwrap().as_ref(), Some(&maria));
    }
}

on_both! {
    async fn contacts_are_listed_by_name_whatever_its_case_and_accents(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        let ana = user(store, Some(&a), "ana").await;
        for name in ["joão Lima", "Joana", "JOSÉ", "Ávila", "zé", "_", "Zoë"] {
            let owner = (name == "Joana").then(|| ana.clone());
            let one = Contact { owner, ..contact(&a, name) };
            contacts::insert(store.pool(), &one).await.unwrap();
        }
        contacts::insert(store.pool(), &contact(&b, "Joel")).await.unwrap();
        let list = async |name: &str, owner: OwnerFilter| {
            let filter = Filter { name: name.into(), owner, after: None };
            let found = contacts::list(store.pool(), &a, &filter, 100).await.unwrap();
            names(&found).join(",")
        };
        let all = "_,Ávila,Joana,joão Lima,JOSÉ,zé,Zoë";
        assert_eq!(list("", OwnerFilter::Any).await, all);
        assert_eq!(list("Jó", OwnerFilter::Any).await, "Joana,joão Lima,JOSÉ");
        assert_eq!(list("JOAO l", OwnerFilter::Any).await, "joão Lima");
        assert_eq!(list("%", OwnerFilter::Any).await, "");
        assert_eq!(list("jo", OwnerFilter::Nobody).await, "joão Lima,JOSÉ");
        assert_eq!(list("", OwnerFilter::Agent(ana)).await, "Joana");

        let (mut seen, mut filter) = (vec![], Filter::default());
        loop {
            let page = contacts::list(store.pool(), &a, &filter, 2).await.unwrap();
            let Some(last) = page.last() else { break };
            filter.after = Some(last.position());
            seen.extend(page.into_iter().map(|contact| contact.name));
        }
        assert_eq!(seen.join(","), all);
    }
}

on_both! {
    async fn an_id_is_one_contacts_in_a_company_in_whatever_spelling(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        let maria = known(store, &a, "Maria", &["21 8765-4321", "11 3123-4567"]).await;
        let other = known(store, &a, "Other", &[]).await;
        let db = store.pool();
        let find = async |company: &CompanyId, identity: &Identity| {
            let found = contacts::by_identity(db, company, identity).await.unwrap();
            found.map(|contact| contact.id)
        };
        for identity in [
            phone("+55 21 98765-4321"), phone("21 8765 4321"), whatsapp("5521987654321"),
            whatsapp("552187654321"), phone("3123-4567"), whatsapp("551131234567"),
        ] {
            assert_eq!(find(&a, &identity).await.as_ref(), Some(&maria), "{identity:?}");
            assert_eq!(find(&b, &identity).await, None);
        }
        assert_eq!(find(&a, &phone("11 93123-4567")).await, None, "a fixed telephone has no ninth digit");
        let taken = identities::insert(db, &a, &other, (&id("x"), &phone("+5521987654321")), 2).await;
        assert!(matches!(taken, Err(Error::Taken)), "{taken:?}");
        let foreign = identities::insert(db, &b, &other, (&id("x"), &phone("+5521987654321")), 2).await;
        assert!(matches!(foreign, Err(Error::Reference)), "{foreign:?}");

        // WhatsApp's own spelling is another row; whoever has the same kind comes first.
        identities::insert(db, &a, &other, (&id("w"), &whatsapp("552187654321")), 2).await.unwrap();
        assert_eq!(find(&a, &whatsapp("5521987654321")).await.as_ref(), Some(&other));
        assert_eq!(find(&a, &phone("21 98765-4321")).await.as_ref(), Some(&maria));
        assert!(identities::learn_spelling(db, &a, &whatsapp("5521987654321")).await.unwrap());
        assert!(!identities::learn_spelling(db, &a, &whatsapp("5521987654321")).await.unwrap());
        let kept = identities::of_contact(db, &a, &other).await.unwrap();
        assert_eq!((kept.len(), kept[0].external_id.as_str()), (1, "5521987654321"));
        for (told, since) in [(Some(7), Some(7)), (Some(9), Some(7)), (None, None)] {
            identities::note_marketing(db, (&a, &other), desk::identity::IdentityKind::WaId, told).await.unwrap();
            let kept = identities::of_contact(db, &a, &other).await.unwrap();
            assert_eq!(kept[0].no_marketing_ms, since);
        }

        let mut tx = store.begin().await.unwrap();
        assert!(!identities::delete(&mut tx, &a, &maria, &id("w")).await.unwrap());
        assert!(!identities::delete(&mut tx, &b, &other, &id("w")).await.unwrap());
        assert!(identities::delete(&mut tx, &a, &other, &id("w")).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(find(&a, &whatsapp("552187654321")).await.as_ref(), Some(&maria));
    }
}

on_both! {
    async fn of_a_cpf_the_database_has_neither_number_nor_anything_to_try_them_on(store: &Store) {
        let a = company(store, "a").await;
        let maria = known(store, &a, "Maria", &[]).await;
        let key = CpfKey::new([7; 32]);
        let cpf = Identity::cpf("529.982.247-25", &key).unwrap();
        identities::insert(store.pool(), &a, &maria, (&id("c"), &cpf), 1).await.unwrap();
        let again = Identity::cpf("52998224725", &key).unwrap();
        let found = contacts::by_identity(store.pool(), &a, &again).await.unwrap();
        assert_eq!(found.map(|contact| contact.id), Some(maria.clone()));
        let kept = identities::of_contact(store.pool(), &a, &maria).await.unwrap();
        assert_eq!(kept[0].external_id, "***.***.*47-25");
    }
}

on_both! {
    async fn contacts_are_searched_by_how_an_id_begins(store: &Store) {
        let a = company(store, "a").await;
        known(store, &a, "Maria", &["11 98765-4321", "11 98765-0000"]).await;
        known(store, &a, "Rui", &["11 98766-0000", "21 98765-4321"]).await;
        let search = async |begins: &str, limit| {
            let found = identities::search(store.pool(), &a, begins, None, limit).await.unwrap();
            let lookups = found.iter().map(|(contact, place)| format!("{} {}", contact.name, place.lookup));
            lookups.collect::<Vec<_>>().join(",")
        };
        assert_eq!(search("+551198765", 9).await, "Maria +5511987650000,Maria +5511987654321");
        assert_eq!(search("+5521", 9).await, "Rui +5521987654321");
        assert_eq!(search("+55119876", 2).await, "Maria +5511987650000,Maria +5511987654321");
        assert_eq!(search("_", 9).await, "");
        let first = identities::search(store.pool(), &a, "+5511", None, 2).await.unwrap();
        let after = first.last().map(|(_, place)| place.clone());
        let rest = identities::search(store.pool(), &a, "+5511", after.as_ref(), 2).await.unwrap();
        assert_eq!(rest.iter().map(|(contact, _)| contact.name.as_str()).collect::<Vec<_>>(), ["Rui"]);
    }
}

on_both! {
    async fn who_is_met_is_found_by_any_id_and_has_all_of_them_from_then_on(store: &Store) {
        let a = company(store, "a").await;
        let maria = known(store, &a, "Maria", &["21 98765-4321"]).await;
        let rui = known(store, &a, "Rui", &["31 3123-4567"]).await;
        let meet = async |name: &str, ids: &[(IdentityId, Identity)]| {
            let mut db = store.begin().await.unwrap();
            let met = contacts::find_or_create(&mut db, &contact(&a, name), ids).await.unwrap();
            db.commit().await.unwrap();
            (met.contact.id, met.is_new, met.others)
        };
        let ids = [(id("i1"), whatsapp("552187654321")), (id("i2"), Identity::email("m@b.com").unwrap())];
        assert_eq!(meet("Mary", &ids).await, (maria.clone(), false, vec![]));
        let by_mail = [(id("i3"), Identity::email("M@B.com").unwrap())];
        assert_eq!(meet("Mary", &by_mail).await, (maria.clone(), false, vec![]));
        let both = [(id("i4"), phone("21 98765-4321")), (id("i5"), phone("31 3123-4567"))];
        assert_eq!(meet("Mary", &both).await, (maria.clone(), false, vec![rui]));
        let new = [(id("i6"), phone("41 3123-4567")), (id("i7"), whatsapp("554131234567"))];
        assert_eq!(meet("Eva", &new).await, (id("eva"), true, vec![]));
        assert_eq!(meet("Eve", &new).await, (id("eva"), false, vec![]));
        assert_eq!(meet("Nobody", &[]).await, (id("nobody"), true, vec![]));
        assert_eq!(identities::of_contact(store.pool(), &a, &id("eva")).await.unwrap().len(), 2);
        assert_eq!(identities::of_contact(store.pool(), &a, &maria).await.unwrap().len(), 3);
    }
}

on_both! {
    async fn two_that_meet_the_same_stranger_at_once_get_one_contact(store: &Store) {
        let a = company(store, "a").await;
        for round in 0..20 {
            let meet = async |n: i32| {
                let newcomer = Contact { id: id(&format!("c{round}-{n}")), ..contact(&a, "Stranger") };
                // In different spellings.
                let text = if n % 2 == 0 { "5531987650" } else { "553187650" };
                let ids = [
                    (id(&format!("w{round}-{n}")), whatsapp(&format!("{text}{round:03}"))),
                    (id(&format!("m{round}-{n}")), Identity::email(&format!("s{round}@b.com")).unwrap()),
                ];
                let mut db = store.begin().await.unwrap();
                let met = contacts::find_or_create(&mut db, &newcomer, &ids).await.unwrap();
                db.commit().await.unwrap();
                met
            };
            let met: [Met; 4] = tokio::join!(meet(0), meet(1), meet(2), meet(3)).into();
            assert_eq!(met.iter().filter(|met| met.is_new).count(), 1, "round {round}");
            assert!(met.iter().all(|one| one.contact.id == met[0].contact.id), "round {round}");
        }
        let all = contacts::list(store.pool(), &a, &Filter::default(), 500).await.unwrap();
        assert_eq!(all.len(), 20, "whoever came second took back what they made");
    }
}

on_both! {
    async fn who_calls_is_known_with_owner_priority_and_last_agent(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        let ana = user(store, Some(&a), "ana").await;
        let maria = Contact {
            owner: Some(ana.clone()),
            owner_fallback: OwnerFallback::Message,
            priority: 12,
            language: Some("en".into()),
            blocked_out: true,
            ..contact(&a, "Maria")
        };
        contacts::insert(store.pool(), &maria).await.unwrap();
        let wa = whatsapp("552187654321");
        identities::insert(store.pool(), &a, &maria.id, (&id("w"), &wa), 1).await.unwrap();
        call(store, &a, "old", &maria.id, Some("rui"), 100).await;
        call(store, &a, "new", &maria.id, Some("bia"), 200).await;
        call(store, &a, "abandoned", &maria.id, None, 300).await;
        let known = async |company: &CompanyId, text: &str, since_ms| {
            contacts::known(store.pool(), company, &phone(text), since_ms).await.unwrap()
        };
        let expected = Known {
            contact: maria.id.clone(),
            name: "Maria".into(),
            owner: Some(ana),
            owner_fallback: OwnerFallback::Message,
            priority: 12,
            language: Some("en".into()),
            blocked_in: false,
            blocked_out: true,
            last_agent: Some(id("bia")),
        };
        assert_eq!(known(&a, "(21) 98765-4321", 0).await, Some(expected.clone()));
        let stale = Known { last_agent: None, ..expected };
        assert_eq!(known(&a, "(21) 98765-4321", 201).await, Some(stale));
        assert_eq!(known(&b, "(21) 98765-4321", 0).await, None);
        assert_eq!(known(&a, "(21) 98765-4322", 0).await, None);
        let last = async |since_ms| {
            interactions::last_agent(store.pool(), &a, &maria.id, since_ms).await.unwrap()
        };
        assert_eq!((last(0).await, last(200).await, last(201).await), (Some(id("bia")), Some(id("bia")), None));

        let history = interactions::of_contact(store.pool(), &a, &maria.id, None, 2).await.unwrap();
        assert_eq!(history.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["abandoned", "new"]);
        assert_eq!((history[1].contact.as_ref(), history[1].agent.as_ref()), (Some(&maria.id), Some(&id("bia"))));
        let before = interactions::Position { started_ms: 200, id: id("new") };
        let rest = interactions::of_contact(store.pool(), &a, &maria.id, Some(&before), 2).await.unwrap();
        assert_eq!(rest.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["old"]);
        assert!(interactions::of_contact(store.pool(), &b, &maria.id, None, 2).await.unwrap().is_empty());
    }
}

on_both! {
    async fn who_calls_is_looked_up_in_indices_alone(store: &Store) {
        let mut db = store.begin().await.unwrap();
        let explain = match store.kind() {
            Kind::Sqlite => "EXPLAIN QUERY PLAN",
            Kind::Postgres => {
                // A table of no rows is read whole faster than by any index.
                sqlx::query("SET LOCAL enable_seqscan = off").execute(&mut *db).await.unwrap();
                sqlx::query("SET LOCAL enable_sort = off").execute(&mut *db).await.unwrap();
                "EXPLAIN"
            }
        };
        let sql = sqlx::AssertSqlSafe(format!("{explain} {}", contacts::KNOWN));
        let rows = sqlx::query(sql)
            .bind("a").bind(b"+5511".to_vec()).bind("phone").bind("wa_id").bind("").bind(0_i64)
            .fetch_all(&mut *db).await.unwrap();
        let column = match store.kind() { Kind::Sqlite => 3, Kind::Postgres => 0 };
        let plan: Vec<String> = rows.iter().map(|row| row.get::<String, _>(column)).collect();
        let plan = plan.join("\n");
        let expected: &[&str] = match store.kind() {
            Kind::Sqlite => &[
                "(company=? AND lookup=? AND kind=? AND scope=?)",
                "interactions_by_contact (contact=? AND started_ms>?)",
            ],
            Kind::Postgres => &["identities_company_lookup_kind_scope_key", "interactions_by_contact"],
        };
        for part in expected {
            assert!(plan.contains(part), "{part} in\n{plan}");
        }
        assert!(!plan.contains("Seq Scan") && !plan.contains("SCAN d") && !plan.contains("SCAN i"), "{plan}");
    }
}

on_both! {
    async fn a_merge_takes_ids_and_history_along_and_undone_gives_them_back(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        let maria = known(store, &a, "Maria", &["11 3123-0001"]).await;
        let mary = known(store, &a, "Mary", &["11 3123-0002"]).await;
        let moll = known(store, &a, "Moll", &["11 3123-0003"]).await;
        call(store, &a, "m1", &mary, Some("rui"), 100).await;
        let a_merge = |name: &str, kept: &ContactId, absorbed: &ContactId| Merge {
            id: id(name),
            company: a.clone(),
            kept: kept.clone(),
            absorbed: absorbed.clone(),
            user: Some(id("ana")),
            at_ms: 500,
            undone_ms: None,
        };
        let merge = async |merge: &Merge| {
            let mut db = store.begin().await.unwrap();
            let done = merges::merge(&mut db, merge).await.unwrap();
            db.commit().await.unwrap();
            done
        };
        let undo = async |company: &CompanyId, name: &str| {
            let mut db = store.begin().await.unwrap();
            let undone = merges::undo(&mut db, company, &id(name), 600).await.unwrap();
            db.commit().await.unwrap();
            undone.is_some()
        };
        let whose = async |text: &str| {
            let found = contacts::by_identity(store.pool(), &a, &phone(text)).await.unwrap();
            found.map(|contact| contact.name).unwrap_or_default()
        };
        let history = async |who: &ContactId| {
            let found = interactions::of_contact(store.pool(), &a, who, None, 9).await.unwrap();
            found.iter().map(|one| one.id.to_string()).collect::<Vec<_>>().join(",")
        };

        assert!(!merge(&a_merge("self", &maria, &maria)).await);
        assert!(!merge(&a_merge("gone", &maria, &id("nobody"))).await);
        assert!(!merge(&Merge { company: b.clone(), ..a_merge("foreign", &maria, &mary) }).await);
        let one = a_merge("one", &mary, &moll);
        assert!(merge(&one).await && merge(&a_merge("two", &maria, &mary)).await);
        assert!(!merge(&a_merge("again", &maria, &mary)).await, "a contact is merged once");
        assert!(!merge(&a_merge("back", &mary, &maria)).await, "nothing goes round");
        for text in ["3123-0001", "3123-0002", "3123-0003"] {
            assert_eq!(whose(text).await, "Maria");
        }
        call(store, &a, "m2", &maria, None, 200).await;
        assert_eq!((history(&maria).await, history(&mary).await), ("m2,m1".into(), String::new()));
        let listed = contacts::list(store.pool(), &a, &Filter::default(), 9).await.unwrap();
        assert_eq!(names(&listed), ["Maria"]);
        assert!(!contacts::update(store.pool(), &contact(&a, "Mary")).await.unwrap());
        let known_now = contacts::known(store.pool(), &a, &phone("3123-0002"), 0).await.unwrap();
        assert_eq!(known_now.map(|known| (known.contact, known.last_agent)), Some((maria.clone(), Some(id("rui")))));

        assert!(!undo(&b, "two").await);
        assert!(!undo(&a, "one").await, "the later merge is undone first");
        assert!(undo(&a, "two").await && !undo(&a, "two").await);
        assert_eq!((whose("3123-0001").await, whose("3123-0002").await, whose("3123-0003").await),
            ("Maria".into(), "Mary".into(), "Mary".into()));
        assert_eq!((history(&maria).await, history(&mary).await), ("m2".into(), "m1".into()));
        assert!(undo(&a, "one").await);
        assert_eq!(whose("3123-0003").await, "Moll");
        let listed = contacts::list(store.pool(), &a, &Filter::default(), 9).await.unwrap();
        assert_eq!(names(&listed), ["Maria", "Mary", "Moll"]);
        let told = merges::of_contact(store.pool(), &a, &mary, &Page::first()).await.unwrap();
        assert_eq!(told, [Merge { undone_ms: Some(600), ..one }]);
    }
}

on_both! {
    async fn a_contact_is_deleted_only_when_nothing_refers_to_it(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        let maria = known(store, &a, "Maria", &["11 3123-0001"]).await;
        let mary = known(store, &a, "Mary", &[]).await;
        let idle = known(store, &a, "Idle", &["11 3123-0002"]).await;
        call(store, &a, "m1", &mary, None, 100).await;
        let mut db = store.begin().await.unwrap();
        let merge = Merge {
            id: id("m"), company: a.clone(), kept: maria.clone(), absorbed: mary.clone(),
            user: None, at_ms: 5, undone_ms: None,
        };
        assert!(merges::merge(&mut db, &merge).await.unwrap());
        for held in [&maria, &mary] {
            let refused = contacts::delete(&mut db, &a, held).await;
            assert!(matches!(refused, Err(Error::Reference)), "{refused:?}");
        }
        assert!(!contacts::delete(&mut db, &b, &idle).await.unwrap());
        assert!(contacts::delete(&mut db, &a, &idle).await.unwrap());
        assert!(!contacts::delete(&mut db, &a, &idle).await.unwrap());
        db.commit().await.unwrap();
        let found = contacts::by_identity(store.pool(), &a, &phone("3123-0002")).await.unwrap();
        assert_eq!(found, None, "its ids went with it");
    }
}

on_both! {
    async fn who_is_anonymised_is_nobody_and_their_history_tells_nobody(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        let maria = known(store, &a, "Maria", &["11 99999-0000"]).await;
        let mary = known(store, &a, "Mary", &["11 3123-0002"]).await;
        let mask = "5e".repeat(32);
        let forget = async |company: &CompanyId| {
            let mut db = store.begin().await.unwrap();
            let done = anonymise(&mut db, company, &maria, &mask, 900).await.unwrap();
            db.commit().await.unwrap();
            done
        };
        let mut db = store.begin().await.unwrap();
        let merge = Merge {
            id: id("m"), company: a.clone(), kept: maria.clone(), absorbed: mary.clone(),
            user: None, at_ms: 5, undone_ms: None,
        };
        assert!(merges::merge(&mut db, &merge).await.unwrap());
        db.commit().await.unwrap();
        let line = |seq, kind, detail: serde_json::Value| TrailEntry { seq, at_ms: 10, kind, detail };
        let typed = json!({ "digits": "52998224725" });
        let told = |trail| Change::InteractionUpdated {
            interaction: id("call"),
            update: Box::new(InteractionUpdate { contact: Some(maria.clone()), ..InteractionUpdate::default() }),
            trail,
        };
        let by_ana = json!({ "agent": "ana" });
        save(store, &[
            opened(&a, "call", 10),
            told(vec![line(0, TrailKind::DigitsEntered, typed.clone()), line(1, TrailKind::AgentAnswered, by_ana.clone())]),
            told(vec![line(2, TrailKind::Noted, json!({ "text": "Maria ligou" }))]),
        ]).await;
        assert_eq!(forget(&b).await, Anonymised::NotFound);
        assert_eq!(forget(&a).await, Anonymised::Open);
        let before = interactions::by_id(store.pool(), &a, &id("call")).await.unwrap().unwrap();
        assert_eq!((before.direction, before.from.as_str()), (Direction::Inbound, "+5511999990000"));
        call(store, &a, "call", &maria, Some("ana"), 10).await;

        assert_eq!(forget(&a).await, Anonymised::Done);
        assert_eq!(forget(&a).await, Anonymised::NotFound);
        for who in [&maria, &mary] {
            let left = contacts::by_id(store.pool(), &a, who).await.unwrap().unwrap();
            assert_eq!((left.name.as_str(), left.anonymised_ms), (mask.as_str(), Some(900)));
            assert!(identities::of_contact(store.pool(), &a, who).await.unwrap().is_empty());
        }
        assert!(!contacts::update(store.pool(), &contact(&a, "Maria")).await.unwrap());
        let after = interactions::by_id(store.pool(), &a, &id("call")).await.unwrap().unwrap();
        assert_eq!((after.from.as_str(), after.from_name.as_str(), after.to.as_str()), (mask.as_str(), "", "4000"));
        assert_eq!(after.agent, Some(id("ana")), "who handled it stays");
        let lines = trail::list(store.pool(), &a, &id("call"), 0, 9).await.unwrap();
        let empty = json!({});
        assert_eq!(lines, [
            line(0, TrailKind::DigitsEntered, empty.clone()),
            line(1, TrailKind::AgentAnswered, by_ana),
            line(2, TrailKind::Noted, empty),
        ]);
        let mut db = store.begin().await.unwrap();
        assert_eq!(merges::undo(&mut db, &a, &id("m"), 901).await.unwrap(), None, "there is no way back");
    }
}

on_both! {
    async fn contacts_beyond_a_page_are_all_there_with_their_ids(store: &Store) {
        let a = company(store, "a").await;
        let mut random = SmallRng::seed_from_u64(3);
        let mut db = store.begin().await.unwrap();
        for n in 0..60 {
            let one = Contact { id: ContactId::new(n, &mut random), ..contact(&a, &format!("P{}", n % 7)) };
            contacts::insert(&mut *db, &one).await.unwrap();
            let identity = phone(&format!("1131230{n:03}"));
            let own = IdentityId::new(n, &mut random);
            identities::insert(&mut *db, &a, &one.id, (&own, &identity), 1).await.unwrap();
        }
        db.commit().await.unwrap();
        let (mut filter, mut seen) = (Filter::default(), vec![]);
        loop {
            let page = contacts::list(store.pool(), &a, &filter, 25).await.unwrap();
            let (Some(first), Some(last)) = (page.first(), page.last()) else { break };
            let theirs = identities::between(store.pool(), &a, &first.position(), &last.position()).await.unwrap();
            for one in &page {
                let own: Vec<_> = theirs.iter().filter(|kept| kept.contact == one.id).collect();
                assert_eq!(own.len(), 1, "{one:?}");
                seen.push(own[0].external_id.clone());
            }
            assert_eq!(theirs.len(), page.len());
            filter.after = Some(last.position());
        }
        seen.sort();
        assert_eq!(seen, (0..60).map(|n| format!("+551131230{n:03}")).collect::<Vec<_>>());
    }
}
