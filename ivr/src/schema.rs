//! The published JSON Schema of flows.

use serde_json::Value;

use crate::Flow;
use crate::simple::SimpleForm;

/// The JSON Schema (draft 2020-12) of [`Flow`].
#[must_use]
pub fn flow() -> Value {
    schemars::schema_for!(Flow).to_value()
}

/// The JSON Schema (draft 2020-12) of [`SimpleForm`].
#[must_use]
pub fn simple_form() -> Value {
    schemars::schema_for!(SimpleForm).to_value()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::validate::{Catalogue, validate};

    const EVERYTHING: &str = include_str!("../examples/everything.json");
    const SIMPLE_FORM: &str = include_str!("../examples/simple-form.json");

    /// What another implementation of JSON Schema says to `value`.
    fn judge(schema: &Value, value: &Value) -> Result<(), String> {
        let mut schemas = boon::Schemas::new();
        let mut compiler = boon::Compiler::new();
        compiler
            .add_resource("schema.json", schema.clone())
            .unwrap();
        let index = compiler.compile("schema.json", &mut schemas).unwrap();
        schemas
            .validate(value, index)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_examples_are_of_the_schema() {
        assert_eq!(
            judge(&flow(), &serde_json::from_str(EVERYTHING).unwrap()),
            Ok(())
        );
        let form: Value = serde_json::from_str(SIMPLE_FORM).unwrap();
        assert_eq!(judge(&simple_form(), &form), Ok(()));
        let built = serde_json::from_value::<SimpleForm>(form)
            .unwrap()
            .build()
            .unwrap();
        assert_eq!(
            judge(&flow(), &serde_json::to_value(built).unwrap()),
            Ok(())
        );
    }

    #[test]
    fn the_example_has_every_kind_of_node_and_comes_back_as_it_was_read() {
        let read: Flow = serde_json::from_str(EVERYTHING).unwrap();
        let kinds: std::collections::BTreeSet<_> =
            read.nodes.values().map(crate::Node::kind).collect();
        assert_eq!(kinds.len(), 13);
        let written = serde_json::to_value(&read).unwrap();
        assert_eq!(judge(&flow(), &written), Ok(()));
        assert_eq!(serde_json::from_value::<Flow>(written).unwrap(), read);
    }

    #[test]
    fn the_example_is_valid() {
        let catalogue = Catalogue {
            prompts: ["welcome".into()].into(),
            services: ["sales".into()].into(),
            skills: ["english".into()].into(),
            flows: [("billing".into(), [].into())].into(),
            ..Catalogue::default()
        };
        let flow = serde_json::from_str(EVERYTHING).unwrap();
        assert_eq!(validate(&flow, None, &catalogue), []);
    }

    /// What the reader refuses the schema refuses, and the other way round.
    #[test]
    fn schema_and_reader_refuse_the_same() {
        let schema = flow();
        let node = |node: Value| json!({"format": 1, "entry": "a", "nodes": {"a": node}});
        let bad = [
            json!({"format": 1, "nodes": {}}),
            json!({"format": 1, "entry": "a", "nodes": {}, "extra": 1}),
            node(json!({"kind": "nothing"})),
            node(json!({"kind": "prompt", "say": []})),
            node(json!({"kind": "return", "next": "a"})),
            node(json!({"kind": "prompt", "say": [], "next": "a", "bargein": true})),
            node(
                json!({"kind": "prompt", "say": [{"kind": "text", "text": "x", "speed": 1}], "next": "a"}),
            ),
            node(json!({"kind": "menu", "say": [], "choices": [{"key": "12", "to": "a"}]})),
            node(json!({"kind": "hang-up", "cause": "because"})),
            node(json!({"kind": "hours", "calendar": {"other": 1}, "open": "a", "closed": "a"})),
        ];
        for value in bad {
            assert!(judge(&schema, &value).is_err(), "the schema takes {value}");
            assert!(
                serde_json::from_value::<Flow>(value.clone()).is_err(),
                "the reader takes {value}"
            );
        }
        assert_eq!(judge(&schema, &node(json!({"kind": "return"}))), Ok(()));
    }

    #[test]
    fn a_node_id_that_stands_twice_is_refused() {
        let twice = r#"{"format": 1, "entry": "a", "nodes": {"a": {"kind": "return"}, "a": {"kind": "hang-up"}}}"#;
        let error = serde_json::from_str::<Flow>(twice).unwrap_err().to_string();
        assert!(error.starts_with("node id \"a\" stands twice"), "{error}");
    }
}
