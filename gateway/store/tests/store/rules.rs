//! What desks go by: pauses, skills, common rules, and what agents may do with work.

use desk::id::{SkillId, UserId};
use desk::rules::{Rules, Transfers};
use store::pauses::Pause;
use store::skills::{Level, Skill};
use store::{Error, Page, desk_settings, pauses, skills, users};

use crate::databases::on_both;
use crate::fixtures::{company, id, user};

on_both! {
    async fn reasons_for_pauses_belong_to_a_company_each_with_its_own_ids(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        let lunch = Pause {
            id: id("almoco"),
            company: a.clone(),
            name: "Almoço".into(),
            limit_s: Some(3_600),
            paid: false,
            disabled: false,
            created_ms: 1,
            updated_ms: 1,
        };
        pauses::insert(store.pool(), &lunch).await.unwrap();
        let of_b = Pause { company: b.clone(), limit_s: None, paid: true, ..lunch.clone() };
        pauses::insert(store.pool(), &of_b).await.unwrap();
        let twin = Pause { id: id("outro"), ..lunch.clone() };
        assert!(matches!(pauses::insert(store.pool(), &twin).await, Err(Error::Taken)));

        let longer = Pause { limit_s: Some(5_400), updated_ms: 2, ..lunch };
        assert!(pauses::update(store.pool(), &longer).await.unwrap());
        let listed = pauses::list(store.pool(), &a, &Page::first()).await.unwrap();
        assert_eq!(listed, std::slice::from_ref(&longer));
        assert_eq!(pauses::by_id(store.pool(), &b, &of_b.id).await.unwrap(), Some(of_b.clone()));
        assert_eq!(pauses::all(store.pool()).await.unwrap(), [longer, of_b.clone()]);
        assert!(pauses::delete(store.pool(), &a, &of_b.id).await.unwrap());
        assert!(!pauses::delete(store.pool(), &a, &of_b.id).await.unwrap());
        assert_eq!(pauses::all(store.pool()).await.unwrap(), [of_b]);
    }
}

on_both! {
    async fn what_people_can_do_stays_in_their_company_and_a_skill_in_use_stays(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        let (ana, stranger) = (user(store, Some(&a), "ana").await, user(store, Some(&b), "stranger").await);
        let english = Skill {
            id: id("english"),
            company: a.clone(),
            name: "Inglês".into(),
            created_ms: 1,
            updated_ms: 1,
        };
        skills::insert(store.pool(), &english).await.unwrap();
        let give = async |user: &UserId, skill: &SkillId, level| {
            let level = Level { company: a.clone(), user: user.clone(), skill: skill.clone(), level };
            skills::give(store.pool(), &level).await
        };
        give(&ana, &english.id, 1).await.unwrap();
        give(&ana, &english.id, 3).await.unwrap();
        for (user, skill) in [(&stranger, &english.id), (&ana, &id("none"))] {
            assert!(matches!(give(user, skill, 1).await, Err(Error::Reference)));
        }
        let of_ana = skills::of_user(store.pool(), &a, &ana).await.unwrap();
        assert_eq!(of_ana.iter().map(|one| one.level).collect::<Vec<_>>(), [3]);
        assert_eq!(skills::levels(store.pool()).await.unwrap(), of_ana);
        let gone = skills::delete(store.pool(), &a, &english.id).await;
        assert!(matches!(gone, Err(Error::Reference)));

        let renamed = Skill { name: "Inglês falado".into(), updated_ms: 2, ..english };
        assert!(skills::update(store.pool(), &renamed).await.unwrap());
        assert_eq!(skills::list(store.pool(), &a, &Page::first()).await.unwrap(), std::slice::from_ref(&renamed));
        assert_eq!(skills::by_id(store.pool(), &b, &renamed.id).await.unwrap(), None);
        assert_eq!(skills::all(store.pool()).await.unwrap(), std::slice::from_ref(&renamed));
        skills::clear(store.pool(), &b, &ana).await.unwrap();
        assert_eq!(skills::of_user(store.pool(), &a, &ana).await.unwrap().len(), 1);
        assert!(users::delete(store.pool(), Some(&a), &ana).await.unwrap());
        assert!(skills::delete(store.pool(), &a, &renamed.id).await.unwrap());
    }
}

on_both! {
    async fn a_desk_goes_by_the_last_that_was_set(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        let ana = user(store, Some(&a), "ana").await;
        let mut rules = Rules { grace_ms: 5_000, ..Rules::default() };
        desk_settings::put(store.pool(), &a, &rules, 1).await.unwrap();
        rules.costs.chat = 25;
        desk_settings::put(store.pool(), &a, &rules, 2).await.unwrap();
        assert_eq!(desk_settings::of_company(store.pool(), &a).await.unwrap(), Some(rules.clone()));
        assert_eq!(desk_settings::of_company(store.pool(), &b).await.unwrap(), None);
        assert_eq!(desk_settings::all(store.pool()).await.unwrap(), [(a.clone(), rules)]);

        let transfers = Transfers { agents: false, services: Some([id("sales")].into()) };
        desk_settings::put_transfers(store.pool(), &a, &ana, &Transfers::default()).await.unwrap();
        desk_settings::put_transfers(store.pool(), &a, &ana, &transfers).await.unwrap();
        let foreign = desk_settings::put_transfers(store.pool(), &b, &id("nobody"), &transfers).await;
        assert!(matches!(foreign, Err(Error::Reference)));
        let of_ana = desk_settings::transfers_of(store.pool(), &a, &ana).await.unwrap();
        assert_eq!(of_ana, Some(transfers.clone()));
        assert_eq!(desk_settings::transfers_of(store.pool(), &b, &ana).await.unwrap(), None);
        let all = desk_settings::transfers(store.pool()).await.unwrap();
        assert_eq!(all, [(ana, transfers)]);
    }
}
