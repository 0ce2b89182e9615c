//! How interactions are found again, and what people keep of it.

use desk::fact::{Fact, Handled, HandledResult, WaitResult, Waited};
use desk::id::{CompanyId, UserId};
use desk::kept::Kept;
use desk::record::{Change, InteractionUpdate, Medium};
use serde_json::json;
use store::interactions::{self, Filter, Hours};
use store::reports::Stretch;
use store::{Store, agents, changes, desks, services, tags, user_settings, users};

use crate::agents::{member, service};
use crate::databases::on_both;
use crate::fixtures::{company, id, opened, user};

const HOUR: i64 = 3_600_000;

/// 2026-11-23, 00:00 UTC.
const MIDNIGHT: i64 = 1_795_392_000_000;

async fn found(store: &Store, company: &CompanyId, filter: Filter) -> Vec<String> {
    let rows = interactions::list(store.pool(), company, &filter, 500)
        .await
        .unwrap();
    let counted = interactions::count(store.pool(), company, &filter, 500)
        .await
        .unwrap();
    assert_eq!(counted, i64::try_from(rows.len()).unwrap());
    let mut ids: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
    ids.sort();
    ids
}

fn waited(company: &CompanyId, work: &str, result: WaitResult) -> Fact {
    Fact::Waited(Waited {
        company: company.clone(),
        work: id(work),
        interaction: id(work),
        service: id("sales"),
        medium: Medium::Phone,
        entered_ms: MIDNIGHT,
        ended_ms: MIDNIGHT + 1,
        result,
        agent: None,
        in_target: None,
    })
}

fn handled(company: &CompanyId, work: &str, agent: &str, disposition: Option<&str>) -> Fact {
    Fact::Handled(Handled {
        company: company.clone(),
        work: id(work),
        interaction: id(work),
        service: id("sales"),
        medium: Medium::Phone,
        agent: id(agent),
        began_ms: MIDNIGHT,
        talked_until_ms: MIDNIGHT + 1,
        ended_ms: MIDNIGHT + 2,
        held_ms: 0,
        result: HandledResult::Finished,
        disposition: disposition.map(id),
    })
}

/// Interactions of a company: `morning` at 9:30 UTC for sales, `night` at 23:30 for support, `old` on another
/// day at 9:30, for nobody.
async fn three(store: &Store, company: &CompanyId) {
    let at = |hours: i64| MIDNIGHT + hours * HOUR + HOUR / 2;
    let made = [
        ("morning", at(9), Some("sales")),
        ("night", at(23), Some("support")),
        ("old", at(9 - 48), None),
    ];
    let mut db = store.begin().await.unwrap();
    for (name, at_ms, service) in made {
        let update = InteractionUpdate {
            service: service.map(id),
            ..InteractionUpdate::default()
        };
        let chosen = Change::InteractionUpdated {
            interaction: id(name),
            update: Box::new(update),
            trail: vec![],
        };
        changes::apply(&mut db, &[opened(company, name, at_ms), chosen])
            .await
            .unwrap();
    }
    let facts = [
        waited(company, "morning", WaitResult::Answered),
        waited(company, "night", WaitResult::Moved),
        waited(company, "night", WaitResult::Abandoned),
        handled(company, "morning", "ana", None),
        handled(company, "morning", "bruno", Some("sold")),
    ];
    let mut kept: Vec<Kept> = facts
        .into_iter()
        .map(|fact| Kept::Fact(Box::new(fact)))
        .collect();
    if let Kept::Fact(fact) = &mut kept[2]
        && let Fact::Waited(waited) = fact.as_mut()
    {
        waited.service = id("support");
    }
    desks::apply(&mut db, &kept).await.unwrap();
    db.commit().await.unwrap();
}

fn hours(from: u8, until: u8) -> Filter {
    // Three hours behind on the day before yesterday, and two from then on.
    let clock = vec![
        Stretch {
            from_ms: 0,
            until_ms: MIDNIGHT - 24 * HOUR,
            offset_ms: -3 * HOUR,
        },
        Stretch {
            from_ms: MIDNIGHT - 24 * HOUR,
            until_ms: MIDNIGHT,
            offset_ms: -2 * HOUR,
        },
    ];
    Filter {
        hours: Some(Hours { from, until, clock }),
        ..Filter::default()
    }
}

async fn takes(store: &Store, company: &CompanyId, name: &str, who: &UserId) {
    let row = service(company, name);
    let mut db = store.begin().await.unwrap();
    services::insert(&mut *db, &row).await.unwrap();
    agents::add(&mut *db, &member(company, &row.id, who))
        .await
        .unwrap();
    db.commit().await.unwrap();
}

