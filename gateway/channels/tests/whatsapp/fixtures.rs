//! Webhooks as the providers send them, and the events they must become.
//!
//! `fixtures/whatsapp/PROVIDER/NAME/` has `raw.json` (`raw.form` of Twilio) as it came, `headers.json`
//! with the address and the headers, and `expect.json`. `RAMAL_BLESS=1` writes the last anew, to be
//! read before it is committed.

use std::fs;
use std::path::{Path, PathBuf};

use channels::connector::{Headers, Webhook};
use channels::event::Event;
use serde_json::Value;

use crate::{PROVIDERS, connector};

/// A webhook as it came.
pub(crate) struct Fixture {
    pub(crate) folder: PathBuf,
    pub(crate) provider: &'static str,
    pub(crate) url: String,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
}

impl Fixture {
    pub(crate) fn webhook(&self) -> Webhook<'_> {
        Webhook {
            url: &self.url,
            headers: &self.headers,
            body: &self.body,
        }
    }
}

/// All of them.
pub(crate) fn all() -> Vec<Fixture> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/whatsapp");
    let mut fixtures = vec![];
    for provider in PROVIDERS {
        let folder = fs::read_dir(root.join(provider)).expect("a folder a provider");
        let mut folders: Vec<PathBuf> = folder
            .map(|entry| entry.expect("an entry").path())
            .collect();
        folders.sort();
        fixtures.extend(folders.into_iter().map(|folder| read(provider, folder)));
    }
    fixtures
}

fn read(provider: &'static str, folder: PathBuf) -> Fixture {
    let raw = ["raw.json", "raw.form"].map(|name| folder.join(name));
    let raw = raw.iter().find(|path| path.exists()).expect("a webhook");
    let head = fs::read(folder.join("headers.json")).expect("headers");
    let head: Value = serde_json::from_slice(&head).expect("JSON");
    let headers = head["headers"].as_object().expect("headers").iter();
    let headers = headers.map(|(name, value)| (name.clone(), value.as_str().expect("text")));
    Fixture {
        provider,
        url: head["url"].as_str().expect("an address").to_owned(),
        headers: headers.collect(),
        body: fs::read(raw).expect("a webhook"),
        folder,
    }
}

#[test]
fn every_webhook_becomes_the_events_beside_it() {
    let fixtures = all();
    assert!(fixtures.len() > 100, "{} fixtures", fixtures.len());
    let mut wrong = vec![];
    for fixture in &fixtures {
        let connector = connector(fixture.provider);
        let name = fixture.folder.display();
        assert_eq!(connector.verify(&fixture.webhook()), Ok(()), "{name}");
        let events = connector.read(&fixture.webhook());
        let events = events.unwrap_or_else(|error| panic!("{name}: {error}"));
        let told = serde_json::to_value(&events).expect("JSON");
        let path = fixture.folder.join("expect.json");
        if std::env::var_os("RAMAL_BLESS").is_some() {
            let text = serde_json::to_string_pretty(&told).expect("JSON");
            fs::write(&path, text + "\n").expect("written");
        }
        let expected = fs::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let expected: Value = serde_json::from_slice(&expected).expect("JSON");
        if told != expected {
            wrong.push(format!("{name}:\n{told:#}"));
        }
        let again: Vec<Event> = serde_json::from_value(told).expect("events can be stored");
        assert_eq!(again, events, "{name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_same_webhook_again_has_the_same_keys_and_no_two_events_share_one() {
    for fixture in all() {
        let connector = connector(fixture.provider);
        let keys = || -> Vec<String> {
            let events = connector.read(&fixture.webhook()).expect("events");
            events.into_iter().map(|event| event.key).collect()
        };
        let (first, again) = (keys(), keys());
        assert_eq!(first, again);
        let unique: std::collections::BTreeSet<_> = first.iter().collect();
        assert_eq!(unique.len(), first.len(), "{}", fixture.folder.display());
    }
}
