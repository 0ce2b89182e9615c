//! What is said for each purpose: the company's own words, or ours.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ivr::Language;
use ivr::template::{Escape, render};

use super::Purpose;

/// What is said, by language; ours where it is empty. It may hold [`NAMES`] (`{{name}}`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(pub BTreeMap<Language, String>);

/// The names that [`Words`] may hold.
pub const NAMES: [&str; 6] = [
    "name", "protocol", "service", "company", "opens_at", "position",
];

/// What stands in the place of the names in [`Words`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// What the customer is called.
    pub name: String,
    /// The number that is read to the customer.
    pub protocol: String,
    /// The name of the service.
    pub service: String,
    /// The name of the company.
    pub company: String,
    /// When the service opens next, where it is closed and that is known.
    pub opens_at: String,
    /// The place in the line, where it is told.
    pub position: String,
}

impl Words {
    /// The text for a customer who reads this language, or another where there is none in it.
    pub fn text(&self, purpose: Purpose, language: Language, values: &Values) -> String {
        let own = self.0.get(&language).or_else(|| self.0.values().next());
        let template = match own {
            Some(own) => own.as_str(),
            None => ours(purpose, language, values),
        };
        let value = |name: &str| {
            let value = match name {
                "name" => &values.name,
                "protocol" => &values.protocol,
                "service" => &values.service,
                "company" => &values.company,
                "opens_at" => &values.opens_at,
                "position" => &values.position,
                _ => return None,
            };
            Some(Cow::Borrowed(value.as_str()))
        };
        render(template, Escape::None, value)
    }
}

fn ours(purpose: Purpose, language: Language, values: &Values) -> &'static str {
    let known = !values.opens_at.is_empty();
    match language {
        Language::PtBr => match purpose {
            Purpose::Greeting => {
                "Olá, {{name}}! Recebemos sua mensagem e já vamos atender você. Seu protocolo é {{protocol}}."
            }
            Purpose::Absence if known => {
                "Olá, {{name}}! Estamos fora do horário de atendimento e voltamos em {{opens_at}}. Sua mensagem está guardada no protocolo {{protocol}}."
            }
            Purpose::Absence => {
                "Olá, {{name}}! Estamos fora do horário de atendimento. Sua mensagem está guardada no protocolo {{protocol}} e será respondida assim que voltarmos."
            }
            Purpose::Position(_) => "Você é o número {{position}} na fila.",
            Purpose::Waiting(_) => {
                "Obrigado por aguardar. Assim que alguém estiver livre, responderemos por aqui."
            }
            Purpose::ExpiryWarning => {
                "Ainda está por aí? Sem uma resposta sua, este atendimento será encerrado em breve."
            }
            Purpose::Expired => {
                "Encerramos este atendimento porque não tivemos resposta. Se precisar, é só escrever de novo. Protocolo: {{protocol}}."
            }
            Purpose::Closing => {
                "Atendimento encerrado. Obrigado pelo contato! Protocolo: {{protocol}}."
            }
            Purpose::SurveyThanks => "Obrigado por responder! Sua opinião nos ajuda a melhorar.",
        },
        Language::En => match purpose {
            Purpose::Greeting => {
                "Hello, {{name}}! We have your message and will be with you soon. Your reference is {{protocol}}."
            }
            Purpose::Absence if known => {
                "Hello, {{name}}! We are closed at the moment and will be back on {{opens_at}}. Your message is kept under {{protocol}}."
            }
            Purpose::Absence => {
                "Hello, {{name}}! We are closed at the moment. Your message is kept under {{protocol}} and will be answered when we are back."
            }
            Purpose::Position(_) => "You are number {{position}} in line.",
            Purpose::Waiting(_) => {
                "Thank you for waiting. We will answer here as soon as somebody is free."
            }
            Purpose::ExpiryWarning => {
                "Are you still there? Without an answer this conversation will be closed soon."
            }
            Purpose::Expired => {
                "We have closed this conversation because there was no answer. Write again whenever you need us. Reference: {{protocol}}."
            }
            Purpose::Closing => {
                "This conversation is closed. Thank you for writing! Reference: {{protocol}}."
            }
            Purpose::SurveyThanks => "Thank you for answering! Your opinion helps us to improve.",
        },
        Language::Es => match purpose {
            Purpose::Greeting => {
                "¡Hola, {{name}}! Recibimos su mensaje y enseguida le atendemos. Su número de atención es {{protocol}}."
            }
            Purpose::Absence if known => {
                "¡Hola, {{name}}! Estamos fuera del horario de atención y volvemos el {{opens_at}}. Su mensaje queda guardado con el número {{protocol}}."
            }
            Purpose::Absence => {
                "¡Hola, {{name}}! Estamos fuera del horario de atención. Su mensaje queda guardado con el número {{protocol}} y se responderá cuando volvamos."
            }
            Purpose::Position(_) => "Usted es el número {{position}} en la fila.",
            Purpose::Waiting(_) => {
                "Gracias por esperar. Le responderemos por aquí en cuanto alguien esté libre."
            }
            Purpose::ExpiryWarning => {
                "¿Sigue ahí? Si no responde, esta atención se cerrará en breve."
            }
            Purpose::Expired => {
                "Cerramos esta atención porque no hubo respuesta. Si lo necesita, escríbanos de nuevo. Número: {{protocol}}."
            }
            Purpose::Closing => {
                "Atención finalizada. ¡Gracias por escribirnos! Número: {{protocol}}."
            }
            Purpose::SurveyThanks => "¡Gracias por responder! Su opinión nos ayuda a mejorar.",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_reads_their_language_or_the_one_that_there_is() {
        let values = Values {
            name: "Ana".into(),
            protocol: "20261123000001".into(),
            ..Values::default()
        };
        let own = Words(BTreeMap::from([(
            Language::En,
            "Hi {{name}}, {{what}}{{opens_at}}{{protocol}}".to_owned(),
        )]));
        let said = |words: &Words, language| words.text(Purpose::Closing, language, &values);
        assert_eq!(said(&own, Language::PtBr), "Hi Ana, 20261123000001");
        let ours = Words::default();
        assert!(said(&ours, Language::PtBr).starts_with("Atendimento encerrado."));
        assert!(said(&ours, Language::Es).ends_with("20261123000001."));
    }

    #[test]
    fn nobody_is_told_when_it_opens_where_that_is_not_known() {
        let words = Words::default();
        for language in Language::ALL {
            let mut values = Values::default();
            let without = words.text(Purpose::Absence, language, &values);
            values.opens_at = "24/11 08:00".into();
            let with = words.text(Purpose::Absence, language, &values);
            assert!(
                with.contains("24/11 08:00") && !without.contains("24/11"),
                "{language:?}"
            );
        }
    }
}
