//! Templates of two kinds, filled rightly and wrongly.

use serde_json::json;

use super::*;
use crate::event::MediaSource;

fn template() -> Template {
    Template {
        id: "1".to_owned(),
        name: "retorno".to_owned(),
        language: "pt_BR".to_owned(),
        category: "UTILITY".to_owned(),
        state: TemplateState::Approved,
        header: Some(TemplateHeader::Text("Olá, {{nome}}".to_owned())),
        body: "Seu protocolo é {{protocolo}}, {{nome}}.".to_owned(),
        footer: Some("Loja".to_owned()),
        buttons: vec![
            TemplateButtonShape {
                text: "Reabrir".to_owned(),
                kind: Some(ButtonKind::QuickReply),
                url: None,
            },
            TemplateButtonShape {
                text: "Ver".to_owned(),
                kind: Some(ButtonKind::Url),
                url: Some("https://loja.exemplo/p/{{1}}".to_owned()),
            },
            TemplateButtonShape {
                text: "Ligar".to_owned(),
                kind: None,
                url: None,
            },
        ],
    }
}

fn values() -> Values {
    serde_json::from_value(json!({
        "header": {"nome": "Ana"},
        "body": {"nome": "Ana", "protocolo": "20261122000123"},
        "buttons": {"0": "REABRIR", "1": "123"},
    }))
    .expect("values")
}

fn problems(template: &Template, values: &Values) -> Vec<String> {
    let problems = template.fill(values).expect_err("problems");
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn a_template_is_filled_by_names_and_shown_as_the_customer_sees_it() {
    let out = template().fill(&values()).expect("filled");
    let body: Vec<_> = out
        .body
        .iter()
        .map(|value| (&*value.name, &*value.text))
        .collect();
    assert_eq!(body, [("protocolo", "20261122000123"), ("nome", "Ana")]);
    assert_eq!(out.buttons.len(), 2);
    assert_eq!(out.buttons[1].name.as_deref(), Some("1"));
    assert_eq!(
        template().preview(&out),
        "Olá, Ana\nSeu protocolo é 20261122000123, Ana.\nLoja\n[Reabrir]\n[Ver]\n[Ligar]"
    );
}

#[test]
fn places_count_in_their_order_whatever_the_order_of_the_text() {
    let template = Template {
        header: None,
        body: "{{2}} e {{1}} e {{10}} e {{2}}".to_owned(),
        buttons: vec![],
        ..template()
    };
    assert_eq!(template.body_names(), ["1", "2", "10"]);
    let values: Values =
        serde_json::from_value(json!({"body": {"1": "um", "2": "dois", "10": "{{1}}"}}))
            .expect("values");
    let out = template.fill(&values).expect("filled");
    // A value that looks like a gap is not filled again.
    assert_eq!(template.preview(&out), "dois e um e {{1}} e dois\nLoja");
}

#[test]
fn every_problem_is_told_with_its_field() {
    let mut wrong = values();
    wrong.header.clear();
    wrong.body.insert("protocolo".to_owned(), "a\nb".to_owned());
    wrong.body.insert("nome".to_owned(), "a     b".to_owned());
    wrong.body.insert("data".to_owned(), "hoje".to_owned());
    wrong.buttons.remove(&1);
    wrong.buttons.insert(2, "x".to_owned());
    wrong.buttons.insert(9, "x".to_owned());
    let whitespace = "line ends, tabs and more than 4 spaces in a row are not taken";
    assert_eq!(
        problems(&template(), &wrong),
        [
            "header.nome: a value is missing".to_owned(),
            format!("body.protocolo: {whitespace}"),
            format!("body.nome: {whitespace}"),
            "body.data: the template has no such value".to_owned(),
            "buttons.1: a value is missing".to_owned(),
            "buttons.2: the template has no such value".to_owned(),
            "buttons.9: the template has no such value".to_owned(),
        ]
    );
    let mut empty = values();
    empty.body.insert("nome".to_owned(), " ".to_owned());
    assert_eq!(
        problems(&template(), &empty),
        ["body.nome: a value is missing"]
    );
    let mut long = values();
    long.body.insert("nome".to_owned(), "é".repeat(1_024));
    long.header.insert("nome".to_owned(), "é".repeat(56));
    assert_eq!(
        problems(&template(), &long),
        [
            "body: more than 1024 characters",
            "header: more than 60 characters"
        ]
    );
    let paused = Template {
        state: TemplateState::Paused,
        ..template()
    };
    assert_eq!(
        problems(&paused, &values()),
        ["template: the template is paused"]
    );
}

#[test]
fn a_file_is_of_the_kind_that_the_template_has() {
    let with_image = Template {
        header: Some(TemplateHeader::Media(MediaKind::Image)),
        ..template()
    };
    let file = |kind| OutMedia {
        kind,
        source: MediaSource::Id("99887".to_owned()),
        mime: "image/png".to_owned(),
        bytes: 1,
        name: Some("foto.png".to_owned()),
        caption: None,
        voice: false,
    };
    let with = |media: Option<OutMedia>| Values {
        header: BTreeMap::new(),
        header_media: media,
        ..values()
    };
    assert_eq!(
        problems(&with_image, &with(None)),
        ["header_media: a value is missing"]
    );
    assert_eq!(
        problems(&with_image, &with(Some(file(MediaKind::Video)))),
        ["header_media: the file must be of the kind image"]
    );
    let out = with_image
        .fill(&with(Some(file(MediaKind::Image))))
        .expect("filled");
    assert!(with_image.preview(&out).starts_with("[foto.png]\nSeu"));
    let unwanted = Values {
        header_media: Some(file(MediaKind::Image)),
        ..values()
    };
    assert_eq!(
        problems(&template(), &unwanted),
        ["header_media: the template has no such value"]
    );
}

#[test]
fn braces_that_are_no_gap_are_text() {
    for text in [
        "{{", "}}", "{{}}", "{{ }}", "{{a b}}", "{ {1} }", "{{1}", "é{{",
    ] {
        assert!(names(text).is_empty(), "{text}");
        assert_eq!(with(text, &[]), text);
    }
    assert_eq!(names("{{{1}}}"), ["1"]);
    assert_eq!(names("{{ nome }}"), ["nome"]);
}

#[test]
fn every_problem_is_a_sentence_in_every_language_that_says_what_to_do() {
    let faults = [
        TemplateFault::State {
            state: TemplateState::Paused,
        },
        TemplateFault::Missing,
        TemplateFault::Unknown,
        TemplateFault::Whitespace,
        TemplateFault::TooLong { max: 60 },
        TemplateFault::MediaKind {
            kind: MediaKind::Image,
        },
    ];
    for fault in faults {
        let field = "body.nome".to_owned();
        let problem = TemplateProblem { field, fault };
        let said = Language::ALL
            .iter()
            .map(|language| problem.sentence(*language));
        let said: BTreeSet<_> = said.collect();
        assert_eq!(said.len(), 3, "{problem}");
        assert!(
            said.iter()
                .all(|one| one.contains(": ") && one.ends_with('.')),
            "{said:?}"
        );
    }
}
