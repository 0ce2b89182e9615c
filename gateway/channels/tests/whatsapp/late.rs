//! Webhooks that come again, come late, or name a customer in another way than before.

use std::collections::BTreeMap;

use channels::event::{Event, EventKind};
use channels::peer::{IdentityKind, PeerId};
use channels::whatsapp::window::{Facts, OPEN_MS, opens};
use desk::identity::Identity;

use crate::fixtures::{Fixture, all};
use crate::{PROVIDERS, connector};

const DAY_MS: i64 = 24 * 3_600_000;

fn of(provider: &str) -> Vec<Fixture> {
    let own = all().into_iter();
    own.filter(|fixture| fixture.provider == provider).collect()
}

fn events(fixture: &Fixture) -> Vec<Event> {
    let read = connector(fixture.provider).read(&fixture.webhook());
    read.expect("events")
}

#[test]
fn what_any_provider_tells_again_is_known_by_its_keys() {
    for provider in PROVIDERS {
        // All webhooks of a provider, each told three times, in a database's unique index.
        let mut kept = BTreeMap::new();
        for fixture in of(provider) {
            for again in 0..3 {
                for event in events(&fixture) {
                    let is_new = kept
                        .insert((fixture.folder.clone(), event.key), ())
                        .is_none();
                    assert_eq!(is_new, again == 0, "{}", fixture.folder.display());
                }
            }
        }
        assert!(kept.len() > 5, "{provider}: {}", kept.len());
    }
}

#[test]
fn what_any_provider_tells_a_week_late_opens_no_window() {
    for provider in PROVIDERS {
        let (mut opening, mut timed) = (0, 0);
        for event in of(provider).iter().flat_map(events) {
            if !opens(&event.kind) {
                continue;
            }
            opening += 1;
            let sent_ms = event.at_ms.unwrap_or(1_795_430_000_000);
            let now_ms = sent_ms + 7 * DAY_MS;
            let mut facts = Facts::default();
            facts.saw(&event.kind, event.at_ms, now_ms);
            let open_ms = facts.left(now_ms).open_ms;
            // Who tells no time is believed to be in time: nobody else knows.
            let expected = if event.at_ms.is_some() { 0 } else { OPEN_MS };
            assert_eq!(open_ms, expected, "{provider} {}", event.key);
            timed += i32::from(event.at_ms.is_some());
            let mut in_time = Facts::default();
            in_time.saw(&event.kind, event.at_ms, sent_ms);
            assert_eq!(in_time.left(sent_ms).open_ms, OPEN_MS, "{provider}");
        }
        assert!(opening > 2, "{provider}");
        assert_eq!(timed > 0, provider != "twilio", "{provider}");
    }
}

#[test]
fn a_time_that_is_none_is_left_out_by_every_provider() {
    let earliest = 946_684_800_000;
    for event in PROVIDERS
        .iter()
        .flat_map(|provider| of(provider))
        .flat_map(|one| events(&one))
    {
        let is_right = event
            .at_ms
            .is_none_or(|at_ms| (earliest..4_102_444_800_000).contains(&at_ms));
        assert!(is_right, "{} {:?}", event.key, event.at_ms);
    }
}

/// By what a customer is looked up: the two spellings of a Brazilian mobile are one.
fn lookups(ids: &[PeerId]) -> Vec<String> {
    let numbers = ids.iter().filter(|id| id.kind == IdentityKind::WaId);
    let identity = |id: &PeerId| Identity::wa_id(&id.value).expect("an id of WhatsApp");
    numbers.map(|id| identity(id).lookup().to_owned()).collect()
}

#[test]
fn a_customer_is_the_same_with_and_without_the_ninth_digit_whoever_writes() {
    let expected = vec!["+5511987654321".to_owned()];
    let (mut short, mut echoes) = (0, 0);
    for event in PROVIDERS
        .iter()
        .flat_map(|provider| of(provider))
        .flat_map(|one| events(&one))
    {
        let is_echo = matches!(event.kind, EventKind::Echo(_));
        let ids = if let EventKind::Message(message) = event.kind {
            message.from.ids
        } else if let EventKind::Echo(echo) = event.kind {
            echo.to.ids
        } else {
            continue;
        };
        let is_short = |id: &PeerId| id.value == "551187654321";
        if ids.iter().any(is_short) {
            short += 1;
            echoes += i32::from(is_echo);
            assert_eq!(lookups(&ids), expected, "{}", event.key);
            // What the channel wrote is kept, for it is what the channel takes.
            let kept = Identity::wa_id("551187654321").expect("an id");
            assert_eq!(kept.external_id(), "551187654321");
        }
        if ids.iter().any(|id| id.value == "5511987654321") {
            assert_eq!(lookups(&ids), expected, "{}", event.key);
        }
    }
    assert_eq!((short, echoes), (4, 1));
}
