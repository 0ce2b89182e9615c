//! The whole story of a call: from the line to a person in the browser, to a colleague, to the survey; and
//! what is known of it afterwards.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use desk::record::TrailKind;
use media_engine::codec::Codec;
use media_engine::quality::Suffered;
use serde_json::{Value, json};

use crate::baresip::{Baresip, compare};
use crate::cast::{Colleague, agent, agent_in_browser, customer, set_service};
use crate::chromium::{Chromium, can_browse};
use crate::ear::{ANA, BRUNO, CUSTOMER, Hears, they_hear};
use crate::peers;
use crate::recording::{Recording, speakers, tenths_of};
use crate::server::{Person, Recorded, Server, until};

#[test]
fn a_customer_waits_is_answered_in_a_browser_handed_to_a_colleague_and_asked_how_it_was() {
    if !can_browse() || !peers(&["baresip", "sox"]) {
        return;
    }
    let server = Server::start();
    let administrator = server.administrator();
    let survey = published(&administrator, "Pesquisa", &survey());
    let settings = json!({
        "wrap_up_s": 120,
        "calls": { "recording": "always", "survey": survey },
        "rules": { "disposition_mandatory": true, "dispositions": dispositions() },
    });
    set_service(&server, "Vendas", &settings);
    let mut ana = agent_in_browser(&server, "ana", "opus");
    let mut bruno = agent(&server, "bruno");

    let mut customer = waits(&server);
    let call = is_handed_on(&customer, &mut ana, &mut bruno);
    bruno.phone.command("hangup", "");
    bruno.is_doing("wrapping up");
    they_hear(&[(&customer, Hears::Music)]);
    customer.command("sndcode", "5");
    customer.wait_for("CALL_CLOSED");
    the_place_was_said(&server, &customer);
    wraps_up(&bruno);

    server.is_quiet();
    let record = &server.ended_records(1)[0];
    assert_eq!(record.call.id.as_str(), call);
    the_record_tells_it_all(record, &bruno);
    the_answer_is_kept(&administrator, &call, &bruno);
    the_choices_are_explained(&administrator, &call);
    the_legs_are_told_apart(&administrator, &call);
    the_voices_are_on_their_sides(&administrator, &call);
}

/// A customer calls, chooses Vendas, hears that they are the first, and music.
fn waits(server: &Server) -> Baresip {
    let customer = customer(server);
    let waiting = until(Duration::from_secs(20), "their place is said", || {
        let records = server.records();
        let said = records.first()?.lines(TrailKind::Announced);
        said.first().map(|said| (*said).clone())
    });
    assert_eq!(waiting["position"], 1);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let length = seconds(&announcement(folder.path(), server));
    customer.hears_for(Duration::from_secs_f64(length + 1.5));
    they_hear(&[(&customer, Hears::Music)]);
    customer
}

/// What they heard was their place, as it is written.
fn the_place_was_said(server: &Server, customer: &Baresip) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let announcement = announcement(folder.path(), server);
    let Some(compared) = compare(&announcement, &customer.recording()) else {
        return;
    };
    eprintln!("{compared}");
    let number = |name: &str| compared[name].as_f64().expect("a number");
    assert!(number("fit") > 0.9, "something else is said: {compared}");
    assert!(number("shift_ms") <= 20.0, "cut, or with a gap: {compared}");
}

/// What who waits first is told: "Por favor, aguarde … Você é o primeiro da fila."
fn announcement(folder: &Path, server: &Server) -> PathBuf {
    let sounds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sounds/pt-BR");
    let words = ["queue/you-are.ogg", "ordinals/1.ogg", "queue/in-line.ogg"];
    let joined = folder.join("announcement.wav");
    let made = Command::new("sox")
        .arg(server.prompt("Aguarde"))
        .args(words.map(|word| sounds.join(word)))
        .args(["-b", "16"])
        .arg(&joined)
        .status();
    assert!(made.expect("sox").success());
    joined
}

fn seconds(file: &Path) -> f64 {
    let said = Command::new("sox").args(["--i", "-D"]).arg(file).output();
    let said = String::from_utf8(said.expect("sox").stdout).expect("text");
    said.trim().parse().expect("seconds")
}

