//! Companies, users, sessions, API keys, audit, settings.

use desk::id::{ApiKeyId, AuditId, CompanyId, SessionId};
use serde_json::json;
use store::api_keys::ApiKey;
use store::sessions::Session;
use store::users::Role;
use store::{
    Error, Page, Store, api_keys, audit, companies, sessions, settings, sqlite_url, users,
};

use crate::databases::{Sqlite, on_both};
use crate::fixtures::{a_user, company, id, user};

on_both! {
    async fn a_company_comes_back_as_it_was_written(store: &Store) {
        assert!(companies::none_exists(store.pool()).await.unwrap());
        let a = company(store, "a").await;
        company(store, "b").await;
        assert!(!companies::none_exists(store.pool()).await.unwrap());

        let mut found = companies::by_id(store.pool(), &a).await.unwrap().unwrap();
        assert_eq!(found.settings, json!({ "greeting": "Olá" }));
        found.name = "Padaria".into();
        found.disabled = true;
        assert!(companies::update(store.pool(), &found).await.unwrap());
        assert_eq!(companies::by_id(store.pool(), &a).await.unwrap(), Some(found));

        let page = Page { after: Some(a), limit: 10 };
        let rest = companies::list(store.pool(), &page).await.unwrap();
        assert_eq!(rest.len(), 1);
        assert_eq!(companies::list(store.pool(), &Page::<CompanyId>::first()).await.unwrap().len(), 2);
    }
}

on_both! {
    async fn a_transaction_that_is_dropped_never_was(store: &Store) {
        let a = company(store, "a").await;
        let mut db = store.begin().await.unwrap();
        users::insert(&mut *db, &a_user(Some(&a), "u")).await.unwrap();
        drop(db);
        assert_eq!(users::by_email(store.pool(), "u@example.com").await.unwrap(), None);
        let mut db = store.begin().await.unwrap();
        users::insert(&mut *db, &a_user(Some(&a), "u")).await.unwrap();
        db.commit().await.unwrap();
        assert!(users::by_email(store.pool(), "u@example.com").await.unwrap().is_some());
    }
}

on_both! {
    async fn a_user_is_found_by_address_in_any_case_and_only_in_its_company(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        let ana = user(store, Some(&a), "ana").await;
        let root = user(store, None, "root").await;

        let found = users::by_email(store.pool(), "ANA@example.com").await.unwrap().unwrap();
        assert_eq!(found, a_user(Some(&a), "ana"));
        assert!(users::by_id(store.pool(), Some(&b), &ana).await.unwrap().is_none());
        assert!(users::by_id(store.pool(), None, &ana).await.unwrap().is_none());
        assert!(users::by_id(store.pool(), None, &root).await.unwrap().is_some());
        assert_eq!(users::list(store.pool(), Some(&a), &Page::first()).await.unwrap().len(), 1);
        assert_eq!(users::list(store.pool(), None, &Page::first()).await.unwrap().len(), 1);

        let mut twin = a_user(Some(&b), "twin");
        twin.email = "Ana@Example.com".into();
        assert!(matches!(users::insert(store.pool(), &twin).await, Err(Error::Taken)));
        twin.company = Some(id("nobody"));
        twin.email = "twin@example.com".into();
        assert!(matches!(users::insert(store.pool(), &twin).await, Err(Error::Reference)));

        let mut changed = a_user(Some(&a), "ana");
        changed.role = Role::Supervisor;
        changed.name = "Ana Maria".into();
        assert!(users::update(store.pool(), &changed).await.unwrap());
        users::logged_in(store.pool(), &ana, 99).await.unwrap();
        changed.last_login_ms = Some(99);
        assert_eq!(users::by_id(store.pool(), Some(&a), &ana).await.unwrap(), Some(changed));
        assert!(!users::delete(store.pool(), Some(&b), &ana).await.unwrap());
        assert!(users::delete(store.pool(), Some(&a), &ana).await.unwrap());
    }
}

on_both! {
    async fn a_rehash_cannot_bring_an_old_password_back(store: &Store) {
        let a = company(store, "a").await;
        let ana = user(store, Some(&a), "ana").await;
        assert!(users::set_password(store.pool(), &ana, "$argon2id$new").await.unwrap());
        assert!(!users::rehash_password(store.pool(), &ana, "$argon2id$old", "$strong").await.unwrap());
        assert!(users::rehash_password(store.pool(), &ana, "$argon2id$new", "$strong").await.unwrap());
        let found = users::by_email(store.pool(), "ana@example.com").await.unwrap().unwrap();
        assert_eq!(found.password.as_deref(), Some("$strong"));
    }
}

fn session(name: &str, user: &str, expires_ms: i64) -> Session {
    Session {
        id: id(name),
        user: id(user),
        token_hash: format!("hash of {name}"),
        csrf: "csrf".into(),
        created_ms: 1,
        last_seen_ms: 1,
        expires_ms,
        remote: "192.0.2.1".into(),
        user_agent: "Browser".into(),
    }
}

