//! The simple form: what most companies want, filled in like a form.
//!
//! ```text
//!  hours ─open──▶ welcome ─▶ menu ─1─▶ service 1 ─unanswered─▶ "unanswered", hang up
//!     │                       ├──2─▶ service 2 ─unanswered─▶ ″
//!     └─closed─▶ "closed"     └─9─▶ says it again
//! ```
//!
//! [`SimpleForm::build`] makes a flow of it, always the same one, and [`SimpleForm::of`] reads the
//! form back from a flow that still is one. A flow that somebody changed in another way has no
//! simple form any longer.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CalendarRef, Cause, Choice, FORMAT, Flow, HangUp, Hours, Key, Language, Menu, Node, NodeId,
    Position, Prompt, Queue, Retry, Say, ServiceId, VoiceId,
};

/// The form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SimpleForm {
    /// The language.
    #[serde(default)]
    pub language: Language,
    /// The voice of the texts that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice: Option<VoiceId>,
    /// Horário de Atendimento.
    pub hours: CalendarRef,
    /// Mensagem de Boas Vindas.
    pub welcome: Say,
    /// Mensagem com Atendimento Fechado.
    pub closed: Say,
    /// The services in the order of their keys: the first has the key 1. One alone has none:
    /// callers go to it after the welcome.
    pub services: Vec<Offer>,
    /// Mensagem para ligações não atendidas.
    pub unanswered: Say,
    /// The key that says the menu again; no service has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_key: Option<Key>,
    /// A recording of the menu. Without it the menu is a text made of the services' names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub menu: Option<Say>,
}

/// A service that callers can choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// Which.
    pub service: ServiceId,
    /// What it is called in the menu.
    pub name: String,
}

/// The form cannot be a flow. Whoever filled it in is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// There is no service.
    #[error("a simple flow needs a service")]
    NoServices,
    /// There are more services than keys.
    #[error("a simple flow has at most {0} services: one for each key")]
    TooManyServices(usize),
}

impl SimpleForm {
    /// The flow of this form.
    ///
    /// # Errors
    ///
    /// If there is no service, or more of them than keys.
    pub fn build(&self) -> Result<Flow, FormError> {
        let keys = self.keys();
        if self.services.is_empty() {
            return Err(FormError::NoServices);
        }
        if self.services.len() > keys.len() {
            return Err(FormError::TooManyServices(keys.len()));
        }
        let (first, menu) = match self.services.as_slice() {
            [_] => (service_node(1), None),
            _ => (NodeId::new(MENU), Some(self.build_menu(&keys))),
        };
        let hours = Hours {
            calendar: self.hours.clone(),
            open: NodeId::new(WELCOME),
            closed: NodeId::new(CLOSED),
            holiday: None,
        };
        let welcome = Prompt {
            say: vec![self.welcome.clone()],
            barge_in: true,
            next: first,
        };
        let mut nodes = BTreeMap::from([
            (NodeId::new(HOURS), Node::Hours(hours)),
            (NodeId::new(WELCOME), Node::Prompt(welcome)),
            (NodeId::new(CLOSED), goodbye(&self.closed, Cause::Normal)),
            (
                NodeId::new(UNANSWERED),
                goodbye(&self.unanswered, Cause::Normal),
            ),
            (
                NodeId::new(FAILED),
                goodbye(&Say::sound("sentences/technical-failure"), Cause::Failure),
            ),
        ]);
        if let Some(menu) = menu {
            nodes.insert(NodeId::new(MENU), Node::Menu(menu));
            nodes.insert(
                NodeId::new(GAVE_UP),
                goodbye(&Say::sound("sentences/goodbye"), Cause::Normal),
            );
        }
        for (place, offer) in (1..).zip(&self.services) {
            let queue = Queue {
                service: offer.service.clone(),
                skills: Vec::new(),
                unanswered: Some(NodeId::new(UNANSWERED)),
                closed: None,
                leave: Vec::new(),
            };
            nodes.insert(service_node(place), Node::Queue(queue));
        }
        Ok(Flow {
            format: FORMAT,
            language: self.language,
            voice: self.voice.clone(),
            entry: NodeId::new(HOURS),
            failure: Some(NodeId::new(FAILED)),
            variables: BTreeMap::new(),
            layout: self.layout(&nodes),
            nodes,
        })
    }