/// Ana answers, asks Bruno, and leaves the customer to him. Returns the call.
fn is_handed_on(
    customer: &Baresip,
    ana: &mut Colleague<Chromium>,
    bruno: &mut Colleague,
) -> String {
    ana.person.is("available");
    ana.answers();
    let call = ana.call_in_state("talking");
    they_hear(&[
        (customer, Hears::These(&[ANA])),
        (&ana.phone, Hears::These(&[CUSTOMER])),
    ]);
    bruno.person.is("available");
    ana.takes(&call, "consult", &json!({ "agent": bruno.person.id() }));
    bruno.answers();
    they_hear(&[
        (customer, Hears::Music),
        (&ana.phone, Hears::These(&[BRUNO])),
        (&bruno.phone, Hears::These(&[ANA])),
    ]);
    ana.orders(&call, "complete");
    ana.phone.wait_for("ended");
    they_hear(&[
        (customer, Hears::These(&[BRUNO])),
        (&bruno.phone, Hears::These(&[CUSTOMER])),
    ]);
    ana.is_doing("");
    bruno.is_doing("handling");
    call
}

/// Bruno must say what came of it, and does.
fn wraps_up(bruno: &Colleague) {
    let held = bruno.person.ask("GET /api/v1/agents/me/work", &Value::Null);
    let work = &held["items"][0];
    assert_eq!(work["disposition_mandatory"], true, "{held}");
    assert_eq!(work["dispositions"], dispositions(), "{held}");
    let id = work["work"].as_str().expect("an id");
    let end = format!("POST /api/v1/work/{id}/end-wrap-up");
    let (status, why) = bruno.person.request(&end, &Value::Null);
    assert_eq!(status, 409, "{why}");
    let dispose = format!("POST /api/v1/work/{id}/disposition");
    for (wrong, field) in [
        (json!({ "disposition": "venda" }), "a heading"),
        (json!({ "disposition": "vendido" }), "without its amount"),
    ] {
        let (status, why) = bruno.person.request(&dispose, &wrong);
        assert_eq!(status, 422, "{field}: {why}");
    }
    let filled =
        json!({ "disposition": "vendido", "fields": { "valor": "19.90" }, "note": "fibra" });
    bruno.person.ask(&dispose, &filled);
    bruno.is_doing("");
}

fn the_record_tells_it_all(record: &Recorded, bruno: &Colleague) {
    let finished = record.lines(TrailKind::Finished);
    let last = finished.last().expect("an end");
    assert_eq!(last["agent"], bruno.person.id().as_str(), "{record:?}");
    assert_eq!(last["disposition"], "vendido");
    assert_eq!(last["disposition_name"], "Venda › Vendido");
    assert_eq!(last["fields"]["valor"], "19.90");
    assert_eq!(last["note"], "fibra");
    assert_eq!(record.lines(TrailKind::Consulted).len(), 1, "{record:?}");
    let transferred = record.lines(TrailKind::Transferred);
    assert_eq!(transferred[0]["attended"], true, "{record:?}");
    // How it sounded on each leg: the customer's, and those of the agents.
    let quality = record
        .call
        .quality
        .as_ref()
        .expect("the customer was heard");
    assert!(quality.packets_received > 200, "{quality:?}");
    is_rated_as_measured(&json!(quality));
    let left = record.lines(TrailKind::DialledLeft);
    let codecs: BTreeSet<_> = left.iter().map(|line| line["codec"].as_str()).collect();
    assert_eq!(codecs, [Some("PCMA"), Some("opus")].into(), "{record:?}");
    for line in left {
        is_rated_as_measured(&line["quality"]);
    }
}

/// The network of one machine loses nothing, but a busy machine is late: the rating must be what the E-model
/// says of the way that was measured, with up to half a second more that the ear holds back and one packet in
/// twenty that was too late for it.
fn is_rated_as_measured(quality: &Value) {
    let way = quality["round_trip_ms"].as_f64().unwrap_or_default() / 2_000.0;
    let rate = |loss, held_back_s| {
        let suffered = Suffered {
            codec: Codec::Pcma,
            loss,
            burst: 1.0,
            delay: Duration::from_secs_f64(way + held_back_s),
        };
        suffered.rate().mos
    };
    let rated = quality["mos"].as_f64().expect("a rating");
    let (worst, best) = (rate(0.05, 0.5), rate(0.0, 0.0));
    assert!((worst..=best).contains(&rated), "{worst} {best}: {quality}");
}

fn the_answer_is_kept(administrator: &Person, call: &str, bruno: &Colleague) {
    let answers = administrator.ask("GET /api/v1/survey-answers", &Value::Null);
    let [answer] = &answers["items"].as_array().expect("a list")[..] else {
        panic!("one answer: {answers}")
    };
    assert_eq!(answer["interaction"], call, "{answer}");
    assert_eq!(answer["agent"], bruno.person.id().as_str(), "{answer}");
    assert_eq!(
        (&answer["question"], &answer["answer"]),
        (&json!("nota"), &json!("5"))
    );
}