on_both! {
    async fn a_session_opens_until_it_ends_or_its_user_is_disabled(store: &Store) {
        let a = company(store, "a").await;
        let ana = user(store, Some(&a), "ana").await;
        for name in ["s1", "s2", "s3"] {
            sessions::insert(store.pool(), &session(name, "ana", 100)).await.unwrap();
        }
        let by = |token: &'static str, now_ms| sessions::by_token(store.pool(), token, now_ms);
        let (found, owner) = by("hash of s1", 99).await.unwrap().unwrap();
        assert_eq!((found, owner.id.clone()), (session("s1", "ana", 100), ana.clone()));
        assert_eq!(owner.created_ms, 1);
        assert!(by("hash of s1", 100).await.unwrap().is_none());
        assert!(by("unknown", 1).await.unwrap().is_none());

        let first: SessionId = id("s1");
        sessions::seen(store.pool(), &first, 90, 200).await.unwrap();
        assert_eq!(by("hash of s1", 150).await.unwrap().unwrap().0.last_seen_ms, 90);
        assert_eq!(sessions::of_user(store.pool(), &ana, 150).await.unwrap().len(), 1);
        assert_eq!(sessions::sweep(store.pool(), 100).await.unwrap(), 2);

        sessions::insert(store.pool(), &session("s4", "ana", 300)).await.unwrap();
        assert_eq!(sessions::end_others(store.pool(), &ana, Some(&first)).await.unwrap(), 1);
        assert!(sessions::end(store.pool(), &ana, &first).await.unwrap());
        assert!(by("hash of s1", 1).await.unwrap().is_none());

        sessions::insert(store.pool(), &session("s5", "ana", 300)).await.unwrap();
        let mut out = a_user(Some(&a), "ana");
        out.disabled = true;
        users::update(store.pool(), &out).await.unwrap();
        assert!(by("hash of s5", 1).await.unwrap().is_none());
        assert_eq!(sessions::end_others(store.pool(), &ana, None).await.unwrap(), 1);
    }
}

on_both! {
    async fn an_api_key_opens_until_it_is_over_or_revoked(store: &Store) {
        let (a, b) = (company(store, "a").await, company(store, "b").await);
        let ana = user(store, Some(&a), "ana").await;
        let key = ApiKey {
            id: id("k"),
            company: Some(a.clone()),
            name: "CRM".into(),
            prefix: "rk_1234".into(),
            hash: "00ff".into(),
            scopes: vec!["records:read".into()],
            created_by: Some(ana),
            created_ms: 1,
            expires_ms: Some(100),
            channel: None,
            last_used_ms: None,
            revoked_ms: None,
        };
        api_keys::insert(store.pool(), &key).await.unwrap();
        let twin = ApiKey { id: id("k2"), ..key.clone() };
        assert!(matches!(api_keys::insert(store.pool(), &twin).await, Err(Error::Taken)));

        let by = |now_ms| api_keys::by_prefix(store.pool(), "rk_1234", now_ms);
        assert_eq!(by(99).await.unwrap(), Some(key.clone()));
        assert_eq!(by(100).await.unwrap(), None);
        api_keys::used(store.pool(), &key.id, 50).await.unwrap();
        assert_eq!(by(60).await.unwrap().unwrap().last_used_ms, Some(50));

        assert!(!api_keys::revoke(store.pool(), Some(&b), &key.id, 70).await.unwrap());
        assert!(api_keys::revoke(store.pool(), Some(&a), &key.id, 70).await.unwrap());
        assert!(!api_keys::revoke(store.pool(), Some(&a), &key.id, 80).await.unwrap());
        assert_eq!(by(60).await.unwrap(), None);
        let listed = api_keys::list(store.pool(), Some(&a), &Page::first()).await.unwrap();
        assert_eq!(listed[0].revoked_ms, Some(70));
        let other = api_keys::list(store.pool(), Some(&b), &Page::<ApiKeyId>::first()).await.unwrap();
        assert!(other.is_empty());
    }
}

on_both! {
    async fn the_audit_log_is_read_from_the_newest_line_back(store: &Store) {
        let a = company(store, "a").await;
        for n in 1..=3 {
            let line = audit::Line {
                id: id(&format!("l{n}")),
                company: Some(a.clone()),
                user: Some(id("ana")),
                api_key: None,
                at_ms: n,
                action: "trunk.update".into(),
                target: "t1".into(),
                detail: json!({ "n": n }),
                remote: "192.0.2.1".into(),
            };
            audit::append(store.pool(), &line).await.unwrap();
        }
        let newest = audit::list(store.pool(), Some(&a), None, 2).await.unwrap();
        assert_eq!(newest.iter().map(|line| line.at_ms).collect::<Vec<_>>(), [3, 2]);
        let before: AuditId = newest[1].id.clone();
        let older = audit::list(store.pool(), Some(&a), Some(&before), 2).await.unwrap();
        assert_eq!(older.iter().map(|line| line.at_ms).collect::<Vec<_>>(), [1]);
        assert!(audit::list(store.pool(), None, None, 9).await.unwrap().is_empty());
    }
}

on_both! {
    async fn of_two_first_settings_one_is_kept(store: &Store) {
        let kept = |value| settings::put_first(store.pool(), "realm", value, 1);
        let (one, two) = (json!("one"), json!("two"));
        assert_eq!(kept(&one).await.unwrap(), one);
        assert_eq!(kept(&two).await.unwrap(), one);
        settings::put(store.pool(), "realm", &two, 2).await.unwrap();
        assert_eq!(settings::by_name(store.pool(), "realm").await.unwrap(), Some(two));
        assert_eq!(settings::by_name(store.pool(), "none").await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_sqlite_file_may_have_any_path_and_is_opened_again_as_it_was() {
    let database = Sqlite::new();
    let folder = database.folder().join("a b%20?x=1#ção");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("ramal.db");
    for opened_before in [false, true] {
        let store = Store::open(&sqlite_url(&path)).await.unwrap();
        assert!(path.exists());
        assert_eq!(
            companies::none_exists(store.pool()).await.unwrap(),
            !opened_before
        );
        if !opened_before {
            company(&store, "a").await;
        }
        store.close().await;
    }
}