on_both! {
    async fn interactions_are_found_by_whatever_is_known_of_them(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        three(store, &a).await;
        let nothing = Vec::<String>::new();
        assert_eq!(found(store, &b, Filter::default()).await, nothing);
        let by = |filter: Filter| found(store, &a, filter);

        assert_eq!(by(hours(7, 8)).await, ["morning"]);
        assert_eq!(by(hours(6, 7)).await, ["old"], "by the clock as it was then");
        assert_eq!(by(hours(21, 7)).await, ["night", "old"], "past midnight");
        assert_eq!(by(hours(0, 24)).await.len(), 3);
        let outcome = |outcome| Filter { outcome: Some(outcome), ..Filter::default() };
        assert_eq!(by(outcome(WaitResult::Abandoned)).await, ["night"]);
        assert_eq!(by(outcome(WaitResult::Moved)).await, ["night"]);
        assert_eq!(by(outcome(WaitResult::Closed)).await, nothing);
        let agent = |agent| Filter { agent: Some(id(agent)), ..Filter::default() };
        assert_eq!(by(agent("ana")).await, ["morning"], "before it was handed on");
        assert_eq!(by(agent("carla")).await, nothing);
        let disposition = Some("sold".to_owned());
        assert_eq!(by(Filter { disposition, ..Filter::default() }).await, ["morning"]);
        let medium = |medium| Filter { medium: Some(medium), ..Filter::default() };
        assert_eq!(by(medium(Medium::Phone)).await.len(), 3);
        assert_eq!(by(medium(Medium::Chat)).await, nothing);
        let channel = Some(id("site"));
        assert_eq!(by(Filter { channel, ..Filter::default() }).await, nothing);
        let rows = interactions::count(store.pool(), &a, &Filter::default(), 2).await.unwrap();
        assert_eq!(rows, 2, "nobody counts further than they are asked to");
    }
}

on_both! {
    async fn who_sees_some_services_finds_theirs_and_what_they_had(store: &Store) {
        let a = company(store, "a").await;
        three(store, &a).await;
        let bia = user(store, Some(&a), "bia").await;
        let rui = user(store, Some(&a), "rui").await;
        takes(store, &a, "sales", &bia).await;
        takes(store, &a, "support", &rui).await;
        let seen_by = |who: &UserId| Filter { seen_by: Some(who.clone()), ..Filter::default() };
        assert_eq!(found(store, &a, seen_by(&bia)).await, ["morning"]);
        assert_eq!(found(store, &a, seen_by(&rui)).await, ["night"]);
        let mut db = store.begin().await.unwrap();
        let update = InteractionUpdate { agent: Some(bia.clone()), ..InteractionUpdate::default() };
        let taken = Change::InteractionUpdated { interaction: id("old"), update: Box::new(update), trail: vec![] };
        changes::apply(&mut db, &[taken]).await.unwrap();
        db.commit().await.unwrap();
        assert_eq!(found(store, &a, seen_by(&bia)).await, ["morning", "old"]);
        let beside = agents::beside(store.pool(), &a, &bia).await.unwrap();
        assert_eq!(beside, [bia]);
    }
}

on_both! {
    async fn tags_stand_on_interactions_and_are_counted(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        three(store, &a).await;
        let rui = user(store, Some(&a), "rui").await;
        takes(store, &a, "support", &rui).await;
        let set = async |company: &CompanyId, interaction: &str, all: &[&str]| {
            let all: Vec<String> = all.iter().map(|tag| (*tag).to_owned()).collect();
            let mut db = store.begin().await.unwrap();
            tags::set(&mut db, company, &id(interaction), &all).await.unwrap();
            db.commit().await.unwrap();
        };
        set(&a, "morning", &["vip", "garantia"]).await;
        set(&a, "night", &["vip", "perdida"]).await;
        set(&a, "night", &["vip"]).await;
        // Another company's tags are not touched by who only knows an id.
        set(&b, "morning", &[]).await;
        let of = async |interaction: &str| {
            interactions::by_id(store.pool(), &a, &id(interaction)).await.unwrap().unwrap().tags
        };
        assert_eq!(of("morning").await, ["garantia", "vip"]);
        assert_eq!(of("night").await, ["vip"]);
        assert_eq!(of("old").await, Vec::<String>::new());
        let tag = Some("vip".to_owned());
        assert_eq!(found(store, &a, Filter { tag, ..Filter::default() }).await, ["morning", "night"]);
        let used = async |seen_by: Option<&UserId>| {
            let used = tags::used(store.pool(), &a, seen_by, 9).await.unwrap();
            used.into_iter().map(|used| (used.tag, used.count)).collect::<Vec<_>>()
        };
        assert_eq!(used(None).await, [("vip".to_owned(), 2), ("garantia".to_owned(), 1)]);
        assert_eq!(used(Some(&rui)).await, [("vip".to_owned(), 1)]);
        assert_eq!(tags::used(store.pool(), &b, None, 9).await.unwrap(), []);
    }
}

on_both! {
    async fn what_somebody_set_for_themselves_is_theirs_and_goes_with_them(store: &Store) {
        let a = company(store, "a").await;
        let (ana, rui) = (user(store, Some(&a), "ana").await, user(store, Some(&a), "rui").await);
        let put = async |who: &UserId, name: &str, value| {
            user_settings::put(store.pool(), who, (name, &value), 2, 1).await.unwrap()
        };
        let read = async |who: &UserId, name: &str| {
            user_settings::by_name(store.pool(), who, name).await.unwrap()
        };
        assert!(put(&ana, "trace", json!([1])).await);
        assert!(put(&ana, "trace", json!({ "a": 2 })).await);
        assert!(put(&ana, "wall", json!(true)).await);
        assert!(!put(&ana, "more", json!(1)).await, "of a third there is no room");
        assert!(put(&ana, "wall", json!(false)).await, "and for what is there, there is");
        assert_eq!(read(&ana, "trace").await, Some(json!({ "a": 2 })));
        assert_eq!(read(&ana, "more").await, None);
        assert_eq!(read(&rui, "trace").await, None);
        user_settings::delete(store.pool(), &ana, "wall").await.unwrap();
        assert_eq!(read(&ana, "wall").await, None);
        users::delete(store.pool(), Some(&a), &ana).await.unwrap();
        assert_eq!(read(&ana, "trace").await, None);
    }
}
