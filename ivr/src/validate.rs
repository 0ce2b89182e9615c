//! What is wrong with a flow, and where.
//!
//! Validation is for the author of a flow, before it is published. The machine survives whatever
//! is published; a caller should not have to.

mod loops;
mod parts;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::civil::Weekday;
use serde::Serialize;

use crate::hours::{Calendar, DayHours, Schedule};
use crate::machine::DEPTH_MAX;
use crate::template;
use crate::{
    CalendarId, CalendarRef, Choice, Collect, Flow, FlowId, Key, Language, Lookup, Menu, Node,
    NodeId, PromptId, Retry, Say, ServiceId, SkillId, SkillWanted, VoiceId,
};

/// What the company has, that a flow may name.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// Its prompts.
    pub prompts: BTreeSet<PromptId>,
    /// Its services.
    pub services: BTreeSet<ServiceId>,
    /// Its skills.
    pub skills: BTreeSet<SkillId>,
    /// Its calendars.
    pub calendars: BTreeSet<CalendarId>,
    /// Its published flows, and which flows each of them goes to and expects back:
    /// [`calls`] of each.
    pub flows: BTreeMap<FlowId, BTreeSet<FlowId>>,
    /// The voices it may choose; `None` where nobody knows them.
    pub voices: Option<BTreeSet<VoiceId>>,
}

/// One thing that is wrong with a flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Whether the flow can be published nevertheless.
    pub severity: Severity,
    /// What is wrong, in a word that does not change.
    pub code: Code,
    /// At which node; none for the flow itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
    /// Where in the node (or in the flow): a JSON pointer, empty for the whole of it.
    pub field: String,
    /// The name, the text or the number that is wrong.
    pub detail: String,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The flow works, and is perhaps not what its author wanted.
    Warning,
    /// The flow must not be published.
    Error,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $sentence:literal,)*) => {
        /// What is wrong with a flow.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Code {
            $($(#[doc = $doc])* $name,)*
        }

        impl Code {
            /// A sentence for people.
            #[must_use]
            pub fn sentence(self) -> &'static str {
                match self {
                    $(Self::$name => $sentence,)*
                }
            }
        }
    };
}

codes! {
    /// The flow is of a format that this program does not know.
    UnsupportedFormat = "this version of the format is not supported",
    /// A target names no node.
    NoSuchTarget = "there is no such node",
    /// Nothing leads to the node.
    UnreachableNode = "nothing leads to this node",
    /// One key leads to two places.
    KeyUsedTwice = "this key is used twice",
    /// The nodes follow each other for ever without waiting for anybody.
    LoopWithoutInput = "these nodes follow each other for ever",
    /// A caller who does nothing stays in these nodes.
    LoopOfSilence = "a caller who does nothing never leaves these nodes",
    /// The company has no such prompt.
    NoSuchPrompt = "there is no such prompt",
    /// The company has no such service.
    NoSuchService = "there is no such service",
    /// The company has no such skill.
    NoSuchSkill = "there is no such skill",
    /// The company has no such calendar.
    NoSuchCalendar = "there is no such calendar",
    /// The company has no such published flow.
    NoSuchFlow = "there is no such published flow",
    /// The company has no such voice.
    NoSuchVoice = "there is no such voice",
    /// No such sound ships in the language of the flow.
    NoSuchSound = "there is no such sound in this language",
    /// The braces of a text with variables are wrong.
    BadTemplate = "the braces hold no variable",
    /// A variable is read that nothing sets.
    UnknownVariable = "nothing sets this variable",
    /// A variable is set whose name is not `[a-z][a-z0-9_]*`.
    BadVariableName = "this is not a name for a variable",
    /// A value that is said as a number, a date or money is none.
    BadValue = "this value cannot be said so",
    /// A number is outside its range.
    OutOfRange = "this is out of range",
    /// There is more of something than there may be.
    TooMany = "this is too many",
    /// A text is too long.
    TextTooLong = "this text is too long",
    /// Flows go into each other deeper than the machine follows.
    TooDeep = "flows go into each other too deep",
    /// A look-up asks an address that is not `http(s)://` and a fixed host.
    BadUrl = "the address must begin with http:// or https:// and a host without variables",
    /// The name of a header field is none.
    BadHeader = "this is not the name of a header field",
    /// A place in an answer is no JSON pointer.
    BadPointer = "this is not a JSON pointer",
    /// A pattern has something in it beside `X`, `Z`, `N` and digits.
    BadPattern = "a pattern has only X, Z, N and digits",
    /// The dates of a calendar end before they begin.
    BadDates = "these dates end before they begin",
    /// There is nothing to hear where a caller is asked.
    NothingSaid = "the caller hears nothing here",
    /// A menu has no choices.
    NoChoices = "this menu has no choices",
    /// Something may happen that neither the node nor the flow has a branch for: the call ends.
    NoBranch = "the call ends here when this happens, as the flow has no failure exit",
}

