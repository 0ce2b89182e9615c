//! Decisions in words that a supervisor can read. All such words stand here.
//!
//! ```text
//! Bruno: atende, fatura 3 (mínimo 2), ocioso há 4 min · Carla: em pausa almoço há 12 min
//! ```

use crate::change::PauseReason;
use crate::decision::{Considered, Decision, SkillFound, Unfit, Verdict};
use crate::id::{PauseId, ServiceId, SkillId, UserId};
use crate::rules::Routing;
use crate::words;
use crate::work::Medium;

words! {
    /// The languages a supervisor may read.
    Language {
        /// Brazilian Portuguese.
        PtBr = "pt-BR",
        /// English.
        En = "en",
        /// Spanish.
        Es = "es",
    }
}

/// What ids are called. What is not known is shown by its id.
pub trait Names {
    /// A person.
    fn agent(&self, id: &UserId) -> String;
    /// A skill.
    fn skill(&self, id: &SkillId) -> String;
    /// A reason for a pause.
    fn pause(&self, id: &PauseId) -> String;
    /// A service.
    fn service(&self, id: &ServiceId) -> String;
}

/// The decision in one line: how the work came up, then each agent and why or why not.
pub fn decision(decision: &Decision, language: Language, names: &impl Names) -> String {
    let mut parts = vec![heading(decision, language, names)];
    for considered in &decision.considered {
        let name = names.agent(&considered.agent);
        let why = reason(considered, decision, language, names);
        parts.push(format!("{name}: {why}"));
    }
    if decision.more > 0 {
        let more = decision.more;
        parts.push(match language {
            Language::PtBr => format!("e mais {more}"),
            Language::En => format!("and {more} more"),
            Language::Es => format!("y {more} más"),
        });
    }
    parts.join(" · ")
}

fn heading(decision: &Decision, language: Language, names: &impl Names) -> String {
    let service = names.service(&decision.service);
    let routing = routing(decision.routing, language);
    let waited = span(decision.turn.waited_ms);
    let mut text = match language {
        Language::PtBr => format!("{service}, {routing}, esperou {waited}"),
        Language::En => format!("{service}, {routing}, waited {waited}"),
        Language::Es => format!("{service}, {routing}, esperó {waited}"),
    };
    if decision.turn.points != 0 {
        let points = decision.turn.points;
        text += &match language {
            Language::PtBr => format!(", prioridade {points}"),
            Language::En => format!(", priority {points}"),
            Language::Es => format!(", prioridad {points}"),
        };
    }
    if decision.turn.weight > 1 {
        let weight = decision.turn.weight;
        text += &match language {
            Language::PtBr => format!(", peso {weight}"),
            Language::En => format!(", weight {weight}"),
            Language::Es => format!(", peso {weight}"),
        };
    }
    text + match (decision.turn.relaxed, language) {
        (Some(0), _) => "",
        (Some(_), Language::PtBr) => ", habilidades reduzidas pela espera",
        (Some(_), Language::En) => ", skills relaxed by waiting",
        (Some(_), Language::Es) => ", habilidades reducidas por la espera",
        (None, Language::PtBr) => ", habilidades dispensadas",
        (None, Language::En) => ", skills waived",
        (None, Language::Es) => ", habilidades omitidas",
    }
}

fn routing(routing: Routing, language: Language) -> &'static str {
    match (routing, language) {
        (Routing::LongestIdle, Language::PtBr) => "mais tempo ocioso",
        (Routing::LongestIdle, Language::En) => "longest idle",
        (Routing::LongestIdle, Language::Es) => "más tiempo libre",
        (Routing::RoundRobin, Language::PtBr) => "rodízio",
        (Routing::RoundRobin, Language::En) => "round robin",
        (Routing::RoundRobin, Language::Es) => "por turnos",
        (Routing::LeastOccupied, Language::PtBr) => "menos ocupado",
        (Routing::LeastOccupied, Language::En) => "least occupied",
        (Routing::LeastOccupied, Language::Es) => "menos ocupado",
        (Routing::FewestHandled, Language::PtBr) => "menos atendimentos",
        (Routing::FewestHandled, Language::En) => "fewest handled",
        (Routing::FewestHandled, Language::Es) => "menos atenciones",
        (Routing::RingAll, Language::PtBr) => "toca para todos",
        (Routing::RingAll, Language::En) => "rings all",
        (Routing::RingAll, Language::Es) => "suena para todos",
    }
}

