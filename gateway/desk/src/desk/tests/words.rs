//! Decisions, and the words for them.

use super::*;
use crate::change::PauseReason;
use crate::decision::{CONSIDERED_MAX, Unfit, Verdict};
use crate::explain::{self, Language, Names};
use crate::id::{PauseId, SkillId};
use crate::rules::Routing;

/// Ids with a capital: enough of a name.
struct Capitals;

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

impl Names for Capitals {
    fn agent(&self, id: &UserId) -> String {
        capital(id.as_str())
    }
    fn skill(&self, id: &SkillId) -> String {
        id.to_string()
    }
    fn pause(&self, id: &PauseId) -> String {
        id.to_string()
    }
    fn service(&self, id: &ServiceId) -> String {
        capital(id.as_str())
    }
}

/// Bruno gets it; Ana is too weak, Carla at lunch, Davi busy with a chat, Eva not there.
fn decided() -> Decision {
    let skill: &[(&str, u8)] = &[("fatura", 3)];
    let vendas: &[&str] = &["vendas"];
    let mut rules = rules(
        vendas,
        &[
            ("ana", vendas, &[("fatura", 1)]),
            ("bruno", vendas, skill),
            ("carla", vendas, skill),
            ("davi", vendas, skill),
            ("eva", vendas, skill),
        ],
    );
    rules
        .services
        .get_mut(&id("vendas"))
        .expect("it is there")
        .weight = 2;
    let mut floor = Floor::new(rules);
    floor.comes("davi");
    floor.waits(Work {
        medium: Medium::Chat,
        ..work("chat")
    });
    let offer = floor.offer_of("chat");
    floor.accepts(offer);
    for agent in ["ana", "bruno", "carla"] {
        floor.comes(agent);
    }
    let lunch = PauseReason::Chosen(id("almoco"));
    floor
        .does(|desk, now| desk.pause(now, &id("carla"), lunch))
        .expect("known");
    floor.passes(240_000);
    floor.decisions();
    floor.waits(Work {
        skills: vec![wanted("fatura", 2)],
        priority: Priority {
            contact: 1,
            number: 0,
        },
        ..work("w1")
    });
    floor.decisions().pop().expect("a decision")
}

#[test]
fn a_decision_holds_who_was_chosen_and_why_not_the_others() {
    let decision = decided();
    let verdicts: Vec<_> = decision
        .considered
        .iter()
        .map(|considered| (considered.agent.as_str(), &considered.verdict))
        .collect();
    assert_eq!(verdicts.len(), 5);
    assert!(matches!(
        verdicts[0],
        (
            "bruno",
            Verdict::Chosen {
                preferred: false,
                ..
            }
        )
    ));
    assert!(matches!(
        verdicts[1],
        ("ana", Verdict::Unfit(Unfit::Skill(_)))
    ));
    assert!(matches!(
        verdicts[2],
        ("carla", Verdict::Unfit(Unfit::Paused { .. }))
    ));
    let busy = Unfit::Busy {
        load: 20,
        cost: 100,
        with: Medium::Chat,
    };
    assert_eq!(verdicts[3], ("davi", &Verdict::Unfit(busy)));
    assert_eq!(verdicts[4], ("eva", &Verdict::Unfit(Unfit::Offline)));
    assert_eq!(decision.considered[0].idle_ms, 240_000);
}

#[test]
fn a_supervisor_reads_it_in_their_language() {
    let decision = decided();
    let say = |language| explain::decision(&decision, language, &Capitals);
    assert_eq!(
        say(Language::PtBr),
        "Vendas, mais tempo ocioso, esperou 0 s, prioridade 1, peso 2 · \
         Bruno: atende, fatura 3 (mínimo 2), ocioso há 4 min · \
         Ana: fatura 1 (mínimo 2) · Carla: em pausa almoco há 4 min · \
         Davi: ocupado com chat (20% da atenção), sem espaço · Eva: desconectado"
    );
    assert_eq!(
        say(Language::En),
        "Vendas, longest idle, waited 0 s, priority 1, weight 2 · \
         Bruno: chosen, fatura 3 (at least 2), idle 4 min · \
         Ana: fatura 1 (at least 2) · Carla: paused (almoco) for 4 min · \
         Davi: busy with chat (20% of their attention), no room · Eva: offline"
    );
    assert_eq!(
        say(Language::Es),
        "Vendas, más tiempo libre, esperó 0 s, prioridad 1, peso 2 · \
         Bruno: atiende, fatura 3 (mínimo 2), libre hace 4 min · \
         Ana: fatura 1 (mínimo 2) · Carla: en pausa almoco hace 4 min · \
         Davi: ocupado con chat (20% de la atención), sin espacio · Eva: desconectado"
    );
}

#[test]
fn a_waiting_work_can_be_explained_and_long_lists_are_cut() {
    let names: Vec<String> = (10..40).map(|number| format!("a{number}")).collect();
    let agents: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut floor = Floor::new(sales(&agents, |service| {
        service.routing = Routing::FewestHandled;
    }));
    floor.waits(work("w1"));
    let now = floor.now();
    let why = floor.desk.explain(now, &id("w1")).expect("it waits");
    assert_eq!(why.considered.len(), CONSIDERED_MAX);
    assert_eq!(why.more, 30 - CONSIDERED_MAX);
    let nobody = |verdict: &Verdict| *verdict == Verdict::Unfit(Unfit::Offline);
    assert!(
        why.considered
            .iter()
            .all(|considered| nobody(&considered.verdict))
    );
    let text = explain::decision(&why, Language::PtBr, &Capitals);
    assert!(text.ends_with("e mais 18"), "{text}");
}