/// Everything that is wrong with `flow`, errors first, in the order of nodes.
///
/// `id` is the flow's own name where it has one already.
#[must_use]
pub fn validate(flow: &Flow, id: Option<&FlowId>, catalogue: &Catalogue) -> Vec<Finding> {
    let known = known_variables(flow);
    let mut checks = Checks {
        flow,
        own_id: id,
        catalogue,
        known,
        findings: Vec::new(),
    };
    checks.check_flow();
    for (id, node) in flow.nodes.iter().take(NODES_MAX) {
        checks.check_node(id, node);
    }
    let mut findings = checks.findings;
    // What is too many to be run is too many to be searched for loops.
    if findings.iter().all(|finding| finding.code != Code::TooMany) {
        loops::check(flow, &mut findings);
    }
    findings.sort_by(|a, b| {
        b.severity
            .cmp(&a.severity)
            .then_with(|| a.node.cmp(&b.node))
    });
    findings
}

/// Whether a flow with these findings may be published.
#[must_use]
pub fn is_publishable(findings: &[Finding]) -> bool {
    findings
        .iter()
        .all(|finding| finding.severity < Severity::Error)
}

/// The flows that `flow` goes to and expects back, for [`Catalogue::flows`].
#[must_use]
pub fn calls(flow: &Flow) -> BTreeSet<FlowId> {
    flow.nodes
        .values()
        .filter_map(|node| match node {
            Node::Flow(go) if go.next.is_some() => Some(go.flow.clone()),
            Node::Flow(_)
            | Node::Hours(_)
            | Node::Prompt(_)
            | Node::Menu(_)
            | Node::Collect(_)
            | Node::Queue(_)
            | Node::Return(_)
            | Node::Dial(_)
            | Node::Lookup(_)
            | Node::Set(_)
            | Node::Condition(_)
            | Node::Record(_)
            | Node::HangUp(_) => None,
        })
        .collect()
}

/// Everything that is wrong with a calendar; fields are of the calendar.
#[must_use]
pub fn validate_calendar(calendar: &Calendar) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut error = |code, field: String, detail: String| {
        findings.push(Finding {
            severity: Severity::Error,
            code,
            node: None,
            field,
            detail,
        });
    };
    if calendar.dates.len() > OWN_DATES_MAX {
        error(
            Code::TooMany,
            "/dates".to_owned(),
            calendar.dates.len().to_string(),
        );
    }
    for (place, date) in calendar.dates.iter().enumerate().take(OWN_DATES_MAX) {
        if date.until.is_some_and(|until| until < date.on) {
            error(
                Code::BadDates,
                format!("/dates/{place}/until"),
                date.name.clone(),
            );
        }
        match &date.hours {
            DayHours::Open(intervals) if intervals.len() > INTERVALS_MAX => {
                error(
                    Code::TooMany,
                    format!("/dates/{place}/hours/open"),
                    intervals.len().to_string(),
                );
            }
            DayHours::Open(_) | DayHours::Closed | DayHours::AsUsual => {}
        }
    }
    if let Schedule::Weekly(week) = &calendar.schedule {
        for (name, weekday) in WEEKDAYS {
            let intervals = week.day(weekday).len();
            if intervals > INTERVALS_MAX {
                error(
                    Code::TooMany,
                    format!("/schedule/weekly/{name}"),
                    intervals.to_string(),
                );
            }
        }
    }
    findings
}