/// Why an agent was chosen or not.
fn reason(
    considered: &Considered,
    decision: &Decision,
    language: Language,
    names: &impl Names,
) -> String {
    let facts = facts(considered, decision.routing, language, names);
    match &considered.verdict {
        Verdict::Chosen {
            preferred,
            interrupts,
            ..
        } => {
            let mut text = match language {
                Language::PtBr => "atende".to_owned(),
                Language::En => "chosen".to_owned(),
                Language::Es => "atiende".to_owned(),
            };
            if *preferred {
                text += match language {
                    Language::PtBr => ", preferido do contato",
                    Language::En => ", preferred by the contact",
                    Language::Es => ", preferido del contacto",
                };
            }
            if !interrupts.is_empty() {
                let count = interrupts.len();
                text += &match language {
                    Language::PtBr => format!(", interrompe {count}"),
                    Language::En => format!(", interrupts {count}"),
                    Language::Es => format!(", interrumpe {count}"),
                };
            }
            format!("{text}{facts}")
        }
        Verdict::Behind => match language {
            Language::PtBr => format!("livre, depois na ordem{facts}"),
            Language::En => format!("free, later in order{facts}"),
            Language::Es => format!("libre, después en el orden{facts}"),
        },
        Verdict::Unfit(why) => unfit(why, decision.at_ms, language, names),
    }
}

/// The skills, and what the routing looked at.
fn facts(
    considered: &Considered,
    routing: Routing,
    language: Language,
    names: &impl Names,
) -> String {
    let mut text = String::new();
    for found in &considered.skills {
        text += &format!(", {}", skill(found, language, names));
    }
    let looked_at = match routing {
        Routing::LongestIdle | Routing::RingAll | Routing::RoundRobin => {
            let idle = span(considered.idle_ms);
            match language {
                Language::PtBr => format!("ocioso há {idle}"),
                Language::En => format!("idle {idle}"),
                Language::Es => format!("libre hace {idle}"),
            }
        }
        Routing::LeastOccupied => {
            let load = considered.load;
            match language {
                Language::PtBr => format!("ocupação {load}%"),
                Language::En => format!("occupied {load}%"),
                Language::Es => format!("ocupación {load}%"),
            }
        }
        Routing::FewestHandled => {
            let handled = considered.handled;
            match language {
                Language::PtBr => format!("{handled} atendimentos hoje"),
                Language::En => format!("{handled} handled today"),
                Language::Es => format!("{handled} atenciones hoy"),
            }
        }
    };
    format!("{text}, {looked_at}")
}

fn skill(found: &SkillFound, language: Language, names: &impl Names) -> String {
    let name = names.skill(&found.skill);
    let SkillFound { has, wanted, .. } = found;
    match language {
        Language::PtBr => format!("{name} {has} (mínimo {wanted})"),
        Language::En => format!("{name} {has} (at least {wanted})"),
        Language::Es => format!("{name} {has} (mínimo {wanted})"),
    }
}

