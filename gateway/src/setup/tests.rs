//! What is set up, and who reaches what of it.

use std::net::SocketAddr;

use media_engine::sip::trunk::Trunks;
use media_engine_net::clock;
use store::sqlite_url;

use super::*;

struct Scene {
    _folder: tempfile::TempDir,
    store: Store,
    secrets: Secrets,
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = sqlite_url(&folder.path().join("ramal.sqlite"));
        Self {
            store: Store::open(&url).await.expect("a store"),
            secrets: Secrets::open(folder.path()).expect("a key"),
            _folder: folder,
        }
    }

    /// A company that this computer calls, with one number.
    async fn company(&self, name: &str, network: &str, number: &str) {
        let id: CompanyId = name.parse().expect("an id");
        let company = store::companies::Company {
            id: id.clone(),
            name: name.to_owned(),
            language: "pt-BR".into(),
            time_zone: "America/Sao_Paulo".into(),
            settings: serde_json::Value::Null,
            disabled: false,
            created_ms: 1,
        };
        let trunk = store::trunks::Trunk {
            id: format!("{name}-trunk").parse().expect("an id"),
            company: id.clone(),
            name: "T".into(),
            settings: serde_json::json!({ "addresses": [network] }),
            secrets: None,
            disabled: false,
            created_ms: 1,
            updated_ms: 1,
        };
        let number = store::numbers::Number {
            id: format!("{name}-number").parse().expect("an id"),
            company: id,
            number: number.to_owned(),
            name: "N".into(),
            trunk: None,
            flow: None,
            priority: 0,
            disabled: false,
            created_ms: 1,
            updated_ms: 1,
        };
        let db = self.store.pool();
        store::companies::insert(db, &company).await.expect("a row");
        store::trunks::insert(db, &trunk).await.expect("a row");
        store::numbers::insert(db, &number).await.expect("a row");
    }

    async fn device(&self, company: &str, username: &str, extension: Option<&str>) {
        let id: DeviceId = format!("device-{username}").parse().expect("an id");
        let secret = self.secrets.seal(id.as_str(), b"secret");
        let device = store::devices::Device {
            secrets: secret.expect("sealed"),
            id,
            company: company.parse().expect("an id"),
            username: username.to_owned(),
            display_name: username.to_owned(),
            extension: extension.map(str::to_owned),
            number: None,
            user: None,
            browser: false,
            disabled: false,
            created_ms: 1,
            updated_ms: 1,
        };
        let inserted = store::devices::insert(self.store.pool(), &device).await;
        inserted.expect("a row");
    }

    async fn load(&self) -> Setup {
        let loaded = load(&self.store, &self.secrets, "ramal").await;
        loaded.expect("what is set up")
    }
}

#[tokio::test]
async fn companies_that_share_an_address_are_told_apart_by_the_dialled_number() {
    let scene = Scene::new().await;
    scene.company("demo", "127.0.0.1", "4000").await;
    scene.company("new", "127.0.0.0/8", "+551140040000").await;
    scene.company("else", "192.0.2.1", "5000").await;
    let setup = scene.load().await;
    let mut trunks = Trunks::default();
    trunks.set(clock::now(), setup.trunks);
    let source: SocketAddr = "127.0.0.1:5060".parse().expect("an address");
    for (dialled, company) in [
        ("4000", "demo"),
        ("+551140040000", "new"),
        ("01140040000", "new"),
        // Nobody's, and one that this address has no way to: the narrowest answers, with 404.
        ("9999", "demo"),
        ("5000", "demo"),
    ] {
        let trunk = trunks.identify(Transport::Udp, source, dialled);
        let found = trunk.map(|trunk| trunk.company.as_ref());
        assert_eq!(found, Some(company), "{dialled}");
    }
}

