use serde_json::json;

use super::*;

fn catalogue() -> Catalogue {
    Catalogue {
        prompts: ["hello".into()].into(),
        services: ["Vendas".into()].into(),
        skills: ["fatura".into()].into(),
        calendars: ["c".into()].into(),
        flows: [("other".into(), BTreeSet::new())].into(),
        voices: Some(["pf_dora".into()].into()),
    }
}

/// What is wrong with a flow of these nodes, whose entry and failure exit is `a`.
fn found(nodes: serde_json::Value) -> Vec<String> {
    found_in(json!({"format": 1, "entry": "a", "failure": "end", "nodes": nodes}))
}

fn found_in(mut flow: serde_json::Value) -> Vec<String> {
    if flow["failure"] == "end" {
        flow["nodes"]["end"] = json!({"kind": "hang-up"});
    }
    let flow = serde_json::from_value(flow).unwrap();
    validate(&flow, Some(&FlowId::new("own")), &catalogue())
        .into_iter()
        .map(|finding| {
            let code = serde_json::to_value(finding.code).unwrap();
            let node = finding
                .node
                .map(|node| node.to_string())
                .unwrap_or_default();
            let severity = if finding.severity == Severity::Error {
                ""
            } else {
                "?"
            };
            format!(
                "{severity}{} {node}{} {}",
                code.as_str().unwrap(),
                finding.field,
                finding.detail
            )
        })
        .collect()
}

#[test]
fn dangling_targets_and_unreachable_nodes_are_found_where_they_stand() {
    assert_eq!(
        found(json!({
            "a": {"kind": "condition", "cases": [{"all": [], "to": "b"}], "otherwise": "nowhere"},
            "b": {"kind": "return"},
            "lost": {"kind": "return"},
        })),
        [
            "no-such-target a/otherwise nowhere",
            "?unreachable-node lost lost"
        ]
    );
    assert_eq!(
        found_in(json!({"format": 2, "entry": "x", "failure": "y", "nodes": {}})),
        [
            "unsupported-format /format 2",
            "no-such-target /entry x",
            "no-such-target /failure y"
        ]
    );
}

#[test]
fn a_key_used_twice_is_found_also_as_repeat_key() {
    assert_eq!(
        found(json!({
            "a": {
                "kind": "menu", "say": [{"kind": "prompt", "prompt": "hello"}], "repeat_key": "2",
                "choices": [{"key": "1", "to": "b"}, {"key": "2", "to": "b"}, {"key": "1", "to": "c"}]
            },
            "b": {"kind": "queue", "service": "Vendas", "leave": [{"key": "*", "to": "c"}, {"key": "*", "to": "c"}]},
            "c": {
                "kind": "collect", "say": [{"kind": "prompt", "prompt": "hello"}], "variable": "x",
                "min": 1, "max": 2, "terminator": "0", "next": "end",
                "confirm": {"say": [{"kind": "digits", "value": "{{x}}"}], "yes": "1", "no": "1"}
            },
        })),
        [
            "key-used-twice a/choices/2/key 1",
            "key-used-twice a/repeat_key 2",
            "key-used-twice b/leave/1/key *",
            "key-used-twice c/terminator 0",
            "key-used-twice c/confirm/no 1",
        ]
    );
}

#[test]
fn a_loop_that_waits_for_nobody_is_an_error_and_a_loop_of_silence_a_warning() {
    let say = json!([{"kind": "prompt", "prompt": "hello"}]);
    assert_eq!(
        found(json!({
            "a": {"kind": "prompt", "say": say, "next": "b"},
            "b": {"kind": "set", "variable": "x", "value": "1", "next": "a"},
        })),
        ["loop-without-input a a, b"]
    );
    assert_eq!(
        found(json!({
            "a": {"kind": "prompt", "say": say, "next": "b"},
            "b": {"kind": "menu", "say": say, "choices": [{"key": "1", "to": "end"}], "otherwise": "a"},
        })),
        ["?loop-of-silence a a, b"]
    );
    let with_a_way_back_by_key = json!({
        "a": {"kind": "menu", "say": say, "choices": [{"key": "1", "to": "b"}], "otherwise": "end"},
        "b": {"kind": "menu", "say": say, "choices": [{"key": "*", "to": "a"}], "otherwise": "end"},
    });
    assert_eq!(found(with_a_way_back_by_key), [""; 0]);
    let self_loop = json!({"a": {"kind": "prompt", "say": say, "next": "a"}});
    assert_eq!(found(self_loop), ["loop-without-input a a"]);
}

#[test]
fn what_the_company_does_not_have_is_found() {
    assert_eq!(
        found(json!({
            "a": {"kind": "hours", "calendar": {"id": "d"}, "open": "b", "closed": "c", "holiday": "d"},
            "b": {"kind": "prompt", "next": "c", "say": [
                {"kind": "prompt", "prompt": "x"}, {"kind": "sound", "sound": "y"},
                {"kind": "text", "text": "z", "voice": "v"}, {"kind": "sound", "sound": "sentences/goodbye"}]},
            "c": {"kind": "queue", "service": "Suporte", "skills": [
                {"skill": "fatura", "level": 1}, {"skill": "mandarim", "level": 0}]},
            "d": {"kind": "flow", "flow": "third", "next": "e"},
            "e": {"kind": "flow", "flow": "own"},
        })),
        [
            "no-such-calendar a/calendar/id d",
            "no-such-prompt b/say/0/prompt x",
            "no-such-sound b/say/1/sound y",
            "no-such-voice b/say/2/voice v",
            "no-such-service c/service Suporte",
            "no-such-skill c/skills/1/skill mandarim",
            "out-of-range c/skills/1/level 0",
            "no-such-flow d/flow third",
        ]
    );
}

