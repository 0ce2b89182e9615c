//! Prompts, calendars, services, flows, trunks, numbers, devices.

use desk::id::{CompanyId, FlowId, PromptId};
use serde_json::json;
use store::calendars::Calendar;
use store::devices::Device;
use store::flows::Flow;
use store::numbers::Number;
use store::prompts::{Prompt, PromptKind, PromptState};
use store::services::{Announcement, Service};
use store::trunks::Trunk;
use store::{Error, Page, Store, calendars, devices, flows, numbers, prompts, services, trunks};

use crate::databases::on_both;
use crate::fixtures::{company, id, user};

fn prompt(company: &CompanyId, name: &str) -> Prompt {
    Prompt {
        id: id(name),
        company: company.clone(),
        name: name.to_owned(),
        kind: PromptKind::Text,
        state: PromptState::Draft,
        language: "pt-BR".into(),
        text: "Para vendas, digite 1".into(),
        voice: "pf_dora".into(),
        speed_percent: 100,
        file: Some("ab".repeat(32)),
        mime: "audio/wav".into(),
        bytes: 320_044,
        duration_ms: 20_000,
        loudness_lufs: Some(-23.5),
        created_ms: 1,
        updated_ms: 1,
    }
}

fn flow(company: &CompanyId, name: &str) -> Flow {
    Flow {
        id: id(name),
        company: company.clone(),
        name: name.to_owned(),
        draft: json!({ "start": "welcome" }),
        draft_revision: 1,
        last_version: 0,
        published: None,
        created_ms: 1,
        updated_ms: 1,
    }
}

on_both! {
    async fn a_prompt_is_published_only_as_it_was_heard(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        let mut welcome = prompt(&a, "welcome");
        prompts::insert(store.pool(), &welcome).await.unwrap();
        assert_eq!(prompts::by_id(store.pool(), &a, &welcome.id).await.unwrap(), Some(welcome.clone()));
        assert_eq!(prompts::by_id(store.pool(), &b, &welcome.id).await.unwrap(), None);

        let heard = "ab".repeat(32);
        welcome.file = Some("cd".repeat(32));
        welcome.loudness_lufs = None;
        assert!(prompts::update(store.pool(), &welcome).await.unwrap());
        assert!(!prompts::publish(store.pool(), &a, &welcome.id, &heard, 5).await.unwrap());
        let heard = "cd".repeat(32);
        assert!(prompts::publish(store.pool(), &a, &welcome.id, &heard, 5).await.unwrap());
        let listed = prompts::list(store.pool(), &a, &Page::first()).await.unwrap();
        assert_eq!((listed[0].state, listed[0].updated_ms), (PromptState::Published, 5));
        assert_eq!(listed[0].loudness_lufs, None);

        assert!(prompts::uses_file(store.pool(), &heard).await.unwrap());
        assert!(!prompts::delete(store.pool(), &b, &welcome.id).await.unwrap());
        assert!(prompts::delete(store.pool(), &a, &welcome.id).await.unwrap());
        assert!(!prompts::uses_file(store.pool(), &heard).await.unwrap());
        assert!(prompts::all(store.pool()).await.unwrap().is_empty());
    }
}

on_both! {
    async fn a_service_keeps_its_rules_and_what_it_refers_to(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        prompts::insert(store.pool(), &prompt(&a, "music")).await.unwrap();
        let calendar = Calendar {
            id: id("hours"),
            company: a.clone(),
            name: "Comercial".into(),
            hours: json!({ "always": true }),
            created_ms: 1,
            updated_ms: 1,
        };
        calendars::insert(store.pool(), &calendar).await.unwrap();
        let mut sales = Service {
            id: id("sales"),
            company: a.clone(),
            name: "Vendas".into(),
            wait_limit_s: 60,
            waiting_max: Some(20),
            music_prompt: Some(id("music")),
            announcements: vec![Announcement { prompt: id("music"), after_s: 5, every_s: Some(30) }],
            say_position: true,
            unanswered_prompt: None,
            calendar: Some(id("hours")),
            ring_s: 20,
            wrap_up_s: 30,
            rules: Default::default(),
            calls: Default::default(),
            recording_notice: None,
            survey: None,
            caller_number: None,
            disabled: false,
            created_ms: 1,
            updated_ms: 1,
        };
        services::insert(store.pool(), &sales).await.unwrap();
        assert_eq!(services::by_id(store.pool(), &a, &sales.id).await.unwrap(), Some(sales.clone()));
        assert!(matches!(
            calendars::delete(store.pool(), &a, &calendar.id).await,
            Err(Error::Reference)
        ));

        let stolen = Service { id: id("x"), company: b.clone(), ..sales.clone() };
        assert!(matches!(services::insert(store.pool(), &stolen).await, Err(Error::Reference)));
        let twin = Service { id: id("y"), ..sales.clone() };
        assert!(matches!(services::insert(store.pool(), &twin).await, Err(Error::Taken)));

        sales.calendar = None;
        sales.music_prompt = None;
        sales.waiting_max = None;
        (sales.ring_s, sales.wrap_up_s) = (15, 0);
        assert!(services::update(store.pool(), &sales).await.unwrap());
        assert_eq!(services::list(store.pool(), &a, &Page::first()).await.unwrap(), [sales.clone()]);
        assert_eq!(services::all(store.pool()).await.unwrap().len(), 1);
        assert!(calendars::delete(store.pool(), &a, &calendar.id).await.unwrap());
        assert!(services::delete(store.pool(), &a, &sales.id).await.unwrap());
    }
}