    /// The form that `flow` is of, if it is of any. Where an editor draws its nodes is no matter.
    #[must_use]
    pub fn of(flow: &Flow) -> Option<Self> {
        let node = |id: &str| flow.nodes.get(id);
        let said = |id: &str| match node(id) {
            Some(Node::Prompt(prompt)) => prompt.say.first(),
            Some(Node::HangUp(hang_up)) => hang_up.say.first(),
            Some(Node::Menu(menu)) => menu.say.first(),
            Some(_) | None => None,
        };
        let Some(Node::Hours(hours)) = node(HOURS) else {
            return None;
        };
        let services = (1..)
            .map(service_node)
            .map_while(|id| match flow.nodes.get(&id) {
                Some(Node::Queue(queue)) => {
                    let name = flow
                        .layout
                        .get(&id)
                        .map(|place| place.title.clone())
                        .unwrap_or_default();
                    Some(Offer {
                        service: queue.service.clone(),
                        name,
                    })
                }
                Some(_) | None => None,
            })
            .collect();
        let repeat_key = match node(MENU) {
            Some(Node::Menu(menu)) => menu.repeat_key,
            Some(_) | None => None,
        };
        let mut form = Self {
            language: flow.language,
            voice: flow.voice.clone(),
            hours: hours.calendar.clone(),
            welcome: said(WELCOME)?.clone(),
            closed: said(CLOSED)?.clone(),
            services,
            unanswered: said(UNANSWERED)?.clone(),
            repeat_key,
            menu: None,
        };
        let is_same = |form: &Self| {
            form.build().is_ok_and(|built| {
                Flow {
                    layout: BTreeMap::new(),
                    ..built
                } == Flow {
                    layout: BTreeMap::new(),
                    ..flow.clone()
                }
            })
        };
        if is_same(&form) {
            return Some(form);
        }
        form.menu = said(MENU).cloned();
        is_same(&form).then_some(form)
    }

    /// The keys that services may have, in order.
    fn keys(&self) -> Vec<Key> {
        "1234567890"
            .chars()
            .filter_map(Key::new)
            .filter(|key| Some(*key) != self.repeat_key)
            .collect()
    }

    fn build_menu(&self, keys: &[Key]) -> Menu {
        let choices = (1..)
            .zip(keys)
            .take(self.services.len())
            .map(|(place, &key)| Choice {
                key,
                to: service_node(place),
            });
        Menu {
            say: vec![
                self.menu
                    .clone()
                    .unwrap_or_else(|| Say::text(&self.menu_text(keys))),
            ],
            choices: choices.collect(),
            barge_in: true,
            first_digit_ms: FIRST_DIGIT_MS,
            invalid: Retry::invalid(),
            no_input: Retry::no_input(),
            repeat_key: self.repeat_key,
            otherwise: Some(NodeId::new(GAVE_UP)),
        }
    }

    /// "Para vendas, digite 1; para suporte, digite 2; para ouvir novamente, digite 9."
    fn menu_text(&self, keys: &[Key]) -> String {
        let (to, press, again) = match self.language {
            Language::PtBr => ("para ", "digite", "para ouvir novamente"),
            Language::En => ("for ", "press", "to hear this again"),
            Language::Es => ("para ", "marque", "para escuchar de nuevo"),
        };
        let services = self.services.iter().zip(keys).map(|(offer, key)| {
            // Braces are variables in a text; a name has none.
            let name = in_sentence(&offer.name.replace(['{', '}'], ""));
            format!("{to}{name}, {press} {key}")
        });
        let again = self.repeat_key.map(|key| format!("{again}, {press} {key}"));
        let text = services.chain(again).collect::<Vec<_>>().join("; ");
        let mut letters = text.chars();
        let first = letters
            .next()
            .map(|letter| letter.to_uppercase().to_string())
            .unwrap_or_default();
        format!("{first}{}.", letters.as_str())
    }

    /// A picture for the editor: hours, welcome, menu from left to right, services below each other.
    fn layout(&self, nodes: &BTreeMap<NodeId, Node>) -> BTreeMap<NodeId, Position> {
        let place = |id: &NodeId| {
            let (column, row, title) = match id.as_str() {
                HOURS => (0, 0, String::new()),
                WELCOME => (1, 0, String::new()),
                CLOSED => (1, 1, String::new()),
                MENU => (2, 0, String::new()),
                GAVE_UP => (2, 1, String::new()),
                UNANSWERED => (4, 0, String::new()),
                FAILED => (4, 1, String::new()),
                service => {
                    let row = (1..)
                        .zip(&self.services)
                        .find(|(place, _)| service_node(*place).as_str() == service);
                    row.map(|(place, offer)| (3, place - 1, offer.name.clone()))
                        .unwrap_or_default()
                }
            };
            Position {
                x: f64::from(column) * 280.0,
                y: f64::from(row) * 140.0,
                title,
            }
        };
        nodes.keys().map(|id| (id.clone(), place(id))).collect()
    }
}

fn goodbye(say: &Say, cause: Cause) -> Node {
    Node::HangUp(HangUp {
        say: vec![say.clone()],
        cause,
    })
}

fn service_node(place: u32) -> NodeId {
    NodeId::from(format!("service-{place}"))
}

/// A name inside a sentence: "Vendas" becomes "vendas", "SAC" stays.
fn in_sentence(name: &str) -> String {
    let mut letters = name.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => {
            first.to_lowercase().chain(letters).collect()
        }
        (_, _) => name.to_owned(),
    }
}

