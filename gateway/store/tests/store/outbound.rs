//! Outbound routes and rules, and the calls that limits are counted by.

use desk::record::{Change, Outbound, OutboundAlarm, OutboundCall};
use serde_json::json;
use store::outbound::{Route, Rules};
use store::{Error, Page, Store, audit, changes, outbound, trunks};

use crate::databases::on_both;
use crate::fixtures::{company, id};

fn route(company: &str, name: &str, trunk: &str) -> Route {
    Route {
        id: id(name),
        company: id(company),
        name: name.to_owned(),
        trunk: id(trunk),
        prefix: "+55".into(),
        priority: 1,
        weight: 2,
        calls_max: Some(3),
        calls_per_second_max: None,
        cost_per_minute: 90,
        caller_number: None,
        disabled: false,
        created_ms: 1,
        updated_ms: 1,
    }
}

async fn trunk(store: &Store, company: &str, name: &str) {
    let trunk = trunks::Trunk {
        id: id(name),
        company: id(company),
        name: name.to_owned(),
        settings: json!({}),
        secrets: None,
        disabled: false,
        created_ms: 1,
        updated_ms: 1,
    };
    trunks::insert(store.pool(), &trunk).await.unwrap();
}

fn call(name: &str, started_ms: i64) -> OutboundCall {
    OutboundCall {
        id: id(name),
        company: id("a"),
        interaction: id("i"),
        user: Some(id("ana")),
        service: None,
        trunk: Some(id("t")),
        number: "+551131234567".into(),
        cost_per_minute: 90,
        started_ms,
        answered_ms: None,
        ended_ms: None,
        cost: 0,
    }
}

async fn save(store: &Store, outbound: Outbound) {
    let mut db = store.begin().await.unwrap();
    let change = Change::Outbound(Box::new(outbound));
    changes::apply(&mut db, [&change]).await.unwrap();
    db.commit().await.unwrap();
}

on_both! {
    async fn a_route_is_the_companys_and_so_is_its_trunk(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        trunk(store, "a", "t").await;
        trunk(store, "b", "u").await;
        let db = store.pool();
        let mut first = route("a", "r", "t");
        outbound::insert_route(db, &first).await.unwrap();
        let foreign = outbound::insert_route(db, &route("a", "s", "u")).await;
        assert!(matches!(foreign, Err(Error::Reference)), "{foreign:?}");
        let taken = Route { id: id("other"), ..first.clone() };
        let taken = outbound::insert_route(db, &taken).await;
        assert!(matches!(taken, Err(Error::Taken)), "{taken:?}");
        first.prefix = String::new();
        first.calls_max = None;
        first.updated_ms = 2;
        assert!(outbound::update_route(db, &first).await.unwrap());
        let stolen = Route { company: b.clone(), ..first.clone() };
        assert!(!outbound::update_route(db, &stolen).await.unwrap());
        let found = outbound::route_by_id(db, &a, &first.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(&first));
        assert_eq!(outbound::route_by_id(db, &b, &first.id).await.unwrap(), None);
        let listed = outbound::list_routes(db, &a, &Page::first()).await.unwrap();
        assert_eq!(listed, [first.clone()]);
        assert_eq!(outbound::all_routes(db).await.unwrap(), [first.clone()]);
        let held = trunks::delete(db, &a, &id("t")).await;
        assert!(matches!(held, Err(Error::Reference)), "{held:?}");
        assert!(!outbound::delete_route(db, &b, &first.id).await.unwrap());
        assert!(outbound::delete_route(db, &a, &first.id).await.unwrap());
        assert!(trunks::delete(db, &a, &id("t")).await.unwrap());
    }
}

on_both! {
    async fn the_rules_of_a_company_stand_in_the_place_of_those_before(store: &Store) {
        let a = company(store, "a").await;
        assert_eq!(outbound::rules_of(store.pool(), &a).await.unwrap(), None);
        for step in [1, 2] {
            let rules = Rules {
                company: a.clone(),
                rules: json!({ "step": step }),
                updated_ms: step,
            };
            outbound::put_rules(store.pool(), &rules).await.unwrap();
            let kept = outbound::rules_of(store.pool(), &a).await.unwrap();
            assert_eq!(kept.as_ref(), Some(&rules));
            assert_eq!(outbound::all_rules(store.pool()).await.unwrap(), [rules]);
        }
    }
}

on_both! {
    async fn a_call_is_remembered_when_it_is_answered_and_once_when_it_is_over(store: &Store) {
        company(store, "a").await;
        let old = call("old", 10);
        save(store, Outbound::Call(old)).await;
        let mut kept = call("c", 20);
        kept.answered_ms = Some(25);
        save(store, Outbound::Call(kept.clone())).await;
        let since = |at_ms| outbound::calls_since(store.pool(), at_ms);
        assert_eq!(since(11).await.unwrap(), [kept.clone()]);
        kept.ended_ms = Some(60_025);
        kept.cost = 90;
        save(store, Outbound::Call(kept.clone())).await;
        let late = OutboundCall { ended_ms: None, cost: 0, ..kept.clone() };
        save(store, Outbound::Call(late)).await;
        assert_eq!(since(11).await.unwrap(), [kept]);
        assert_eq!(since(10).await.unwrap().len(), 2);
    }
}

on_both! {
    async fn an_alarm_is_one_line_of_the_audit_log(store: &Store) {
        let a = company(store, "a").await;
        let alarm = OutboundAlarm {
            id: id("alarm"),
            company: a.clone(),
            interaction: id("i"),
            user: Some(id("ana")),
            at_ms: 7,
            rule: "destination".into(),
            dialled: "+442079460958".into(),
        };
        for _ in 0..2 {
            save(store, Outbound::Alarm(alarm.clone())).await;
        }
        let lines = audit::list(store.pool(), Some(&a), None, 10).await.unwrap();
        let [line] = lines.as_slice() else {
            panic!("{lines:?}");
        };
        assert_eq!(line.action, "outbound.refused");
        assert_eq!(line.detail["rule"], "destination");
        assert_eq!(line.user, Some(id("ana")));
    }
}
