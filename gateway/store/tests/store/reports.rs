//! What reports count.

use std::collections::BTreeMap;

use desk::fact::{Attendance, Fact, Handled, HandledResult, Present, WaitResult, Waited};
use desk::id::CompanyId;
use desk::kept::Kept;
use desk::record::{Medium, SurveyAnswer};
use store::reports::{self, By, Figures, Filter, Placed, Spent, Stretch};
use store::{Store, changes, desks};

use crate::databases::on_both;
use crate::fixtures::{company, id, opened, user};

const HOUR: i64 = 3_600_000;

/// 2026-11-23, 00:00 in São Paulo, which is three hours behind.
const MIDNIGHT: i64 = 1_795_402_800_000;

fn at(hours: i64, minutes: i64) -> i64 {
    MIDNIGHT + hours * HOUR + minutes * 60_000
}

fn day() -> [Stretch; 1] {
    [Stretch {
        from_ms: MIDNIGHT,
        until_ms: at(24, 0),
        offset_ms: -3 * HOUR,
    }]
}

fn waited(
    company: &CompanyId,
    work: &str,
    service: &str,
    (entered_ms, seconds): (i64, i64),
    result: WaitResult,
) -> Waited {
    let is_answered = result == WaitResult::Answered;
    Waited {
        company: company.clone(),
        work: id(work),
        interaction: id(work),
        service: id(service),
        medium: Medium::Phone,
        entered_ms,
        ended_ms: entered_ms + seconds * 1000,
        result,
        agent: is_answered.then(|| id("ana")),
        in_target: match result {
            WaitResult::Answered => Some(seconds <= 20),
            WaitResult::Abandoned => Some(false),
            WaitResult::LeftSoon | WaitResult::Closed | WaitResult::Moved => None,
        },
    }
}

/// From the talk's beginning: seconds of talk, of hold, of wrap-up.
fn handled(
    company: &CompanyId,
    (work, agent): (&str, &str),
    began_ms: i64,
    [talk, hold, wrap]: [i64; 3],
) -> Handled {
    Handled {
        company: company.clone(),
        work: id(work),
        interaction: id(work),
        service: id("sales"),
        medium: Medium::Phone,
        agent: id(agent),
        began_ms,
        talked_until_ms: began_ms + talk * 1000,
        ended_ms: began_ms + (talk + wrap) * 1000,
        held_ms: hold * 1000,
        result: HandledResult::Finished,
        disposition: Some(id("sold")),
    }
}

async fn keep(store: &Store, facts: Vec<Fact>) {
    let kept: Vec<Kept> = facts
        .into_iter()
        .map(|fact| Kept::Fact(Box::new(fact)))
        .collect();
    let mut db = store.begin().await.unwrap();
    desks::apply(&mut db, &kept).await.unwrap();
    db.commit().await.unwrap();
}

async fn counted(
    store: &Store,
    company: &CompanyId,
    by: By,
    filter: &Filter,
) -> BTreeMap<String, Figures> {
    reports::count(store.pool(), company, by, &day(), filter)
        .await
        .unwrap()
}