/// Five seconds of silence after the menu, as everywhere.
const FIRST_DIGIT_MS: u32 = 5_000;

const HOURS: &str = "hours";
const WELCOME: &str = "welcome";
const CLOSED: &str = "closed";
const MENU: &str = "menu";
const GAVE_UP: &str = "gave-up";
const UNANSWERED: &str = "unanswered";
const FAILED: &str = "failed";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hours::{Calendar, Zone};

    fn form() -> SimpleForm {
        let calendar = Calendar::always(Zone::named("America/Sao_Paulo").unwrap());
        let offer = |name: &str| Offer {
            service: name.into(),
            name: name.to_owned(),
        };
        SimpleForm {
            language: Language::PtBr,
            voice: None,
            hours: CalendarRef::Inline(Box::new(calendar)),
            welcome: Say::text("Bem-vindo."),
            closed: Say::prompt("closed"),
            services: vec![offer("Vendas"), offer("SAC"), offer("Suporte")],
            unanswered: Say::text("Ninguém atendeu."),
            repeat_key: Key::new('9'),
            menu: None,
        }
    }

    #[test]
    fn the_menu_names_the_services_in_the_order_of_their_keys() {
        let flow = form().build().unwrap();
        let Some(Node::Menu(menu)) = flow.nodes.get(MENU) else {
            panic!("there is a menu")
        };
        let text = "Para vendas, digite 1; para SAC, digite 2; para suporte, digite 3; para ouvir novamente, digite 9.";
        assert_eq!(menu.say, [Say::text(text)]);
        let keys: String = menu
            .choices
            .iter()
            .map(|choice| choice.key.face())
            .collect();
        assert_eq!(keys, "123");
    }

    #[test]
    fn services_pass_over_the_repeat_key_and_end_with_zero() {
        let offer = |n: u32| Offer {
            service: format!("s{n}").into(),
            name: format!("S{n}"),
        };
        let form = SimpleForm {
            repeat_key: Key::new('2'),
            services: (1..=9).map(offer).collect(),
            ..form()
        };
        let flow = form.build().unwrap();
        let Some(Node::Menu(menu)) = flow.nodes.get(MENU) else {
            panic!("there is a menu")
        };
        let keys: String = menu
            .choices
            .iter()
            .map(|choice| choice.key.face())
            .collect();
        assert_eq!(keys, "134567890");
        let ten = SimpleForm {
            services: (1..=10).map(offer).collect(),
            ..form
        };
        assert_eq!(ten.build(), Err(FormError::TooManyServices(9)));
        assert_eq!(
            SimpleForm {
                services: vec![],
                ..ten
            }
            .build(),
            Err(FormError::NoServices)
        );
    }

    #[test]
    fn a_form_comes_back_from_its_flow_through_json() {
        let forms = [
            form(),
            SimpleForm {
                menu: Some(Say::prompt("menu")),
                voice: Some("pf_dora".into()),
                ..form()
            },
            SimpleForm {
                services: vec![Offer {
                    service: "v".into(),
                    name: "Vendas".into(),
                }],
                repeat_key: None,
                ..form()
            },
            SimpleForm {
                hours: CalendarRef::Id("c".into()),
                language: Language::Es,
                repeat_key: None,
                ..form()
            },
        ];
        for form in forms {
            let flow = form.build().unwrap();
            let flow: Flow = serde_json::from_str(&serde_json::to_string(&flow).unwrap()).unwrap();
            assert_eq!(SimpleForm::of(&flow), Some(form.clone()));
            assert_eq!(flow, form.build().unwrap(), "the flow is always the same");
        }
    }

    #[test]
    fn a_flow_that_was_changed_otherwise_has_no_form() {
        let mut flow = form().build().unwrap();
        flow.layout.get_mut("menu").unwrap().x = 17.0;
        assert!(
            SimpleForm::of(&flow).is_some(),
            "moving a node changes nothing"
        );
        let hang_up = Node::HangUp(HangUp::default());
        flow.nodes.insert("service-2".into(), hang_up);
        assert_eq!(SimpleForm::of(&flow), None);
        let mut flow = form().build().unwrap();
        flow.variables.insert("a".into(), "b".into());
        assert_eq!(SimpleForm::of(&flow), None);
        assert_eq!(SimpleForm::of(&Flow::empty()), None);
    }

    #[test]
    fn what_the_form_builds_is_valid() {
        let form = form();
        let catalogue = crate::validate::Catalogue {
            prompts: ["closed".into()].into(),
            services: form
                .services
                .iter()
                .map(|offer| offer.service.clone())
                .collect(),
            ..Default::default()
        };
        assert_eq!(
            crate::validate::validate(&form.build().unwrap(), None, &catalogue),
            []
        );
    }
}
