//! A flow that is read and answered in writing: a menu is answered by a key or by what stands beside it,
//! digits come all at once, and nobody is hurried.

use super::question::Asked;
use super::{Failure, Now, Onward, Session, State};
use crate::{Flow, Key, Menu, Node, NodeId, ServiceId};

/// One of the answers to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choosable {
    /// The key that chooses it.
    pub key: Key,
    /// What the editor calls the node that it leads to; empty where it has no name.
    pub title: String,
    /// The service that it leads to, where it does at once.
    pub service: Option<ServiceId>,
}

impl Session {
    /// The same, read and answered in writing: numbers and dates are written as people write them, and
    /// questions wait for their answer without end. To be said before [`Session::start`].
    #[must_use]
    pub fn in_writing(mut self) -> Self {
        self.is_written = true;
        self
    }

    /// What the customer wrote. It answers the question that is asked; while nothing is asked it is
    /// nobody's here.
    pub fn handle_text(&mut self, now: Now, text: &str) {
        let State::Asking(question) = &self.state else {
            return;
        };
        let question = question.clone();
        self.input_came();
        self.typed.clear();
        let flow = self.flow();
        let text = text.trim();
        let onward = match flow.nodes.get(&self.here()) {
            Some(Node::Menu(menu)) => match chosen(&flow, menu, text) {
                Some(key) => self.choose(now, menu, question, key),
                None => self.wrong(now, question, &beginning(text), &menu.invalid),
            },
            Some(Node::Collect(collect)) if question.asks(Asked::Confirmation) => match key(text) {
                Some(key) => self.confirm(now, collect, question, key),
                None => self.wrong(now, question, "", &collect.invalid),
            },
            Some(Node::Collect(collect)) => {
                let is_digit = |letter: &char| !letter.is_whitespace() && !".-/".contains(*letter);
                let digits: String = text.chars().filter(is_digit).collect();
                let all = digits.bytes().all(|byte| byte.is_ascii_digit());
                if all && !digits.is_empty() && digits.len() <= usize::from(collect.max) {
                    self.digits_done(now, collect, question.with_digits(digits))
                } else {
                    self.wrong(now, question, "", &collect.invalid)
                }
            }
            Some(_) | None => Onward::Fail(Failure::NoSuchNode),
        };
        self.proceed(now, onward);
    }

    /// Whether a text may be an answer to the question that is asked: of a menu it must be one of its own.
    #[must_use]
    pub fn may_answer(&self, text: &str) -> bool {
        match (&self.state, self.node(), self.frames.last()) {
            (State::Asking(_), Some(Node::Menu(menu)), Some(frame)) => {
                let key = chosen(&frame.flow, menu, text.trim());
                key.is_some_and(|key| menu.choices.iter().any(|choice| choice.key == key))
            }
            (State::Asking(_), _, _) => true,
            _ => false,
        }
    }

    /// Whether a question waits for its answer.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        matches!(self.state, State::Asking(_))
    }

    /// The answers to the question that is asked, where it is a menu.
    #[must_use]
    pub fn choices(&self) -> Vec<Choosable> {
        let (State::Asking(_), Some(Node::Menu(menu)), Some(frame)) =
            (&self.state, self.node(), self.frames.last())
        else {
            return Vec::new();
        };
        let choices = menu.choices.iter().map(|choice| Choosable {
            key: choice.key,
            title: title(&frame.flow, &choice.to).to_owned(),
            service: match frame.flow.nodes.get(&choice.to) {
                Some(Node::Queue(queue)) => Some(queue.service.clone()),
                Some(_) | None => None,
            },
        });
        choices.collect()
    }
}

/// What the editor calls a node.
fn title<'f>(flow: &'f Flow, node: &NodeId) -> &'f str {
    flow.layout
        .get(node)
        .map_or("", |position| position.title.as_str())
}

/// The key of the answer that a text names: `2`, `2)`, `2 - Suporte`, `suporte`.
fn chosen(flow: &Flow, menu: &Menu, text: &str) -> Option<Key> {
    let named = menu.choices.iter().find(|choice| {
        let title = title(flow, &choice.to).to_lowercase();
        !title.is_empty() && title == text.to_lowercase()
    });
    named.map(|choice| choice.key).or_else(|| key(text))
}

/// The key that a text begins with, where no letter or digit comes right behind it.
fn key(text: &str) -> Option<Key> {
    let mut letters = text.chars();
    let key = Key::new(letters.next()?)?;
    let stands_alone = letters.next().is_none_or(|next| !next.is_alphanumeric());
    stands_alone.then_some(key)
}

/// What a trail shows of an answer that is none.
fn beginning(text: &str) -> String {
    text.chars().take(SHOWN_MAX).collect()
}