#[test]
fn bad_templates_values_and_addresses_are_found() {
    assert_eq!(
        found(json!({
            "a": {"kind": "lookup", "url": "https://{{call.from}}.example/", "headers": {"a b": "x"},
                  "values": {"Name": "/a", "name": "a"}, "success": "b"},
            "b": {"kind": "lookup", "url": "ftp://example/", "success": "c"},
            "c": {"kind": "prompt", "next": "end", "say": [
                {"kind": "text", "text": "{{"}, {"kind": "text", "text": "{{other}}"},
                {"kind": "date", "value": "2026-02-30"}, {"kind": "money", "value": "1,234.50"},
                {"kind": "number", "value": "{{name}}"}]},
        })),
        [
            "bad-variable-name a/values/Name Name",
            "bad-url a/url https://{{call.from}}.example/",
            "bad-header a/headers/a b a b",
            "bad-pointer a/values/name a",
            "bad-url b/url ftp://example/",
            "bad-template c/say/0/text `{{` at byte 0 is never closed",
            "bad-value c/say/2/value 2026-02-30",
            "bad-value c/say/3/value 1,234.50",
            "?unknown-variable c/say/1/text other",
        ]
    );
}

#[test]
fn numbers_out_of_range_and_long_texts_are_found() {
    assert_eq!(
        found(json!({
            "a": {"kind": "collect", "say": [{"kind": "text", "text": "a".repeat(2_001)}], "variable": "x",
                  "min": 3, "max": 2, "first_digit_ms": 1, "inter_digit_ms": 90_000, "next": "b",
                  "accept": {"pattern": "(11)"}, "invalid": {"say": [], "attempts": 0}},
            "b": {"kind": "dial", "to": {"number": "1"}, "ring_ms": 1},
        })),
        [
            "text-too-long a/say/0/text 2001",
            "out-of-range a/min 3",
            "bad-pattern a/accept Pattern(\"(11)\")",
            "out-of-range a/first_digit_ms 1",
            "out-of-range a/inter_digit_ms 90000",
            "out-of-range a/invalid/attempts 0",
            "out-of-range b/ring_ms 1",
        ]
    );
}

#[test]
fn what_may_happen_without_a_branch_is_a_warning_where_the_flow_has_no_failure_exit() {
    assert_eq!(
        found_in(json!({"format": 1, "entry": "a", "nodes": {
            "a": {"kind": "menu", "say": [], "choices": []},
        }})),
        [
            "?no-choices a/choices ",
            "?nothing-said a/say ",
            "?no-branch a/otherwise "
        ]
    );
}

#[test]
fn a_text_without_words_is_an_error_and_a_question_without_a_text_a_warning() {
    assert_eq!(
        found(json!({
            "a": {"kind": "menu", "say": [], "choices": [{"key": "1", "to": "b"}], "otherwise": "end"},
            "b": {"kind": "prompt", "say": [{"kind": "text", "text": " \n"}], "next": "end"},
        })),
        ["nothing-said b/say/0/text ", "?nothing-said a/say "]
    );
}

#[test]
fn a_flow_that_calls_itself_is_too_deep_and_one_that_jumps_to_itself_is_not() {
    let flow = |node: serde_json::Value| json!({"a": node});
    assert_eq!(
        found(flow(json!({"kind": "flow", "flow": "own", "next": "end"}))),
        ["too-deep  16"]
    );
    assert_eq!(found(flow(json!({"kind": "flow", "flow": "own"}))), [""; 0]);
    assert_eq!(
        found(flow(
            json!({"kind": "flow", "flow": "other", "next": "end"})
        )),
        [""; 0]
    );
}

#[test]
fn a_flow_with_too_many_nodes_is_refused_without_looking_at_all_of_them() {
    let nodes: serde_json::Map<_, _> = (0..=NODES_MAX)
        .map(|n| (format!("a{n}"), json!({"kind": "return"})))
        .collect();
    let found = found_in(json!({"format": 1, "entry": "a0", "nodes": nodes}));
    assert_eq!(found, ["too-many /nodes 501"]);
}

#[test]
fn calendars_that_are_too_large_or_end_before_they_begin_are_found() {
    let interval = json!({"from": "08:00", "to": "09:00"});
    let calendar = serde_json::from_value(json!({
        "time_zone": "America/Sao_Paulo",
        "schedule": {"weekly": {"friday": vec![interval.clone(); 25], "monday": [interval]}},
        "dates": [{"name": "x", "on": "2026-12-24", "until": "2026-12-23", "hours": "closed"}],
    }));
    let found: Vec<_> = validate_calendar(&calendar.unwrap())
        .into_iter()
        .map(|finding| (finding.code, finding.field))
        .collect();
    assert_eq!(
        found,
        [
            (Code::BadDates, "/dates/0/until".to_owned()),
            (Code::TooMany, "/schedule/weekly/friday".to_owned()),
        ]
    );
}
