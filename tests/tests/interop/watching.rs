//! A supervisor at work in the console, and people who may see this and not that: the real program and real
//! browsers.
//!
//! `RAMAL_TEST_SCREENS` names a folder for pictures of what they see.

use desk::record::TrailKind;
use serde_json::{Value, json};

use crate::browser::{Browser, can_browse};
use crate::cast::{agent, service, talk};
use crate::ear::{ANA, CUSTOMER, Hears, they_hear};
use crate::peers;
use crate::server::Server;

#[test]
fn a_supervisor_whispers_from_the_wall_and_the_customer_hears_nothing_of_it() {
    if !can_browse("app", "dist/index.html") || !peers(&["baresip"]) {
        return;
    }
    let server = Server::start();
    let mut ana = agent(&server, "ana");
    let (customer, _) = talk(&server, &mut ana);
    let mut sofia = comes(&server, "sofia", &server.agent_password());
    sofia.does(json!({ "do": "lands", "on": "/wall" }));
    sofia.does(json!({ "do": "watch", "agent": "Ana" }));
    sofia.does(json!({ "do": "usable" }));
    sofia.does(json!({ "do": "part", "how": "Sussurrar" }));
    sofia.shot("watching-1-whisper");
    they_hear(&[(&customer, Hears::These(&[ANA]))]);
    sofia.does(json!({ "do": "leave" }));
    they_hear(&[
        (&customer, Hears::These(&[ANA])),
        (&ana.phone, Hears::These(&[CUSTOMER])),
    ]);
    ana.phone.command("hangup", "");
    let records = server.ended_records(1);
    let supervised = records[0].lines(TrailKind::Supervised);
    let how: Vec<_> = supervised.iter().map(|line| &line["how"]).collect();
    assert_eq!(how, ["whisper"]);
    sofia.does(json!({ "do": "problems" }));
}

/// What somebody may see, by their profile: where they land, which pages they see, which they are refused.
struct Row {
    name: &'static str,
    permissions: Value,
    lands: &'static str,
    sees: Value,
    refused: Value,
}

#[test]
fn everybody_sees_the_pages_of_their_profile_and_is_told_of_the_others_in_words() {
    if !can_browse("app", "dist/index.html") {
        return;
    }
    let server = Server::start();
    let of_services = json!({ "level": "view", "scope": "services" });
    let rows = [
        Row {
            name: "nina",
            permissions: json!({}),
            lands: "/work",
            sees: json!({ "/work": "Meus atendimentos", "/account": "Senha e segurança" }),
            refused: json!({
                "/wall": "Você não tem acesso a Painel",
                "/trace": "Você não tem acesso a Rastreio",
                "/reports": "Você não tem acesso a Relatórios",
                "/ura": "Você não tem acesso a URA",
                "/prompts": "Você não tem acesso a Áudios",
                "/settings": "Você não tem acesso a Configurações",
            }),
        },
        Row {
            name: "caio",
            permissions: json!({ "interactions": of_services, "reports": of_services }),
            lands: "/trace",
            sees: json!({
                "/trace": "Rastreio de interações",
                "/reports": "Relatórios",
            }),
            refused: json!({
                "/wall": "Você não tem acesso a Painel",
                "/settings/users": "Você não tem acesso a Configurações",
            }),
        },
        Row {
            name: "rita",
            permissions: json!({
                "people": { "level": "change" },
                "flows": { "level": "view" },
                "desk": { "level": "view" },
            }),
            lands: "/wall",
            sees: json!({
                "/wall": "Agora",
                "/ura": "Loja",
                "/settings/users": "Sofia",
            }),
            refused: json!({
                "/trace": "Você não tem acesso a Rastreio",
                "/settings/services": "Você não tem acesso a esta parte das configurações",
                "/settings/audit": "Você não tem acesso a esta parte das configurações",
            }),
        },
    ];
    let administrator = server.administrator();
    for row in rows {
        let Row { name, .. } = row;
        let profile = administrator.ask(
            "POST /api/v1/profiles",
            &json!({ "name": name, "permissions": row.permissions }),
        );
        administrator.ask(
            "POST /api/v1/users",
            &json!({
                "name": name, "email": format!("{name}@demo.example"), "role": "agent",
                "password": PASSWORD, "profile": profile["id"],
            }),
        );
        let mut person = comes(&server, name, PASSWORD);
        person.does(json!({ "do": "lands", "on": row.lands }));
        person.does(json!({ "do": "sees", "pages": row.sees }));
        person.does(json!({ "do": "refused", "pages": row.refused }));
        person.does(json!({ "do": "usable" }));
        person.shot(&format!("watching-2-{name}"));
        person.does(json!({ "do": "problems" }));
    }
    // Who is given work comes to it first.
    let vendas = service(&server, "Vendas");
    let people = administrator.ask("GET /api/v1/users", &Value::Null);
    let people = people["items"].as_array().expect("a list");
    let caio = people.iter().find(|one| one["name"] == "caio");
    let staff = json!({ "agents": [caio.expect("he is listed")["id"]] });
    administrator.ask(&format!("PUT /api/v1/services/{vendas}/agents"), &staff);
    let mut caio = comes(&server, "caio", PASSWORD);
    caio.does(json!({ "do": "lands", "on": "/work" }));
    // Who takes none is told so.
    let mut sofia = comes(&server, "sofia", &server.agent_password());
    sofia.does(json!({ "do": "lands", "on": "/wall" }));
    let told = "Você ainda não atende em nenhum serviço";
    sofia.does(json!({ "do": "refused", "pages": { "/work": told } }));
}

const PASSWORD: &str = "uma senha bem comprida";

fn comes(server: &Server, name: &str, password: &str) -> Browser {
    let mut person = Browser::starts("app", "watch.mjs");
    person.does(json!({ "do": "visit", "url": format!("http://{}/", server.http) }));
    let email = format!("{name}@demo.example");
    person.does(json!({ "do": "enter", "email": email, "password": password }));
    person
}