/// An answer that is one is no longer than this.
const SHOWN_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Caller, Output, Spoken};
    use super::*;
    use crate::{FlowId, Library};

    const FLOW: &str = r#"{ "format": 1, "language": "pt-BR", "entry": "menu",
        "layout": { "cpf": { "x": 0, "y": 0, "title": "Segunda via" } }, "nodes": {
        "menu": { "kind": "menu", "say": [{ "kind": "text", "text": "O que deseja?" }],
            "choices": [{ "key": "1", "to": "sales" }, { "key": "2", "to": "cpf" }], "otherwise": "bye" },
        "cpf": { "kind": "collect", "say": [{ "kind": "text", "text": "Seu CPF?" }], "variable": "cpf",
            "min": 11, "max": 11, "accept": "cpf", "next": "sales", "otherwise": "bye" },
        "sales": { "kind": "queue", "service": "sales" },
        "bye": { "kind": "hang-up", "say": [{ "kind": "money", "value": "1234,5" },
            { "kind": "date", "value": "2026-11-23" }, { "kind": "protocol", "value": "{{call.protocol}}" }] } } }"#;

    #[allow(clippy::disallowed_methods)] // the one clock read of this module: only differences count
    fn now() -> Now {
        Now {
            instant: std::time::Instant::now(),
            wall: "2026-11-23T12:00:00Z".parse().expect("a time"),
        }
    }

    fn begun() -> Session {
        let flow: Flow = serde_json::from_str(FLOW).expect("a flow");
        let id = FlowId::new("f");
        let library = Library {
            flows: [(id.clone(), Arc::new(flow))].into(),
            ..Library::default()
        };
        let caller = Caller {
            protocol: "20261123000001".into(),
            ..Caller::default()
        };
        let session = Session::new(Arc::new(library), &id, &caller).expect("it is there");
        let mut session = session.in_writing();
        session.start(now());
        session
    }

    /// What is shown and done, with everything shown at once.
    fn told(session: &mut Session) -> Vec<String> {
        let mut told = vec![];
        while let Some(output) = session.poll_output() {
            match output {
                Output::Play { ticket, items, .. } => {
                    told.extend(items.into_iter().map(|item| match item {
                        Spoken::Text { text, .. } => text,
                        other @ (Spoken::Prompt(_) | Spoken::Word(_)) => format!("{other:?}"),
                    }));
                    session.handle_played(now(), ticket);
                }
                Output::Queue { service, .. } => told.push(format!("queue {service}")),
                Output::HangUp { .. } => told.push("over".into()),
                Output::Step(_) => {}
                other @ (Output::StopPlaying { .. }
                | Output::LeaveQueue { .. }
                | Output::Dial { .. }
                | Output::CancelDial { .. }
                | Output::Fetch { .. }
                | Output::CancelFetch { .. }
                | Output::Record { .. }
                | Output::StopRecording { .. }) => told.push(format!("{other:?}")),
            }
        }
        told
    }

    #[test]
    fn a_menu_is_answered_by_a_key_or_by_what_stands_beside_it_and_waits_without_end() {
        for (answer, next) in [
            ("1", "queue sales"),
            (" 1) ", "queue sales"),
            ("1 - vendas", "queue sales"),
            ("segunda VIA", "Seu CPF?"),
        ] {
            let mut session = begun();
            assert_eq!(told(&mut session), ["O que deseja?"]);
            assert_eq!(session.poll_timeout(), None, "nobody is hurried");
            session.handle_text(now(), answer);
            assert_eq!(told(&mut session), [next], "{answer}");
        }
        let mut session = begun();
        for (text, may) in [
            ("1", true),
            ("2) isso", true),
            ("segunda via", true),
            ("3", false),
            ("oi", false),
        ] {
            assert_eq!(session.may_answer(text), may, "{text}");
        }
        let choices = session.choices();
        assert_eq!(choices[0].service, Some(ServiceId::new("sales")));
        assert_eq!(
            (choices[1].key.face(), choices[1].title.as_str()),
            ('2', "Segunda via")
        );
        told(&mut session);
        for _ in 0..2 {
            session.handle_text(now(), "10 vendas");
            let again = told(&mut session);
            assert_eq!(again, ["Opção inválida. O que deseja?"]);
        }
        session.handle_text(now(), "");
        assert_eq!(
            told(&mut session),
            ["R$ 1.234,50 23/11/2026 20261123000001", "over"]
        );
    }

    #[test]
    fn digits_come_all_at_once_as_people_write_them() {
        let mut session = begun();
        told(&mut session);
        session.handle_text(now(), "2");
        told(&mut session);
        session.handle_text(now(), "529.982.247-26");
        assert_eq!(told(&mut session), ["Opção inválida. Seu CPF?"]);
        session.handle_text(now(), "529.982.247-25");
        assert_eq!(told(&mut session), ["queue sales"]);
        assert_eq!(session.variable("cpf"), Some("52998224725"));
        session.handle_text(now(), "nobody asks");
        assert_eq!(told(&mut session), [""; 0]);
    }
}