on_both! {
    async fn waits_and_works_are_counted_by_whatever_is_asked(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        let mut number = match opened(&a, "w1", 1) {
            desk::record::Change::InteractionOpened(opened) => opened,
            desk::record::Change::InteractionUpdated { .. }
            | desk::record::Change::InteractionEnded { .. }
            | desk::record::Change::VoiceMessageLeft(_)
            | desk::record::Change::SurveyAnswered(_)
            | desk::record::Change::Outbound(_)
            | desk::record::Change::SipLadder(_) => unreachable!("an opening"),
        };
        number.number = Some(id("n1"));
        let mut db = store.begin().await.unwrap();
        changes::apply(&mut db, &[desk::record::Change::InteractionOpened(number)]).await.unwrap();
        db.commit().await.unwrap();
        let mut late = waited(&a, "w2", "sales", (at(9, 59), 90), WaitResult::Answered);
        late.agent = Some(id("bruno"));
        let facts = vec![
            Fact::Waited(waited(&a, "w1", "sales", (at(9, 10), 10), WaitResult::Answered)),
            Fact::Waited(late),
            Fact::Waited(waited(&a, "w3", "sales", (at(10, 0), 40), WaitResult::Abandoned)),
            Fact::Waited(waited(&a, "w4", "sales", (at(10, 1), 2), WaitResult::LeftSoon)),
            Fact::Waited(waited(&a, "w5", "support", (at(10, 2), 300), WaitResult::Moved)),
            Fact::Waited(waited(&a, "w6", "support", (at(23, 59), 300), WaitResult::Closed)),
            Fact::Waited(waited(&a, "w7", "sales", (at(24, 0), 1), WaitResult::Answered)),
            Fact::Waited(waited(&b, "w8", "sales", (at(9, 0), 1), WaitResult::Answered)),
            Fact::Handled(handled(&a, ("w1", "ana"), at(9, 11), [100, 30, 20])),
            Fact::Handled(Handled { result: HandledResult::Transferred, ..handled(&a, ("w2", "bruno"), at(10, 1), [60, 0, 0]) }),
            Fact::Handled(Handled { result: HandledResult::Consulted, ..handled(&a, ("c1", "ana"), at(10, 1), [30, 0, 0]) }),
        ];
        keep(store, facts.clone()).await;
        // Told twice it counts once.
        keep(store, facts).await;

        let sales = Figures {
            offered: 4, answered: 2, abandoned: 1, left_soon: 1, targeted: 3, in_target: 1,
            waited_ms: 100_000, waited_max_ms: 90_000, abandoned_ms: 40_000,
            handled: 2, transferred: 1, talked_ms: 160_000, held_ms: 30_000, wrapped_ms: 20_000,
            ..Figures::default()
        };
        let support = Figures { offered: 2, moved: 1, closed: 1, ..Figures::default() };
        let services = counted(store, &a, By::Service, &Filter::default()).await;
        assert_eq!(services, [("sales".to_owned(), sales), ("support".to_owned(), support)].into());

        let hours = counted(store, &a, By::Hour, &Filter::default()).await;
        let offered: Vec<_> = hours.iter().map(|(hour, figures)| (hour.as_str(), figures.offered, figures.handled)).collect();
        assert_eq!(offered, [("10", 3, 1), ("23", 1, 0), ("9", 2, 1)]);

        let days = counted(store, &a, By::Day, &Filter::default()).await;
        assert_eq!(days.keys().collect::<Vec<_>>(), ["20780"]);
        let quarters = counted(store, &a, By::Quarter, &Filter { service: Some(id("sales")), ..Filter::default() }).await;
        let of_day: Vec<i64> = quarters.keys().map(|key| key.parse::<i64>().unwrap() - 20_780 * 96).collect();
        assert_eq!(of_day, [36, 39, 40]);

        let agents = counted(store, &a, By::Agent, &Filter::default()).await;
        let answered: Vec<_> = agents.iter().map(|(agent, figures)| (agent.as_str(), figures.answered, figures.handled)).collect();
        assert_eq!(answered, [("", 0, 0), ("ana", 1, 1), ("bruno", 1, 1)]);

        let channels = counted(store, &a, By::Channel, &Filter::default()).await;
        assert_eq!(channels.keys().collect::<Vec<_>>(), ["phone:", "phone:n1"]);
        assert_eq!(channels["phone:n1"].offered, 1);
        for filter in [
            Filter { channel: Some("n1".into()), ..Filter::default() },
            Filter { agent: Some(id("ana")), ..Filter::default() },
        ] {
            assert_eq!(counted(store, &a, By::Service, &filter).await["sales"].answered, 1);
        }
        let chats = Filter { medium: Some(Medium::Chat), ..Filter::default() };
        assert!(counted(store, &a, By::Service, &chats).await.is_empty());
    }
}

on_both! {
    async fn what_falls_on_both_sides_of_a_change_of_the_clock_is_added_up(store: &Store) {
        let a = company(store, "a").await;
        let facts = [at(9, 30), at(10, 30)].map(|entered| {
            Fact::Waited(waited(&a, &format!("w{entered}"), "sales", (entered, 5), WaitResult::Answered))
        });
        keep(store, facts.into()).await;
        // At ten the clock is put back by an hour.
        let stretches = [
            Stretch { from_ms: MIDNIGHT, until_ms: at(10, 0), offset_ms: -3 * HOUR },
            Stretch { from_ms: at(10, 0), until_ms: at(24, 0), offset_ms: -4 * HOUR },
        ];
        let hours = reports::count(store.pool(), &a, By::Hour, &stretches, &Filter::default()).await.unwrap();
        assert_eq!(hours.iter().map(|(hour, figures)| (hour.as_str(), figures.offered)).collect::<Vec<_>>(), [("9", 2)]);
        let services = reports::count(store.pool(), &a, By::Service, &stretches, &Filter::default()).await.unwrap();
        assert_eq!(services["sales"].offered, 2);
    }
}