struct Checks<'a> {
    flow: &'a Flow,
    own_id: Option<&'a FlowId>,
    catalogue: &'a Catalogue,
    known: BTreeSet<&'a str>,
    findings: Vec<Finding>,
}

impl Checks<'_> {
    fn check_flow(&mut self) {
        let flow = self.flow;
        if flow.format != crate::FORMAT {
            self.flow_error(Code::UnsupportedFormat, "/format", &flow.format.to_string());
        }
        if flow.nodes.len() > NODES_MAX {
            self.flow_error(Code::TooMany, "/nodes", &flow.nodes.len().to_string());
        }
        if flow.variables.len() > VARIABLES_MAX {
            self.flow_error(
                Code::TooMany,
                "/variables",
                &flow.variables.len().to_string(),
            );
        }
        for (field, target) in [
            ("/entry", Some(&flow.entry)),
            ("/failure", flow.failure.as_ref()),
        ] {
            if let Some(target) = target.filter(|target| !flow.nodes.contains_key(*target)) {
                self.flow_error(Code::NoSuchTarget, field, target.as_str());
            }
        }
        for (name, value) in &flow.variables {
            let field = format!("/variables/{}", parts::pointer(name));
            if !template::is_variable_name(name) {
                self.flow_error(Code::BadVariableName, &field, name);
            }
            if value.chars().count() > TEXT_CHARS_MAX {
                self.flow_error(
                    Code::TextTooLong,
                    &field,
                    &value.chars().count().to_string(),
                );
            }
        }
        if let Some(voice) = flow.voice.as_ref().filter(|voice| !self.has_voice(voice)) {
            self.flow_error(Code::NoSuchVoice, "/voice", voice.as_str());
        }
        if self.is_too_deep() {
            self.flow_error(Code::TooDeep, "", &DEPTH_MAX.to_string());
        }
    }

    /// Whether the flows that this one goes to, and those that they go to, are more levels than
    /// the machine follows. A flow that comes back to itself is.
    fn is_too_deep(&self) -> bool {
        let mut level = calls(self.flow);
        for _ in 1..DEPTH_MAX {
            if level.is_empty() {
                return false;
            }
            let next = level.iter().flat_map(|called| {
                // What is being validated stands for what is published under its name.
                if Some(called) == self.own_id {
                    calls(self.flow)
                } else {
                    self.catalogue
                        .flows
                        .get(called)
                        .cloned()
                        .unwrap_or_default()
                }
            });
            level = next.collect();
        }
        !level.is_empty()
    }

    fn check_node(&mut self, id: &NodeId, node: &Node) {
        for target in parts::targets(node) {
            if !self.flow.nodes.contains_key(target.to) {
                self.error(Code::NoSuchTarget, id, &target.field, target.to.as_str());
            }
        }
        for (field, say) in parts::says(node) {
            self.check_say(id, &field, say);
        }
        for (field, text) in parts::templates(node) {
            self.check_template(id, &field, text);
        }
        for (field, name) in parts::sets(node) {
            if !template::is_variable_name(name) {
                self.error(Code::BadVariableName, id, &field, name);
            }
        }
        match node {
            Node::Hours(hours) => self.check_calendar(id, &hours.calendar),
            Node::Menu(menu) => self.check_menu(id, menu),
            Node::Collect(collect) => self.check_collect(id, collect),
            Node::Queue(queue) => {
                self.check_service(id, &queue.service);
                self.check_skills(id, &queue.skills);
                self.check_keys(id, "/leave", &queue.leave, &[]);
                self.check_branch(id, "/unanswered", queue.unanswered.as_ref());
            }
            Node::Flow(go) => {
                // A flow may go to itself before it is published.
                if !self.catalogue.flows.contains_key(&go.flow) && self.own_id != Some(&go.flow) {
                    self.error(Code::NoSuchFlow, id, "/flow", go.flow.as_str());
                }
            }
            Node::Dial(dial) => {
                self.check_range(id, "/ring_ms", dial.ring_ms, RING_MS);
                self.check_branch(id, "/failed", dial.failed.as_ref());
            }
            Node::Lookup(lookup) => self.check_lookup(id, lookup),
            Node::Condition(condition) => {
                self.check_count(id, "/cases", condition.cases.len(), CASES_MAX);
                for (case, of) in condition.cases.iter().enumerate() {
                    self.check_count(id, &format!("/cases/{case}/all"), of.all.len(), CASES_MAX);
                    for (place, comparison) in of.all.iter().enumerate() {
                        self.check_variable(
                            id,
                            &format!("/cases/{case}/all/{place}/variable"),
                            &comparison.variable,
                        );
                    }
                }
            }
            Node::Record(record) => {
                self.check_service(id, &record.service);
                self.check_range(
                    id,
                    "/max_seconds",
                    record.max_seconds.into(),
                    RECORD_SECONDS,
                );
            }
            Node::Prompt(_) | Node::Return(_) | Node::Set(_) | Node::HangUp(_) => {}
        }
    }

    fn check_menu(&mut self, id: &NodeId, menu: &Menu) {
        if menu.choices.is_empty() {
            self.warning(Code::NoChoices, id, "/choices", "");
        }
        self.check_heard(id, "/say", &menu.say);
        self.check_keys(
            id,
            "/choices",
            &menu.choices,
            &[("/repeat_key", menu.repeat_key)],
        );
        self.check_range(id, "/first_digit_ms", menu.first_digit_ms, FIRST_DIGIT_MS);
        self.check_attempts(id, &menu.invalid, &menu.no_input);
        self.check_branch(id, "/otherwise", menu.otherwise.as_ref());
    }

    fn check_collect(&mut self, id: &NodeId, collect: &Collect) {
        self.check_heard(id, "/say", &collect.say);
        self.check_range(id, "/max", collect.max.into(), DIGITS);
        if collect.min > collect.max {
            self.error(Code::OutOfRange, id, "/min", &collect.min.to_string());
        }
        if let Some(digit) = collect.terminator.filter(|key| key.is_digit()) {
            self.error(Code::KeyUsedTwice, id, "/terminator", &digit.to_string());
        }
        if let Some(confirm) = &collect.confirm {
            self.check_heard(id, "/confirm/say", &confirm.say);
            if confirm.yes == confirm.no {
                self.error(
                    Code::KeyUsedTwice,
                    id,
                    "/confirm/no",
                    &confirm.no.to_string(),
                );
            }
        }
        if let Some(accept) = collect
            .accept
            .as_ref()
            .filter(|accept| !accept.is_well_formed())
        {
            self.error(Code::BadPattern, id, "/accept", &format!("{accept:?}"));
        }
        self.check_range(
            id,
            "/first_digit_ms",
            collect.first_digit_ms,
            FIRST_DIGIT_MS,
        );
        self.check_range(
            id,
            "/inter_digit_ms",
            collect.inter_digit_ms,
            INTER_DIGIT_MS,
        );
        self.check_attempts(id, &collect.invalid, &collect.no_input);
        self.check_branch(id, "/otherwise", collect.otherwise.as_ref());
    }

    fn check_lookup(&mut self, id: &NodeId, lookup: &Lookup) {
        if !has_fixed_host(&lookup.url) {
            self.error(Code::BadUrl, id, "/url", &lookup.url);
        }
        for name in lookup.headers.keys().filter(|name| !is_header_name(name)) {
            self.error(
                Code::BadHeader,
                id,
                &format!("/headers/{}", parts::pointer(name)),
                name,
            );
        }
        for (name, place) in &lookup.values {
            if !(place.is_empty() || place.starts_with('/')) {
                self.error(
                    Code::BadPointer,
                    id,
                    &format!("/values/{}", parts::pointer(name)),
                    place,
                );
            }
        }
        self.check_count(id, "/headers", lookup.headers.len(), VARIABLES_MAX);
        self.check_count(id, "/values", lookup.values.len(), VARIABLES_MAX);
        self.check_range(id, "/timeout_ms", lookup.timeout_ms, LOOKUP_MS);
        self.check_branch(id, "/failure", lookup.failure.as_ref());
    }

    fn check_calendar(&mut self, id: &NodeId, calendar: &CalendarRef) {
        match calendar {
            CalendarRef::Id(name) => {
                if !self.catalogue.calendars.contains(name) {
                    self.error(Code::NoSuchCalendar, id, "/calendar/id", name.as_str());
                }
            }
            CalendarRef::Inline(calendar) => {
                for finding in validate_calendar(calendar) {
                    let field = format!("/calendar/inline{}", finding.field);
                    self.findings.push(Finding {
                        node: Some(id.clone()),
                        field,
                        ..finding
                    });
                }
            }
        }
    }

    fn check_say(&mut self, id: &NodeId, list: &str, say: &[Say]) {
        self.check_count(id, list, say.len(), SAYS_MAX);
        for (place, one) in say.iter().enumerate().take(SAYS_MAX) {
            let field = |name: &str| format!("{list}/{place}/{name}");
            match one {
                Say::Prompt { prompt } => {
                    if !self.catalogue.prompts.contains(prompt) {
                        self.error(Code::NoSuchPrompt, id, &field("prompt"), prompt.as_str());
                    }
                }
                Say::Text { text, voice } => {
                    self.check_template(id, &field("text"), text);
                    if text.trim().is_empty() {
                        self.error(Code::NothingSaid, id, &field("text"), "");
                    }
                    if let Some(voice) = voice.as_ref().filter(|voice| !self.has_voice(voice)) {
                        self.error(Code::NoSuchVoice, id, &field("voice"), voice.as_str());
                    }
                }
                Say::Sound { sound } => {
                    if crate::words::sound(self.flow.language, sound).is_none() {
                        self.error(Code::NoSuchSound, id, &field("sound"), sound);
                    }
                }
                Say::Number { value, .. }
                | Say::Ordinal { value, .. }
                | Say::Digits { value }
                | Say::Protocol { value }
                | Say::Date { value }
                | Say::Time { value }
                | Say::Money { value, .. } => {
                    self.check_template(id, &field("value"), value);
                    if !value.contains("{{") && !can_be_said(one, value) {
                        self.error(Code::BadValue, id, &field("value"), value);
                    }
                }
            }
        }
    }

    fn check_template(&mut self, id: &NodeId, field: &str, text: &str) {
        if text.chars().count() > TEXT_CHARS_MAX {
            self.error(
                Code::TextTooLong,
                id,
                field,
                &text.chars().count().to_string(),
            );
        }
        match template::parts(text) {
            Ok(parts) => {
                for part in parts {
                    match part {
                        template::Part::Variable(name) => self.check_variable(id, field, name),
                        template::Part::Text(_) => {}
                    }
                }
            }
            Err(error) => self.error(Code::BadTemplate, id, field, &error.to_string()),
        }
    }

    fn check_variable(&mut self, id: &NodeId, field: &str, name: &str) {
        // Another flow may set it before it comes here.
        if !self.known.contains(name) {
            self.warning(Code::UnknownVariable, id, field, name);
        }
    }

    fn check_keys(
        &mut self,
        id: &NodeId,
        list: &str,
        choices: &[Choice],
        others: &[(&str, Option<Key>)],
    ) {
        let mut used = BTreeSet::new();
        for (place, choice) in choices.iter().enumerate() {
            if !used.insert(choice.key) {
                self.error(
                    Code::KeyUsedTwice,
                    id,
                    &format!("{list}/{place}/key"),
                    &choice.key.to_string(),
                );
            }
        }
        for (field, key) in others {
            if let Some(key) = key.filter(|key| !used.insert(*key)) {
                self.error(Code::KeyUsedTwice, id, field, &key.to_string());
            }
        }
    }

    fn check_attempts(&mut self, id: &NodeId, invalid: &Retry, no_input: &Retry) {
        self.check_range(id, "/invalid/attempts", invalid.attempts.into(), ATTEMPTS);
        self.check_range(id, "/no_input/attempts", no_input.attempts.into(), ATTEMPTS);
    }

    fn check_range(
        &mut self,
        id: &NodeId,
        field: &str,
        number: u32,
        range: std::ops::RangeInclusive<u32>,
    ) {
        if !range.contains(&number) {
            self.error(Code::OutOfRange, id, field, &number.to_string());
        }
    }

    fn check_count(&mut self, id: &NodeId, field: &str, count: usize, max: usize) {
        if count > max {
            self.error(Code::TooMany, id, field, &count.to_string());
        }
    }

    fn check_heard(&mut self, id: &NodeId, field: &str, say: &[Say]) {
        if say.is_empty() {
            self.warning(Code::NothingSaid, id, field, "");
        }
    }

    fn check_service(&mut self, id: &NodeId, service: &ServiceId) {
        if !self.catalogue.services.contains(service) {
            self.error(Code::NoSuchService, id, "/service", service.as_str());
        }
    }

    fn check_skills(&mut self, id: &NodeId, skills: &[SkillWanted]) {
        self.check_count(id, "/skills", skills.len(), SKILLS_MAX);
        for (place, wanted) in skills.iter().enumerate() {
            if !self.catalogue.skills.contains(&wanted.skill) {
                let field = format!("/skills/{place}/skill");
                self.error(Code::NoSuchSkill, id, &field, wanted.skill.as_str());
            }
            let field = format!("/skills/{place}/level");
            self.check_range(id, &field, wanted.level.into(), 1..=u32::from(u8::MAX));
        }
    }

    fn check_branch(&mut self, id: &NodeId, field: &str, branch: Option<&NodeId>) {
        if branch.is_none() && self.flow.failure.is_none() {
            self.warning(Code::NoBranch, id, field, "");
        }
    }

    fn has_voice(&self, voice: &VoiceId) -> bool {
        self.catalogue
            .voices
            .as_ref()
            .is_none_or(|voices| voices.contains(voice))
    }

    fn flow_error(&mut self, code: Code, field: &str, detail: &str) {
        let (field, detail) = (field.to_owned(), detail.to_owned());
        self.findings.push(Finding {
            severity: Severity::Error,
            code,
            node: None,
            field,
            detail,
        });
    }

    fn error(&mut self, code: Code, node: &NodeId, field: &str, detail: &str) {
        self.findings
            .push(Finding::at(Severity::Error, code, node, field, detail));
    }

    fn warning(&mut self, code: Code, node: &NodeId, field: &str, detail: &str) {
        self.findings
            .push(Finding::at(Severity::Warning, code, node, field, detail));
    }
}

