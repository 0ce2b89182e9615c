//! Those who play in the stories: customers, agents, a supervisor, and what they do first.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};

use crate::baresip::Baresip;
use crate::ear::{self, Hears, Voice, they_hear};
use crate::server::{Person, Server, until};

/// Somebody of the company, with a telephone.
pub(crate) struct Colleague<'s> {
    pub(crate) person: Person<'s>,
    pub(crate) phone: Baresip,
    pub(crate) voice: Voice,
}

/// An agent of the demo: `ana` or `bruno`.
pub(crate) fn agent<'s>(server: &'s Server, name: &str) -> Colleague<'s> {
    let voice = if name == "ana" { ear::ANA } else { ear::BRUNO };
    Colleague {
        person: server.log_in(name),
        phone: Baresip::of(server, name, voice),
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
    let administrator = server.administrator();
    let services = administrator.ask("GET /api/v1/services", &Value::Null);
    for service in services["items"].as_array().expect("a list") {
        let mut settings = service.as_object().expect("a service").clone();
        let id = settings.remove("id").expect("an id");
        settings
            .retain(|name, _| !["company", "created_ms", "updated_ms"].contains(&name.as_str()));
        settings.insert("wrap_up_s".into(), 0.into());
        let id = id.as_str().expect("an id");
        administrator.ask(&format!("PUT /api/v1/services/{id}"), &settings.into());
    }
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
