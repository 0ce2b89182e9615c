//! The company in virtual time: what it asks of the world, and what it is told, without a socket.

use std::collections::BTreeMap;

use ramal_sim::wire::{self, ApiAnswer, ApiRequest};
use ramal_sim::world::{Act, Attempt, Content, Message, Outcome, Output, Pace, Target, World};
use ramal_sim::{Provider, demo};
use serde_json::Value;

/// 24 November 2026, 12:00 UTC.
pub(crate) const NOON_MS: i64 = 1_795_521_600_000;

/// A world, its clock, and what the company was told.
pub(crate) struct Company {
    pub(crate) world: World,
    pub(crate) now_ms: i64,
    pub(crate) told: Vec<Told>,
    /// What the company answers to a webhook: a status, or nothing at all.
    pub(crate) answers: Option<u16>,
    /// Links that were to be fetched, with the messages that they are in.
    pub(crate) fetches: Vec<(u64, String)>,
}

/// A webhook that came.
pub(crate) struct Told {
    pub(crate) at_ms: i64,
    pub(crate) attempt: Attempt,
}

impl Told {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.attempt.body).expect("JSON")
    }

    pub(crate) fn form(&self) -> BTreeMap<String, String> {
        let body = String::from_utf8(self.attempt.body.clone()).expect("text");
        let pairs = body.split('&').map(|pair| {
            let (name, value) = pair.split_once('=').expect("a pair");
            (plain(name), plain(value))
        });
        pairs.collect()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let mut headers = self.attempt.headers.iter();
        headers
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value)
    }
}

/// Undoes the escapes of a form.
fn plain(text: &str) -> String {
    let mut bytes = vec![];
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = [rest.next().expect("a digit"), rest.next().expect("a digit")];
                let digits = std::str::from_utf8(&digits).expect("digits");
                bytes.push(u8::from_str_radix(digits, 16).expect("hexadecimal"));
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).expect("text")
}

impl Company {
    /// A company that is told everything, and takes it.
    pub(crate) fn new(pace: Pace) -> Self {
        let mut world = World::new(pace, "http://sim.example", [7; 32]);
        for provider in Provider::ALL {
            let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            let mut headers: BTreeMap<String, String> =
                demo::webhook_headers(provider).iter().map(owned).collect();
            if provider == Provider::Erp {
                headers.insert("x-api-key".to_owned(), "chave".to_owned());
            }
            let url = if provider == Provider::Erp {
                "http://company.example/channels/erp/receive_hook".to_owned()
            } else {
                format!("http://company.example/webhooks/{}", provider.word())
            };
            world.set_webhook(provider, Some(Target { url, headers }));
        }
        Self {
            world,
            now_ms: NOON_MS,
            told: vec![],
            answers: Some(200),
            fetches: vec![],
        }
    }

    /// Lets everything happen that is due now.
    pub(crate) fn settle(&mut self) {
        loop {
            self.world.handle_timeout(self.now_ms);
            let mut is_still = true;
            while let Some(output) = self.world.poll_output() {
                is_still = false;
                match output {
                    Output::Post(attempt) => {
                        let outcome = match self.answers {
                            Some(status) => Outcome::Answered {
                                status,
                                body: vec![],
                            },
                            None => Outcome::Silent("refused".to_owned()),
                        };
                        self.world.answered(self.now_ms, &attempt, outcome);
                        let at_ms = self.now_ms;
                        self.told.push(Told { at_ms, attempt });
                    }
                    Output::Fetch { message, url } => self.fetches.push((message, url)),
                }
            }
            if is_still {
                return;
            }
        }
    }

    /// Lets so much time pass, from one thing that is due to the next.
    pub(crate) fn pass(&mut self, ms: i64) {
        let until_ms = self.now_ms + ms;
        while let Some(due_ms) = self
            .world
            .poll_timeout()
            .filter(|due_ms| *due_ms <= until_ms)
        {
            self.now_ms = self.now_ms.max(due_ms);
            self.settle();
        }
        self.now_ms = until_ms;
        self.settle();
    }

    /// A customer does something, and everything happens that follows at once.
    pub(crate) fn does(&mut self, provider: Provider, customer: &str, act: Act) -> u64 {
        let done = self
            .world
            .act(self.now_ms, provider, customer, act)
            .expect("done");
        self.settle();
        done.unwrap_or_default()
    }

    pub(crate) fn writes(&mut self, provider: Provider, customer: &str, text: &str) -> u64 {
        self.sends(provider, customer, Content::words(text))
    }

    pub(crate) fn sends(&mut self, provider: Provider, customer: &str, content: Content) -> u64 {
        let act = Act::Write {
            content,
            reply_to: None,
            forwarded: false,
            from_ad: false,
        };
        self.does(provider, customer, act)
    }

    /// The company asks a provider for something.
    pub(crate) fn asks(
        &mut self,
        provider: Provider,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> ApiAnswer {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let headers = headers.iter();
        let request = ApiRequest {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: body.to_vec(),
            handshake: None,
        };
        let answer = wire::handle(&mut self.world, self.now_ms, provider, &request);
        self.settle();
        answer
    }

    pub(crate) fn message(&self, id: u64) -> &Message {
        self.world.message(id).expect("a message")
    }

    /// What was told last.
    pub(crate) fn last(&self) -> &Told {
        self.told.last().expect("something was told")
    }
}

/// The body of an answer.
pub(crate) fn json(answer: &ApiAnswer) -> Value {
    serde_json::from_slice(&answer.body).expect("JSON")
}
