//! What is wrong with a flow or a calendar: a word and its particulars for programs, a sentence
//! for people in their language.

use ivr::NodeId;
use ivr::validate::{self, Code, Severity};
use serde::Serialize;

use super::problem::Tongue;

/// One thing that is wrong with a flow or a calendar.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Finding {
    /// `error` or `warning`; errors keep a flow from being published.
    #[schema(value_type = String)]
    severity: Severity,
    /// A word that stays the same.
    #[schema(value_type = String, example = "no-such-target")]
    code: Code,
    /// At which node; nothing for the flow itself, and for a calendar.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    node: Option<NodeId>,
    /// Where in it: a JSON pointer.
    field: String,
    /// The name, text or number that is wrong.
    detail: String,
    /// For people, in the language of Accept-Language (pt-BR, en, es).
    #[schema(example = "não existe um passo com este nome")]
    sentence: &'static str,
}

/// Findings, in `tongue`.
pub(super) fn shown(findings: &[validate::Finding], tongue: Tongue) -> Vec<Finding> {
    let show = |finding: &validate::Finding| Finding {
        severity: finding.severity,
        code: finding.code,
        node: finding.node.clone(),
        field: finding.field.clone(),
        detail: finding.detail.clone(),
        sentence: sentence(finding.code, tongue),
    };
    findings.iter().map(show).collect()
}

fn sentence(code: Code, tongue: Tongue) -> &'static str {
    match tongue {
        Tongue::Portuguese => portuguese(code),
        Tongue::English => code.sentence(),
        Tongue::Spanish => spanish(code),
    }
}

fn portuguese(code: Code) -> &'static str {
    match code {
        Code::UnsupportedFormat => "esta versão do formato não é aceita",
        Code::NoSuchTarget => "não existe um passo com este nome",
        Code::UnreachableNode => "nada leva a este passo",
        Code::KeyUsedTwice => "esta tecla é usada duas vezes",
        Code::LoopWithoutInput => "estes passos se seguem para sempre",
        Code::LoopOfSilence => "quem não faz nada nunca sai destes passos",
        Code::NoSuchPrompt => "este áudio não existe ou não está publicado",
        Code::NoSuchService => "este serviço não existe",
        Code::NoSuchSkill => "esta habilidade não existe",
        Code::NoSuchCalendar => "este calendário não existe",
        Code::NoSuchFlow => "este fluxo não existe ou não está publicado",
        Code::NoSuchVoice => "esta voz não existe",
        Code::NoSuchSound => "este som não existe nesta língua",
        Code::BadTemplate => "as chaves não contêm uma variável",
        Code::UnknownVariable => "nada dá um valor a esta variável",
        Code::BadVariableName => "isto não é um nome de variável",
        Code::BadValue => "este valor não pode ser dito assim",
        Code::OutOfRange => "isto está fora do intervalo permitido",
        Code::TooMany => "isto é demais",
        Code::TextTooLong => "este texto é longo demais",
        Code::TooDeep => "os fluxos entram fundo demais uns nos outros",
        Code::BadUrl => {
            "o endereço deve começar com http:// ou https:// e um servidor sem variáveis"
        }
        Code::BadHeader => "isto não é o nome de um cabeçalho",
        Code::BadPointer => "isto não é um ponteiro JSON",
        Code::BadPattern => "um padrão só tem X, Z, N e dígitos",
        Code::BadDates => "estas datas terminam antes de começar",
        Code::NothingSaid => "quem liga não ouve nada aqui",
        Code::NoChoices => "este menu não tem opções",
        Code::NoBranch => {
            "a ligação termina aqui quando isto acontece, pois o fluxo não tem saída para falhas"
        }
    }
}

fn spanish(code: Code) -> &'static str {
    match code {
        Code::UnsupportedFormat => "esta versión del formato no se acepta",
        Code::NoSuchTarget => "no existe un paso con este nombre",
        Code::UnreachableNode => "nada lleva a este paso",
        Code::KeyUsedTwice => "esta tecla se usa dos veces",
        Code::LoopWithoutInput => "estos pasos se siguen para siempre",
        Code::LoopOfSilence => "quien no hace nada nunca sale de estos pasos",
        Code::NoSuchPrompt => "este audio no existe o no está publicado",
        Code::NoSuchService => "este servicio no existe",
        Code::NoSuchSkill => "esta habilidad no existe",
        Code::NoSuchCalendar => "este calendario no existe",
        Code::NoSuchFlow => "este flujo no existe o no está publicado",
        Code::NoSuchVoice => "esta voz no existe",
        Code::NoSuchSound => "este sonido no existe en este idioma",
        Code::BadTemplate => "las llaves no contienen una variable",
        Code::UnknownVariable => "nada da un valor a esta variable",
        Code::BadVariableName => "esto no es un nombre de variable",
        Code::BadValue => "este valor no se puede decir así",
        Code::OutOfRange => "esto está fuera del intervalo permitido",
        Code::TooMany => "esto es demasiado",
        Code::TextTooLong => "este texto es demasiado largo",
        Code::TooDeep => "los flujos entran demasiado hondo unos en otros",
        Code::BadUrl => {
            "la dirección debe empezar con http:// o https:// y un servidor sin variables"
        }
        Code::BadHeader => "esto no es el nombre de un encabezado",
        Code::BadPointer => "esto no es un puntero JSON",
        Code::BadPattern => "un patrón solo tiene X, Z, N y dígitos",
        Code::BadDates => "estas fechas terminan antes de empezar",
        Code::NothingSaid => "quien llama no oye nada aquí",
        Code::NoChoices => "este menú no tiene opciones",
        Code::NoBranch => {
            "la llamada termina aquí cuando esto ocurre, pues el flujo no tiene salida para fallas"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_keeps_its_word_and_speaks_the_language_of_the_asker() {
        let finding = validate::Finding {
            severity: Severity::Error,
            code: Code::KeyUsedTwice,
            node: Some("menu".into()),
            field: "/choices/1/key".into(),
            detail: "1".into(),
        };
        for (tongue, sentence) in [
            (Tongue::Portuguese, "esta tecla é usada duas vezes"),
            (Tongue::English, "this key is used twice"),
            (Tongue::Spanish, "esta tecla se usa dos veces"),
        ] {
            let shown = shown(std::slice::from_ref(&finding), tongue);
            let json = serde_json::to_value(&shown[0]).expect("JSON");
            let wanted = serde_json::json!({
                "severity": "error", "code": "key-used-twice", "node": "menu",
                "field": "/choices/1/key", "detail": "1", "sentence": sentence,
            });
            assert_eq!(json, wanted);
        }
    }
}