on_both! {
    async fn the_time_of_agents_is_that_between_what_was_told_of_them(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        let (ana, bruno) = (user(store, Some(&a), "ana").await, user(store, Some(&a), "bruno").await);
        let other = user(store, Some(&b), "other").await;
        let present = |company: &CompanyId, agent: &desk::id::UserId, at_ms, state, reason: Option<&str>| {
            Fact::Present(Present { company: company.clone(), agent: agent.clone(), at_ms, state, reason: reason.map(str::to_owned) })
        };
        keep(store, vec![
            present(&a, &ana, at(-30, 0), Attendance::Offline, None),
            present(&a, &ana, at(-2, 0), Attendance::Available, None),
            present(&a, &ana, at(12, 0), Attendance::Lost, None),
            // Of two in one moment the last one stands.
            present(&a, &ana, at(12, 0), Attendance::Paused, Some("almoco")),
            present(&a, &ana, at(13, 0), Attendance::Available, None),
            present(&a, &ana, at(18, 0), Attendance::Offline, None),
            present(&a, &bruno, at(20, 0), Attendance::Available, None),
            present(&b, &other, at(1, 0), Attendance::Available, None),
        ]).await;
        let spent = |agent: &desk::id::UserId, state, reason: &str, hours: i64| Spent {
            agent: agent.clone(), state, reason: reason.into(), spent_ms: hours * HOUR,
        };
        let window = (MIDNIGHT, at(22, 0));
        let found = reports::attendance(store.pool(), &a, window, None).await.unwrap();
        assert_eq!(found, [
            spent(&ana, Attendance::Available, "", 17),
            spent(&ana, Attendance::Offline, "", 4),
            spent(&ana, Attendance::Paused, "almoco", 1),
            spent(&bruno, Attendance::Available, "", 2),
        ]);
        let found = reports::attendance(store.pool(), &a, window, Some(&bruno)).await.unwrap();
        assert_eq!(found.len(), 1);
    }
}

on_both! {
    async fn what_an_agent_has_in_hand_side_by_side_counts_once(store: &Store) {
        let a = company(store, "a").await;
        let spell = |work: &str, began_ms, seconds| Fact::Handled(handled(&a, (work, "ana"), began_ms, [seconds, 0, 0]));
        keep(store, vec![
            // Half of it is of the day before.
            spell("w0", at(0, -1), 120),
            spell("w1", at(9, 0), 600),
            spell("w2", at(9, 5), 600),
            spell("w3", at(9, 6), 60),
            spell("w4", at(9, 15), 60),
            spell("w5", at(23, 59), 3600),
        ]).await;
        let busy = reports::busy(store.pool(), &a, (MIDNIGHT, at(24, 0)), None).await.unwrap();
        assert_eq!(busy, [(id("ana"), (60 + 960 + 60) * 1000)].into());
        let nobody = reports::busy(store.pool(), &a, (MIDNIGHT, at(24, 0)), Some(&id("bruno"))).await.unwrap();
        assert!(nobody.is_empty());
    }
}

on_both! {
    async fn answers_are_counted_and_long_ones_are_all_alike(store: &Store) {
        let a = company(store, "a").await;
        let answer = |interaction: &str, question: &str, answer: &str, at_ms| {
            desk::record::Change::SurveyAnswered(Box::new(SurveyAnswer {
                company: a.clone(),
                interaction: id(interaction),
                service: id("sales"),
                agent: Some(id("ana")),
                flow: "s1".into(),
                question: question.into(),
                answer: answer.into(),
                at_ms,
            }))
        };
        let changes = [
            answer("i1", "csat", "5", at(9, 0)),
            answer("i2", "csat", "5", at(9, 0)),
            answer("i3", "csat", "1", at(9, 0)),
            answer("i1", "why", &"a".repeat(65), at(9, 0)),
            answer("i2", "why", &"b".repeat(65), at(9, 0)),
            answer("i4", "csat", "5", at(24, 0)),
        ];
        let mut db = store.begin().await.unwrap();
        changes::apply(&mut db, &changes).await.unwrap();
        db.commit().await.unwrap();
        let found = reports::answers(store.pool(), &a, (MIDNIGHT, at(24, 0)), &Filter::default()).await.unwrap();
        let found: Vec<_> = found.iter().map(|one| (one.question.as_str(), one.answer.as_str(), one.count)).collect();
        assert_eq!(found, [("csat", "5", 2), ("why", "", 2), ("csat", "1", 1)]);
        let of_bruno = Filter { agent: Some(id("bruno")), ..Filter::default() };
        assert!(reports::answers(store.pool(), &a, (MIDNIGHT, at(24, 0)), &of_bruno).await.unwrap().is_empty());
        let placed = reports::placed(store.pool(), &a, (MIDNIGHT, at(24, 0)), &Filter::default()).await.unwrap();
        assert_eq!(placed, BTreeMap::<desk::id::UserId, Placed>::new());
    }
}