impl Finding {
    fn at(severity: Severity, code: Code, node: &NodeId, field: &str, detail: &str) -> Self {
        Self {
            severity,
            code,
            node: Some(node.clone()),
            field: field.to_owned(),
            detail: detail.to_owned(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let node = self.node.as_ref().map_or("flow", NodeId::as_str);
        write!(f, "{node}{}: {}", self.field, self.code.sentence())?;
        if self.detail.is_empty() {
            Ok(())
        } else {
            write!(f, ": {}", self.detail)
        }
    }
}

fn known_variables(flow: &Flow) -> BTreeSet<&str> {
    let declared = flow.variables.keys().map(String::as_str);
    let set = flow
        .nodes
        .values()
        .flat_map(|node| parts::sets(node).into_iter().map(|(_, name)| name));
    declared
        .chain(set)
        .chain(template::CALL_VARIABLES)
        .collect()
}

/// Whether a value without variables can be said as what it is meant for.
fn can_be_said(say: &Say, value: &str) -> bool {
    let value = value.trim();
    match say {
        Say::Number { .. } | Say::Ordinal { .. } => value
            .parse()
            .is_ok_and(|number| crate::words::cardinal(Language::PtBr, number, None).is_some()),
        Say::Digits { .. } | Say::Protocol { .. } => {
            !crate::words::characters(Language::PtBr, value).is_empty()
        }
        Say::Date { .. } => value.parse::<jiff::civil::Date>().is_ok(),
        Say::Time { .. } => value.parse::<jiff::civil::Time>().is_ok(),
        Say::Money { .. } => crate::words::cents(value).is_some(),
        Say::Prompt { .. } | Say::Text { .. } | Say::Sound { .. } => true,
    }
}

/// Whether the host of an address is written out: a caller must not choose whom we ask.
fn has_fixed_host(url: &str) -> bool {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let Some(rest) = rest else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    !host.is_empty()
        && !host.contains(|c: char| {
            c == '{' || c == '@' || c == '\\' || c.is_whitespace() || c.is_control()
        })
}

/// A token of RFC 9110 section 5.6.2.
fn is_header_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// So many nodes a flow may have: more than a screen can show, and a flow can go to others.
pub const NODES_MAX: usize = 500;

/// So many variables a flow may declare.
pub const VARIABLES_MAX: usize = 64;

/// So many things one prompt may say.
pub const SAYS_MAX: usize = 50;

/// The longest text, characters: about two and a half minutes of speech.
pub const TEXT_CHARS_MAX: usize = 2_000;

/// So many cases a condition may have, and so many comparisons a case.
pub const CASES_MAX: usize = 50;

/// So many skills a queue may want: nobody has more to find out than what a menu asks.
pub const SKILLS_MAX: usize = 10;

/// So many intervals a day may have: one an hour.
pub const INTERVALS_MAX: usize = 24;

/// So many dates of its own a calendar may have: ten years of municipal holidays.
pub const OWN_DATES_MAX: usize = 200;

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

/// How long a caller may be silent before the first digit, milliseconds.
const FIRST_DIGIT_MS: std::ops::RangeInclusive<u32> = 500..=60_000;

/// How long a caller may be silent between digits, milliseconds.
const INTER_DIGIT_MS: std::ops::RangeInclusive<u32> = 500..=20_000;

/// How often a question is asked.
const ATTEMPTS: std::ops::RangeInclusive<u32> = 1..=10;

/// How many digits an answer may have: a Brazilian payment slip has 48.
const DIGITS: std::ops::RangeInclusive<u32> = 1..=60;

/// How long a dialled telephone may ring, milliseconds. Carriers give up after two minutes.
const RING_MS: std::ops::RangeInclusive<u32> = 1_000..=120_000;

/// How long an answer to a look-up may take, milliseconds. The caller hears nothing meanwhile.
const LOOKUP_MS: std::ops::RangeInclusive<u32> = 100..=30_000;

/// How long a spoken message may be, seconds.
const RECORD_SECONDS: std::ops::RangeInclusive<u32> = 1..=600;

#[cfg(test)]
mod tests;
