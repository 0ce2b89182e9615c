//! Who takes whose work.

use desk::id::{CompanyId, ServiceId, UserId};
use store::agents::Member;
use store::services::Service;
use store::{Error, agents, services, users};

use crate::databases::on_both;
use crate::fixtures::{company, id, user};

pub(crate) fn service(company: &CompanyId, name: &str) -> Service {
    Service {
        id: id(name),
        company: company.clone(),
        name: name.to_owned(),
        wait_limit_s: 60,
        waiting_max: None,
        music_prompt: None,
        announcements: vec![],
        say_position: false,
        unanswered_prompt: None,
        calendar: None,
        ring_s: 15,
        wrap_up_s: 0,
        rules: Default::default(),
        calls: Default::default(),
        recording_notice: None,
        survey: None,
        caller_number: None,
        disabled: false,
        created_ms: 1,
        updated_ms: 1,
    }
}

pub(crate) fn member(company: &CompanyId, service: &ServiceId, user: &UserId) -> Member {
    Member {
        company: company.clone(),
        service: service.clone(),
        user: user.clone(),
    }
}

on_both! {
    async fn a_service_is_taken_by_people_of_its_company_alone(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        let (ana, bruno) = (user(store, Some(&a), "ana").await, user(store, Some(&a), "bruno").await);
        let stranger = user(store, Some(&b), "stranger").await;
        let root = user(store, None, "root").await;
        let sales = service(&a, "sales");
        services::insert(store.pool(), &sales).await.unwrap();
        for person in [&bruno, &ana, &ana] {
            agents::add(store.pool(), &member(&a, &sales.id, person)).await.unwrap();
        }
        for (company, person) in [(&a, &stranger), (&b, &stranger), (&a, &root)] {
            let added = agents::add(store.pool(), &member(company, &sales.id, person)).await;
            assert!(matches!(added, Err(Error::Reference)), "{person} in {company}");
        }
        let of = async |company: &CompanyId| {
            agents::of_service(store.pool(), company, &sales.id).await.unwrap()
        };
        assert_eq!(of(&a).await, [ana.clone(), bruno.clone()]);
        assert_eq!(of(&b).await, []);
        assert_eq!(agents::all(store.pool()).await.unwrap().len(), 2);
        agents::clear(store.pool(), &b, &sales.id).await.unwrap();
        assert_eq!(of(&a).await.len(), 2);

        assert!(users::delete(store.pool(), Some(&a), &bruno).await.unwrap());
        assert_eq!(of(&a).await, [ana]);
        assert!(services::delete(store.pool(), &a, &sales.id).await.unwrap());
        assert_eq!(agents::all(store.pool()).await.unwrap(), []);
    }
}