#[tokio::test]
async fn a_narrower_network_takes_no_number_that_another_company_had_before() {
    let scene = Scene::new().await;
    scene.company("first", "127.0.0.0/8", "4000").await;
    scene.company("second", "127.0.0.1", "4000").await;
    scene.company("third", "127.0.0.1", "4001").await;
    scene.company("elsewhere", "192.0.2.1", "4000").await;
    let setup = scene.load().await;
    let mut trunks = Trunks::default();
    trunks.set(clock::now(), setup.trunks);
    for (source, dialled, company) in [
        ("127.0.0.1:5060", "4000", "first"),
        ("127.0.0.1:5060", "4001", "third"),
        ("192.0.2.1:5060", "4000", "elsewhere"),
    ] {
        let source = source.parse().expect("an address");
        let trunk = trunks.identify(Transport::Udp, source, dialled);
        let found = trunk.map(|trunk| trunk.company.as_ref());
        assert_eq!(found, Some(company), "{dialled} from {source}");
    }
}

#[tokio::test]
async fn a_device_is_dialled_by_extension_or_name_and_an_extension_goes_first() {
    let scene = Scene::new().await;
    scene.company("demo", "127.0.0.0/8", "4000").await;
    scene.company("other", "192.0.2.1", "4000").await;
    scene.device("demo", "ana", Some("200")).await;
    scene.device("demo", "bia", Some("ana-2")).await;
    scene.device("demo", "ana-2", None).await;
    scene.device("other", "caio", Some("200")).await;
    let setup = scene.load().await;
    let dialled = |company: &str, text: &str| {
        let id: CompanyId = company.parse().expect("an id");
        let device = setup.directory.companies[&id].extensions.get(text);
        device.map(DeviceId::as_str)
    };
    assert_eq!(dialled("demo", "200"), Some("device-ana"));
    assert_eq!(dialled("demo", "ana"), Some("device-ana"));
    assert_eq!(dialled("demo", "ana-2"), Some("device-bia"));
    assert_eq!(dialled("demo", "caio"), None, "another company's");
    assert_eq!(dialled("other", "200"), Some("device-caio"));
}

#[tokio::test]
async fn a_company_dials_by_what_it_has_set() {
    let scene = Scene::new().await;
    scene.company("demo", "127.0.0.0/8", "4000").await;
    let company: CompanyId = "demo".parse().expect("an id");
    let mut trunk = store::trunks::by_id(
        scene.store.pool(),
        &company,
        &"demo-trunk".parse().expect("an id"),
    )
    .await
    .expect("a store")
    .expect("a trunk");
    trunk.settings = serde_json::json!({ "host": "sip.operadora.example",
        "caller_number": "+552140040000", "dial": { "style": "national", "operator": "15" } });
    let changed = store::trunks::update(scene.store.pool(), &trunk).await;
    assert!(changed.expect("a store"));
    let rules = |setup: &Setup| setup.directory.companies[&company].outbound_rules.clone();
    let before = rules(&scene.load().await);
    assert_eq!(
        before.area_code.as_deref(),
        Some("21"),
        "of the number that it shows"
    );
    assert!(before.routes.is_empty());
    let route = store::outbound::Route {
        id: "route".parse().expect("an id"),
        company: company.clone(),
        name: "R".into(),
        trunk: trunk.id.clone(),
        prefix: "+55".into(),
        priority: 1,
        weight: 1,
        calls_max: None,
        calls_per_second_max: None,
        cost_per_minute: 90,
        caller_number: None,
        disabled: false,
        created_ms: 1,
        updated_ms: 1,
    };
    let inserted = store::outbound::insert_route(scene.store.pool(), &route).await;
    inserted.expect("a row");
    let document = serde_json::json!({ "area_code": "11", "allowed": ["+351"] });
    let row = store::outbound::Rules {
        company: company.clone(),
        rules: document,
        updated_ms: 1,
    };
    let kept = store::outbound::put_rules(scene.store.pool(), &row).await;
    kept.expect("a row");
    let after = rules(&scene.load().await);
    assert_eq!(after.area_code.as_deref(), Some("11"));
    assert_eq!(after.routes.len(), 1);
    assert_eq!(after.permissions.allowed.len(), 1);
    assert!(after.trunks.contains_key(&trunk.id));
    // A carrier that only calls us carries nothing.
    trunk.settings = serde_json::json!({});
    let changed = store::trunks::update(scene.store.pool(), &trunk).await;
    assert!(changed.expect("a store"));
    assert!(rules(&scene.load().await).routes.is_empty());
}