fn the_choices_are_explained(administrator: &Person, call: &str) {
    let path = format!("GET /api/v1/interactions/{call}/decisions");
    let decisions = administrator.ask(&path, &Value::Null);
    let told = decisions["items"].as_array().expect("a list").iter();
    let told: Vec<&str> = told.filter_map(|one| one["sentence"].as_str()).collect();
    let [offered, asked] = told[..] else {
        panic!("an offer and a question: {told:?}")
    };
    assert!(
        offered.starts_with("Vendas, mais tempo ocioso, esperou "),
        "{told:?}"
    );
    assert!(offered.contains(" · Ana: atende"), "{told:?}");
    assert!(offered.contains(" · Bruno: desconectado"), "{told:?}");
    assert!(asked.contains(" · Bruno: atende"), "{told:?}");
}

fn the_legs_are_told_apart(administrator: &Person, call: &str) {
    let path = format!("GET /api/v1/interactions/{call}/sip");
    let ladder = administrator.ask(&path, &Value::Null);
    let legs = ladder["legs"].as_array().expect("legs");
    let told: Vec<_> = legs
        .iter()
        .map(|leg| {
            let messages = leg["messages"].as_array().expect("messages");
            let begins = messages.first().expect("an INVITE");
            let bye = messages.iter().find(|one| {
                let line = one["line"].as_str().unwrap_or_default();
                line.starts_with("BYE ")
            });
            let bye = bye.expect("an end");
            [
                &begins["transport"],
                &begins["direction"],
                &bye["direction"],
            ]
            .map(|word| word.as_str().expect("a word"))
        })
        .collect();
    let wanted = [
        ["UDP", "received", "sent"], // the customer calls, and is let go
        ["WS", "sent", "sent"],      // Ana is called, and let go
        ["UDP", "sent", "received"], // Bruno is called, and hangs up
    ];
    assert_eq!(told, wanted, "{ladder}");
}

fn the_voices_are_on_their_sides(administrator: &Person, call: &str) {
    let recording = Recording::of(administrator, call);
    let (left, right) = (&recording.left, &recording.right);
    assert_eq!(speakers(left), [CUSTOMER]);
    assert_eq!(speakers(right), [ANA, BRUNO]);
    for (voice, side) in [(CUSTOMER, left), (ANA, right), (BRUNO, right)] {
        let tenths = tenths_of(voice, side);
        assert!(tenths >= 5, "{voice:?} for {tenths} tenths");
    }
    let path = format!("GET /api/v1/interactions/{call}");
    let known = administrator.ask(&path, &Value::Null);
    let trail = known["trail"].as_array().expect("a trail");
    let heard = trail
        .iter()
        .filter(|line| line["kind"] == "recording_heard");
    assert_eq!(heard.count(), 1, "who listens is written down: {known}");
}

/// Publishes a flow. Returns its id.
fn published(administrator: &Person, name: &str, flow: &Value) -> String {
    let made = administrator.ask("POST /api/v1/flows", &json!({ "name": name, "flow": flow }));
    let id = made["id"].as_str().expect("an id").to_owned();
    administrator.ask(&format!("POST /api/v1/flows/{id}/publish"), &Value::Null);
    id
}

fn survey() -> Value {
    let question = "De um a cinco, que nota você dá ao nosso atendimento?";
    let choices: Vec<Value> = (1..=5)
        .map(|key| json!({ "key": key.to_string(), "to": "obrigado" }))
        .collect();
    json!({ "format": 1, "language": "pt-BR", "entry": "nota", "nodes": {
        "nota": {
            "kind": "menu", "say": [{ "kind": "text", "text": question }],
            "choices": choices, "otherwise": "obrigado",
        },
        "obrigado": { "kind": "hang-up", "say": [{ "kind": "text", "text": "Obrigado." }] },
    } })
}

fn dispositions() -> Value {
    let amount = json!({ "name": "valor", "required": true, "kind": "number" });
    let code = |id: &str, name: &str, children: Value, fields: Value| {
        json!({
            "id": id, "name": name, "children": children, "fields": fields, "actions": [],
        })
    };
    let sold = code("vendido", "Vendido", json!([]), json!([amount]));
    let not_sold = code("recusado", "Não quis", json!([]), json!([]));
    json!([code("venda", "Venda", json!([sold, not_sold]), json!([]))])
}
