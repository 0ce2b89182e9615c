//! Those who play in the stories: customers, agents, a supervisor, and what they do first.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};

use crate::baresip::Baresip;
use crate::chromium::Chromium;
use crate::ear::{self, Hears, Voice, they_hear};
use crate::server::{Person, Server, until};

/// Somebody of the company, with a telephone.
pub(crate) struct Colleague<'s, P = Baresip> {
    pub(crate) person: Person<'s>,
    pub(crate) phone: P,
    pub(crate) voice: Voice,
}

/// An agent of the demo: `ana` or `bruno`.
pub(crate) fn agent<'s>(server: &'s Server, name: &str) -> Colleague<'s> {
    agent_at(server, name, |voice| Baresip::of(server, name, voice))
}

/// The same, whose telephone is a page that speaks this codec.
pub(crate) fn agent_in_browser<'s>(
    server: &'s Server,
    name: &str,
    codec: &str,
) -> Colleague<'s, Chromium> {
    agent_at(server, name, |voice| {
        Chromium::start(server, name, codec, voice)
    })
}

/// The same, at this telephone.
pub(crate) fn agent_at<'s, P>(
    server: &'s Server,
    name: &str,
    phone: impl FnOnce(Voice) -> P,
) -> Colleague<'s, P> {
    let voice = if name == "ana" { ear::ANA } else { ear::BRUNO };
    Colleague {
        person: server.log_in(name),
        phone: phone(voice),
        voice,
    }
}

/// Clara, who watches over the others. Her extension is 202.
pub(crate) fn supervisor(server: &Server) -> Colleague<'_> {
    let administrator = server.administrator();
    let password = server.device_password();
    let user = administrator.ask(
        "POST /api/v1/users",
        &json!({ "email": "clara@demo.example", "name": "Clara", "role": "supervisor", "password": password }),
    );
    administrator.ask(
        "POST /api/v1/devices",
        &json!({ "username": "clara", "extension": "202", "user": user["id"], "password": password }),
    );
    Colleague {
        person: server.log_in_with("clara", &password),
        phone: Baresip::of(server, "clara", ear::CLARA),
        voice: ear::CLARA,
    }
}

/// A telephone that belongs to nobody of the desk.
pub(crate) fn reception(server: &Server, extension: &str, voice: Voice) -> Baresip {
    server.administrator().ask(
        "POST /api/v1/devices",
        &json!({ "username": "recepcao", "extension": extension, "password": server.device_password() }),
    );
    Baresip::of(server, "recepcao", voice)
}

/// A carrier at this address by which calls leave. Returns its id.
pub(crate) fn carrier(server: &Server, name: &str, at: SocketAddr) -> String {
    let settings =
        json!({ "host": at.to_string(), "transport": "udp", "caller_number": OUR_NUMBER });
    let trunk = server.administrator().ask(
        "POST /api/v1/trunks",
        &json!({ "name": name, "settings": settings }),
    );
    trunk["id"].as_str().expect("an id").to_owned()
}

/// A service of the demo: `Vendas` or `Suporte`.
pub(crate) fn service(server: &Server, name: &str) -> String {
    let services = server
        .administrator()
        .ask("GET /api/v1/services", &Value::Null);
    let services = services["items"].as_array().expect("a list");
    let named = services.iter().find(|service| service["name"] == name);
    let id = named.and_then(|service| service["id"].as_str());
    id.expect("a service of the demo").to_owned()
}

/// Agents are free as soon as a call is over.
pub(crate) fn without_wrap_up(server: &Server) {
    for name in ["Vendas", "Suporte"] {
        set_service(server, name, &json!({ "wrap_up_s": 0 }));
    }
}

/// Sets these settings of a service of the demo.
pub(crate) fn set_service(server: &Server, name: &str, changed: &Value) {
    let (administrator, id) = (server.administrator(), service(server, name));
    let line = format!("/api/v1/services/{id}");
    let known = administrator.ask(&format!("GET {line}"), &Value::Null);
    let mut settings = known.as_object().expect("a service").clone();
    settings
        .retain(|name, _| !["id", "company", "created_ms", "updated_ms"].contains(&name.as_str()));
    settings.extend(changed.as_object().expect("settings").clone());
    administrator.ask(&format!("PUT {line}"), &settings.into());
}

/// A customer who calls, chooses Vendas and waits.
pub(crate) fn customer(server: &Server) -> Baresip {
    let mut customer = Baresip::caller(server, CUSTOMERS_NUMBER, ear::CUSTOMER);
    customer.command("dial", &format!("sip:4000@{}", server.udp));
    customer.wait_for("CALL_ESTABLISHED");
    customer.command("sndcode", "1");
    customer
}

/// A customer and an agent who talk, and their call.
pub(crate) fn talk<'s>(server: &'s Server, agent: &mut Colleague<'s>) -> (Baresip, String) {
    let customer = customer(server);
    agent.person.is("available");
    agent.answers();
    let call = agent.call_in_state("talking");
    they_hear(&[
        (&customer, Hears::These(&[agent.voice])),
        (&agent.phone, Hears::These(&[ear::CUSTOMER])),
    ]);
    (customer, call)
}

impl Colleague<'_> {
    /// Their phone rings, and they answer.
    pub(crate) fn answers(&mut self) {
        self.phone.wait_for("CALL_INCOMING");
        self.phone.command("accept", "");
        self.phone.wait_for("CALL_ESTABLISHED");
    }
}

impl Colleague<'_, Chromium> {
    /// Their page rings, and they answer.
    pub(crate) fn answers(&mut self) {
        self.phone.wait_for("incoming");
        self.phone.order(&json!({ "do": "answer" }));
        self.phone.wait_for("confirmed");
    }
}

impl<P> Colleague<'_, P> {
    /// Does something with a call.
    pub(crate) fn orders(&self, call: &str, order: &str) {
        self.person.orders(call, &json!({ "order": order }));
    }

    /// Takes a call somewhere: `consult` or `transfer`.
    pub(crate) fn takes(&self, call: &str, order: &str, to: &Value) {
        self.person
            .orders(call, &json!({ "order": order, "to": to }));
    }

    /// The one call that they see, as soon as it is in this state.
    pub(crate) fn call_in_state(&self, state: &str) -> String {
        until(Duration::from_secs(20), state, || {
            let calls = self.person.calls();
            let call = calls.iter().find(|call| call["state"] == state)?;
            Some(call["interaction"].as_str()?.to_owned())
        })
    }

    /// Waits until this is what they are doing with what they have in hand; `""` is nothing.
    pub(crate) fn is_doing(&self, doing: &str) {
        until(Duration::from_secs(20), doing, || {
            let state = self.person.state();
            let held = state["in_hand"].as_array()?;
            let doings: Vec<&str> = held
                .iter()
                .filter_map(|held| held["doing"].as_str())
                .collect();
            (doings.join(", ") == doing).then_some(())
        });
    }
}

/// Whom the carrier says that customers are.
pub(crate) const CUSTOMERS_NUMBER: &str = "+5511955550100";

/// What we show to those whom we call.
pub(crate) const OUR_NUMBER: &str = "+551130000000";
