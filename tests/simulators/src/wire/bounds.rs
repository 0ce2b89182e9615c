//! Bounds that WhatsApp sets to what a company writes, whoever carries it.

use serde_json::Value;

use super::maybe;
use crate::world::problem::{missing, out_of_bounds};
use crate::world::{Choice, Problem};

/// A text that must be there, with no more than so many characters.
pub(crate) fn bounded(node: &Value, field: &str, chars_max: usize) -> Result<String, Problem> {
    let found = maybe(node, field).ok_or_else(|| missing(field))?;
    if found.chars().count() > chars_max {
        let details = format!("{field} is longer than {chars_max} characters");
        return Err(out_of_bounds(details));
    }
    Ok(found)
}

/// Answers to choose from, no more than `most`, with titles and ids of so many characters.
pub(crate) fn choices<'a>(
    found: impl Iterator<Item = &'a Value>,
    (most, title_max, id_max): (usize, usize, usize),
) -> Result<Vec<Choice>, Problem> {
    let mut choices: Vec<Choice> = vec![];
    for one in found {
        let choice = Choice {
            id: bounded(one, "id", id_max)?,
            title: bounded(one, "title", title_max)?,
            description: maybe(one, "description"),
        };
        let description = choice.description.as_deref().unwrap_or_default();
        if description.chars().count() > 72 {
            return Err(out_of_bounds("description is longer than 72 characters"));
        }
        let is_there = |other: &Choice| other.id == choice.id || other.title == choice.title;
        if choices.iter().any(is_there) {
            return Err(out_of_bounds("ids and titles must differ"));
        }
        choices.push(choice);
    }
    if choices.is_empty() || choices.len() > most {
        return Err(out_of_bounds(format!("1 to {most} answers can be offered")));
    }
    Ok(choices)
}