on_both! {
    async fn a_calendar_changes_only_in_its_company(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        let mut calendar = Calendar {
            id: id("hours"),
            company: a.clone(),
            name: "Comercial".into(),
            hours: json!({ "always": true }),
            created_ms: 1,
            updated_ms: 1,
        };
        calendars::insert(store.pool(), &calendar).await.unwrap();
        calendar.hours = json!({ "always": false });
        assert!(calendars::update(store.pool(), &calendar).await.unwrap());
        assert_eq!(calendars::by_id(store.pool(), &a, &calendar.id).await.unwrap(), Some(calendar.clone()));
        assert_eq!(calendars::list(store.pool(), &a, &Page::first()).await.unwrap().len(), 1);
        assert_eq!(calendars::all(store.pool()).await.unwrap().len(), 1);
        calendar.company = b;
        assert!(!calendars::update(store.pool(), &calendar).await.unwrap());
    }
}

on_both! {
    async fn trunk_number_and_device_come_back_as_they_were_written(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        user(store, Some(&a), "ana").await;
        flows::insert(store.pool(), &flow(&a, "menu")).await.unwrap();
        let mut trunk = Trunk {
            id: id("t"),
            company: a.clone(),
            name: "Operadora".into(),
            settings: json!({ "addresses": ["192.0.2.0/24"] }),
            secrets: Some(vec![0, 1, 0xff]),
            disabled: false,
            created_ms: 1,
            updated_ms: 1,
        };
        trunks::insert(store.pool(), &trunk).await.unwrap();
        assert_eq!(trunks::by_id(store.pool(), &a, &trunk.id).await.unwrap(), Some(trunk.clone()));
        trunk.secrets = None;
        assert!(trunks::update(store.pool(), &trunk).await.unwrap());
        assert_eq!(trunks::list(store.pool(), &a, &Page::first()).await.unwrap(), [trunk.clone()]);
        assert_eq!(trunks::all(store.pool()).await.unwrap().len(), 1);

        let mut number = Number {
            id: id("n"),
            company: a.clone(),
            number: "+551140004000".into(),
            name: "Principal".into(),
            trunk: Some(id("t")),
            flow: Some(id("menu")),
            priority: 0,
            disabled: false,
            created_ms: 1,
            updated_ms: 1,
        };
        numbers::insert(store.pool(), &number).await.unwrap();
        let twin = Number { id: id("n2"), ..number.clone() };
        assert!(matches!(numbers::insert(store.pool(), &twin).await, Err(Error::Taken)));
        let stolen = Number { id: id("n3"), company: b.clone(), ..number.clone() };
        assert!(matches!(numbers::insert(store.pool(), &stolen).await, Err(Error::Reference)));
        let menu: FlowId = id("menu");
        assert!(matches!(flows::delete(store.pool(), &a, &menu).await, Err(Error::Reference)));
        assert!(matches!(trunks::delete(store.pool(), &a, &trunk.id).await, Err(Error::Reference)));
        number.trunk = None;
        assert!(numbers::update(store.pool(), &number).await.unwrap());
        assert_eq!(numbers::by_id(store.pool(), &a, &number.id).await.unwrap(), Some(number.clone()));
        assert_eq!(numbers::list(store.pool(), &b, &Page::first()).await.unwrap(), []);
        assert_eq!(numbers::all(store.pool()).await.unwrap(), [number.clone()]);
        assert!(numbers::delete(store.pool(), &a, &number.id).await.unwrap());
        assert!(trunks::delete(store.pool(), &a, &trunk.id).await.unwrap());

        let mut device = Device {
            id: id("d"),
            company: a.clone(),
            username: "ana.1".into(),
            display_name: "Ana".into(),
            extension: Some("201".into()),
            number: Some("+5511900000000".into()),
            user: Some(id("ana")),
            secrets: vec![7; 64],
            browser: false,
            disabled: false,
            created_ms: 1,
            updated_ms: 1,
        };
        devices::insert(store.pool(), &device).await.unwrap();
        let twin = Device { id: id("d2"), company: b.clone(), user: None, ..device.clone() };
        assert!(matches!(devices::insert(store.pool(), &twin).await, Err(Error::Taken)));
        let stolen = Device { username: "b.1".into(), user: Some(id("ana")), ..twin.clone() };
        assert!(matches!(devices::insert(store.pool(), &stolen).await, Err(Error::Reference)));
        device.extension = None;
        device.user = None;
        assert!(devices::update(store.pool(), &device).await.unwrap());
        assert_eq!(devices::by_id(store.pool(), &a, &device.id).await.unwrap(), Some(device.clone()));
        assert_eq!(devices::list(store.pool(), &a, &Page::first()).await.unwrap().len(), 1);
        assert_eq!(devices::all(store.pool()).await.unwrap().len(), 1);
        assert!(devices::delete(store.pool(), &a, &device.id).await.unwrap());
    }
}

