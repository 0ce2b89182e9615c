//! The parts of a node, each with the place where it stands, so that every check reads alike.

use crate::{Destination, Node, NodeId, Retry, Say};

/// What leads from one node to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Nothing is waited for.
    Straight,
    /// Somebody was waited for, and a caller who does nothing comes this way.
    Silence,
    /// Somebody acted, or the caller was kept in a queue.
    Input,
}

/// A target, and where it stands in its node (a JSON pointer).
pub(super) struct Target<'a> {
    pub(super) field: String,
    pub(super) to: &'a NodeId,
    pub(super) way: Way,
}

/// All targets of a node.
pub(super) fn targets(node: &Node) -> Vec<Target<'_>> {
    let mut targets = Vec::new();
    fn one<'a>(targets: &mut Vec<Target<'a>>, field: &str, to: &'a NodeId, way: Way) {
        targets.push(Target {
            field: field.to_owned(),
            to,
            way,
        });
    }
    fn maybe<'a>(targets: &mut Vec<Target<'a>>, field: &str, to: Option<&'a NodeId>, way: Way) {
        targets.extend(to.map(|to| Target {
            field: field.to_owned(),
            to,
            way,
        }));
    }
    let t = &mut targets;
    match node {
        Node::Hours(hours) => {
            one(t, "/open", &hours.open, Way::Straight);
            one(t, "/closed", &hours.closed, Way::Straight);
            maybe(t, "/holiday", hours.holiday.as_ref(), Way::Straight);
        }
        Node::Prompt(prompt) => one(t, "/next", &prompt.next, Way::Straight),
        Node::Menu(menu) => {
            for (place, choice) in menu.choices.iter().enumerate() {
                one(t, &format!("/choices/{place}/to"), &choice.to, Way::Input);
            }
            maybe(t, "/otherwise", menu.otherwise.as_ref(), Way::Silence);
        }
        Node::Collect(collect) => {
            one(t, "/next", &collect.next, Way::Input);
            maybe(t, "/otherwise", collect.otherwise.as_ref(), Way::Silence);
        }
        Node::Queue(queue) => {
            maybe(t, "/unanswered", queue.unanswered.as_ref(), Way::Input);
            maybe(t, "/closed", queue.closed.as_ref(), Way::Straight);
            for (place, choice) in queue.leave.iter().enumerate() {
                one(t, &format!("/leave/{place}/to"), &choice.to, Way::Input);
            }
        }
        Node::Flow(go) => maybe(t, "/next", go.next.as_ref(), Way::Silence),
        Node::Return(_) | Node::HangUp(_) => {}
        Node::Dial(dial) => {
            maybe(t, "/busy", dial.busy.as_ref(), Way::Silence);
            maybe(t, "/no_answer", dial.no_answer.as_ref(), Way::Silence);
            maybe(t, "/failed", dial.failed.as_ref(), Way::Straight);
            maybe(t, "/ended", dial.ended.as_ref(), Way::Input);
        }
        Node::Lookup(lookup) => {
            one(t, "/success", &lookup.success, Way::Straight);
            maybe(t, "/failure", lookup.failure.as_ref(), Way::Straight);
        }
        Node::Set(set) => one(t, "/next", &set.next, Way::Straight),
        Node::Condition(condition) => {
            for (place, case) in condition.cases.iter().enumerate() {
                one(t, &format!("/cases/{place}/to"), &case.to, Way::Straight);
            }
            one(t, "/otherwise", &condition.otherwise, Way::Straight);
        }
        Node::Record(record) => one(t, "/next", &record.next, Way::Silence),
    }
    targets
}

/// All lists of things said.
pub(super) fn says(node: &Node) -> Vec<(String, &[Say])> {
    fn retries<'a>(says: &mut Vec<(String, &'a [Say])>, invalid: &'a Retry, no_input: &'a Retry) {
        says.push(("/invalid/say".to_owned(), &invalid.say));
        says.push(("/no_input/say".to_owned(), &no_input.say));
    }
    let main = |say| vec![("/say".to_owned(), say)];
    match node {
        Node::Prompt(prompt) => main(prompt.say.as_slice()),
        Node::Menu(menu) => {
            let mut says = main(menu.say.as_slice());
            retries(&mut says, &menu.invalid, &menu.no_input);
            says
        }
        Node::Collect(collect) => {
            let mut says = main(collect.say.as_slice());
            retries(&mut says, &collect.invalid, &collect.no_input);
            says.extend(
                collect
                    .confirm
                    .iter()
                    .map(|confirm| ("/confirm/say".to_owned(), confirm.say.as_slice())),
            );
            says
        }
        Node::Record(record) => main(record.say.as_slice()),
        Node::HangUp(hang_up) => main(hang_up.say.as_slice()),
        Node::Hours(_)
        | Node::Queue(_)
        | Node::Flow(_)
        | Node::Return(_)
        | Node::Dial(_)
        | Node::Lookup(_)
        | Node::Set(_)
        | Node::Condition(_) => Vec::new(),
    }
}

/// All texts with variables, but for those that are said.
pub(super) fn templates(node: &Node) -> Vec<(String, &str)> {
    match node {
        Node::Dial(dial) => match &dial.to {
            Destination::Number(text) => vec![("/to/number".to_owned(), text)],
            Destination::Extension(text) => vec![("/to/extension".to_owned(), text)],
        },
        Node::Lookup(lookup) => {
            let mut texts = vec![("/url".to_owned(), lookup.url.as_str())];
            texts.extend(
                lookup
                    .body
                    .iter()
                    .map(|body| ("/body".to_owned(), body.as_str())),
            );
            texts.extend(
                lookup
                    .headers
                    .iter()
                    .map(|(name, value)| (format!("/headers/{}", pointer(name)), value.as_str())),
            );
            texts
        }
        Node::Set(set) => vec![("/value".to_owned(), &set.value)],
        Node::Condition(condition) => {
            let comparisons = condition.cases.iter().enumerate().flat_map(|(case, of)| {
                of.all
                    .iter()
                    .enumerate()
                    .map(move |(place, comparison)| (case, place, comparison))
            });
            comparisons
                .map(|(case, place, comparison)| {
                    (
                        format!("/cases/{case}/all/{place}/value"),
                        comparison.value.as_str(),
                    )
                })
                .collect()
        }
        Node::Hours(_)
        | Node::Prompt(_)
        | Node::Menu(_)
        | Node::Collect(_)
        | Node::Queue(_)
        | Node::Flow(_)
        | Node::Return(_)
        | Node::Record(_)
        | Node::HangUp(_) => Vec::new(),
    }
}

/// All variables that the node sets.
pub(super) fn sets(node: &Node) -> Vec<(String, &str)> {
    match node {
        Node::Collect(collect) => vec![("/variable".to_owned(), &collect.variable)],
        Node::Set(set) => vec![("/variable".to_owned(), &set.variable)],
        Node::Lookup(lookup) => lookup
            .values
            .keys()
            .map(|name| (format!("/values/{}", pointer(name)), name.as_str()))
            .collect(),
        Node::Hours(_)
        | Node::Prompt(_)
        | Node::Menu(_)
        | Node::Queue(_)
        | Node::Flow(_)
        | Node::Return(_)
        | Node::Dial(_)
        | Node::Condition(_)
        | Node::Record(_)
        | Node::HangUp(_) => Vec::new(),
    }
}

/// A name as it stands in a JSON pointer, RFC 6901 section 3.
pub(super) fn pointer(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