fn unfit(why: &Unfit, at_ms: i64, language: Language, names: &impl Names) -> String {
    let pt_en_es = |pt: &str, en: &str, es: &str| {
        match language {
            Language::PtBr => pt,
            Language::En => en,
            Language::Es => es,
        }
        .to_owned()
    };
    match why {
        Unfit::Offline => pt_en_es("desconectado", "offline", "desconectado"),
        Unfit::Lost => pt_en_es("conexão perdida", "connection lost", "conexión perdida"),
        Unfit::WrappingUp => pt_en_es("em tabulação", "wrapping up", "tipificando"),
        Unfit::Ringing => pt_en_es(
            "recebendo outra oferta",
            "another offer is ringing",
            "recibiendo otra oferta",
        ),
        Unfit::NoPage => pt_en_es("sem tela aberta", "no page open", "sin pantalla abierta"),
        Unfit::NotInService => pt_en_es(
            "não atende este serviço",
            "not in this service",
            "no atiende este servicio",
        ),
        Unfit::Paused { reason, since_ms } => {
            let reason = pause(reason, language, names);
            let since = span(at_ms.saturating_sub(*since_ms));
            match language {
                Language::PtBr => format!("em pausa {reason} há {since}"),
                Language::En => format!("paused ({reason}) for {since}"),
                Language::Es => format!("en pausa {reason} hace {since}"),
            }
        }
        Unfit::Busy { load, with, .. } => {
            let with = medium(*with, language);
            match language {
                Language::PtBr => format!("ocupado com {with} ({load}% da atenção), sem espaço"),
                Language::En => format!("busy with {with} ({load}% of their attention), no room"),
                Language::Es => format!("ocupado con {with} ({load}% de la atención), sin espacio"),
            }
        }
        Unfit::Skill(found) => skill(found, language, names),
        Unfit::Refused { until_ms } => {
            let rest = span(until_ms.saturating_sub(at_ms));
            match language {
                Language::PtBr => format!("recusou ou repassou; de novo em {rest}"),
                Language::En => format!("refused or handed on; again in {rest}"),
                Language::Es => format!("rechazó o derivó; de nuevo en {rest}"),
            }
        }
        Unfit::Reserved { agent, until_ms } => {
            let (agent, rest) = (names.agent(agent), span(until_ms.saturating_sub(at_ms)));
            match language {
                Language::PtBr => format!("reservado para {agent} por mais {rest}"),
                Language::En => format!("reserved for {agent} for {rest} more"),
                Language::Es => format!("reservado para {agent} por {rest} más"),
            }
        }
    }
}

fn pause(reason: &PauseReason, language: Language, names: &impl Names) -> String {
    match (reason, language) {
        (PauseReason::Chosen(pause) | PauseReason::Forced(pause), _) => names.pause(pause),
        (PauseReason::Missed, Language::PtBr) => "por oferta perdida".to_owned(),
        (PauseReason::Missed, Language::En) => "missed an offer".to_owned(),
        (PauseReason::Missed, Language::Es) => "por oferta perdida".to_owned(),
        (PauseReason::Unreachable, Language::PtBr) => "por ramal inacessível".to_owned(),
        (PauseReason::Unreachable, Language::En) => "phone unreachable".to_owned(),
        (PauseReason::Unreachable, Language::Es) => "por extensión inaccesible".to_owned(),
        (PauseReason::Busy, Language::PtBr) => "por ramal ocupado".to_owned(),
        (PauseReason::Busy, Language::En) => "phone busy".to_owned(),
        (PauseReason::Busy, Language::Es) => "por extensión ocupada".to_owned(),
        (PauseReason::Leaving, Language::PtBr) => "de saída".to_owned(),
        (PauseReason::Leaving, Language::En) => "leaving".to_owned(),
        (PauseReason::Leaving, Language::Es) => "de salida".to_owned(),
        (PauseReason::Refused, Language::PtBr) => "por oferta recusada".to_owned(),
        (PauseReason::Refused, Language::En) => "refused an offer".to_owned(),
        (PauseReason::Refused, Language::Es) => "por oferta rechazada".to_owned(),
    }
}

fn medium(medium: Medium, language: Language) -> &'static str {
    match (medium, language) {
        (Medium::Phone, Language::PtBr) => "ligação",
        (Medium::Phone, Language::En) => "a call",
        (Medium::Phone, Language::Es) => "llamada",
        (Medium::Chat, _) => "chat",
        (Medium::Email, Language::PtBr) => "e-mail",
        (Medium::Email, Language::En) => "e-mail",
        (Medium::Email, Language::Es) => "correo",
        (Medium::Task, Language::PtBr) => "tarefa",
        (Medium::Task, Language::En) => "a task",
        (Medium::Task, Language::Es) => "tarea",
    }
}

/// A span as people say it: the same in all three languages.
fn span(ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, _) => format!("{minutes} min"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}