async fn publish(store: &Store, company: &CompanyId, flow: &FlowId, seen: u32) -> Option<u32> {
    let mut db = store.begin().await.unwrap();
    let version = flows::publish(&mut db, company, flow, seen, None, 50)
        .await
        .unwrap();
    db.commit().await.unwrap();
    version
}

on_both! {
    async fn a_flow_is_published_as_it_was_seen_and_rolled_back(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        let menu: FlowId = id("menu");
        flows::insert(store.pool(), &flow(&a, "menu")).await.unwrap();
        assert!(flows::all_published(store.pool()).await.unwrap().is_empty());
        assert_eq!(publish(store, &a, &menu, 1).await, Some(1));

        let second = json!({ "start": "closed" });
        let save = |seen| flows::save_draft(store.pool(), &a, &menu, seen, "Menu", &second, 9);
        assert_eq!(save(1).await.unwrap(), Some(2));
        assert_eq!(save(1).await.unwrap(), None, "the other author had seen revision 1");
        assert_eq!(publish(store, &a, &menu, 1).await, None, "revision 1 was validated, 2 is there");
        assert_eq!(publish(store, &b, &menu, 2).await, None);
        assert_eq!(publish(store, &a, &menu, 2).await, Some(2));

        let followed = flows::all_published(store.pool()).await.unwrap();
        assert_eq!((followed[0].version, &followed[0].definition), (2, &second));
        assert!(flows::roll_back(store.pool(), &a, &menu, 1, 60).await.unwrap());
        assert!(!flows::roll_back(store.pool(), &a, &menu, 7, 60).await.unwrap());
        assert!(!flows::roll_back(store.pool(), &b, &menu, 1, 60).await.unwrap());
        let followed = flows::all_published(store.pool()).await.unwrap();
        assert_eq!((followed[0].version, &followed[0].definition), (1, &json!({ "start": "welcome" })));

        let found = flows::by_id(store.pool(), &a, &menu).await.unwrap().unwrap();
        assert_eq!((found.published, found.last_version, found.draft_revision), (Some(1), 2, 2));
        let versions = flows::versions(store.pool(), &a, &menu, 10).await.unwrap();
        assert_eq!(versions.iter().map(|v| v.version).collect::<Vec<_>>(), [2, 1]);
        assert!(flows::version(store.pool(), &a, &menu, 2).await.unwrap().is_some());
        assert!(flows::version(store.pool(), &b, &menu, 2).await.unwrap().is_none());
        assert_eq!(flows::list(store.pool(), &a, &Page::first()).await.unwrap().len(), 1);
        assert!(flows::delete(store.pool(), &a, &menu).await.unwrap());
    }
}

on_both! {
    async fn two_who_publish_at_once_get_two_versions(store: &Store) {
        let a = company(store, "a").await;
        let menu: FlowId = id("menu");
        flows::insert(store.pool(), &flow(&a, "menu")).await.unwrap();
        let (one, two) = tokio::join!(publish(store, &a, &menu, 1), publish(store, &a, &menu, 1));
        let mut versions = [one, two];
        versions.sort();
        assert_eq!(versions, [Some(1), Some(2)]);
    }
}

on_both! {
    async fn pages_go_through_a_list_without_gap_or_repeat(store: &Store) {
        let a = company(store, "a").await;
        for n in 10..35 {
            prompts::insert(store.pool(), &prompt(&a, &format!("p{n}"))).await.unwrap();
        }
        let mut seen = vec![];
        let mut page = Page::<PromptId> { after: None, limit: 10 };
        loop {
            let part = prompts::list(store.pool(), &a, &page).await.unwrap();
            let Some(last) = part.last() else { break };
            page.after = Some(last.id.clone());
            seen.extend(part.into_iter().map(|prompt| prompt.name));
        }
        assert_eq!(seen, (10..35).map(|n| format!("p{n}")).collect::<Vec<_>>());
    }
}
