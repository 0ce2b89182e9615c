//! Who is who: the companies with their numbers, trunks, devices, services, agents and flows.
//!
//! The shell builds one from the store and hands it in whole at every change; a call keeps the
//! company it began with, so that nobody is moved to another menu in the middle of a sentence.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use desk::id::{
    ChannelId, CompanyId, DeviceId, FlowId, NumberId, PauseId, PromptId, ServiceId, SkillId,
    TrunkId, UserId,
};
use desk::rules::{
    AgentRules, Overflow, OverflowThen, OverflowWhen, PauseRules, Rules, ServiceRules, Transfers,
};
use ivr::hours::Calendar;
use ivr::{Key, Language};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// All that a call may lead to. It never changes; a change makes another one.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// The tenants.
    pub companies: BTreeMap<CompanyId, Arc<Company>>,
    /// Whose each trunk is.
    pub trunks: BTreeMap<TrunkId, CompanyId>,
    /// Whose each device is.
    pub devices: BTreeMap<DeviceId, CompanyId>,
}

/// A tenant, as a call sees it.
#[derive(Clone, Debug)]
pub struct Company {
    /// Its id.
    pub id: CompanyId,
    /// Its name; flows may say it.
    pub name: String,
    /// The language of its sentences where a flow names none.
    pub language: Language,
    /// Where its days begin.
    pub zone: TimeZone,
    /// The country calling code of its numbers without one, digits only (`55`).
    pub country_code: String,
    /// Its numbers by what is dialled: `+` and digits, or a short extension.
    pub numbers: BTreeMap<String, Number>,
    /// Its devices by what is dialled: the extension, or the user name.
    pub extensions: BTreeMap<String, DeviceId>,
    /// Whose each device is, where it is somebody's.
    pub owners: BTreeMap<DeviceId, UserId>,
    /// The devices that do not register, by the numbers outside at which they are reached.
    pub outside_phones: BTreeMap<DeviceId, String>,
    /// The trunk that its outbound calls take, and the number they show.
    pub outbound: Option<Outbound>,
    /// What it has set about outbound calls.
    pub outbound_rules: Arc<crate::outbound::Rules>,
    /// What its written channels do by themselves.
    pub channels: BTreeMap<ChannelId, crate::text::Settings>,
    /// Its services.
    pub services: BTreeMap<ServiceId, Service>,
    /// The people who take its work.
    pub agents: BTreeMap<UserId, Agent>,
    /// The reasons for which they may pause.
    pub pauses: BTreeMap<PauseId, Pause>,
    /// What they can do better or worse, by what people call it.
    pub skills: BTreeMap<SkillId, String>,
    /// What all its services have in common at the desk. Services, agents and pauses stand beside it
    /// and not in it.
    pub desk: Arc<Rules>,
    /// What its prompts say, for who reads them.
    pub prompts: BTreeMap<String, String>,
    /// Its published flows and its calendars.
    pub library: Arc<ivr::Library>,
}

/// How a company's calls leave.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// The carrier.
    pub trunk: TrunkId,
    /// The number that the callee sees.
    pub number: String,
}

/// A number that can be dialled.
#[derive(Clone, Debug)]
pub struct Number {
    /// Its id.
    pub id: NumberId,
    /// The one carrier it is reached through; any of the company's when not set.
    pub trunk: Option<TrunkId>,
    /// What answers there, and which published version; nothing yet when not set.
    pub flow: Option<(FlowId, u32)>,
    /// Points of priority for who calls it.
    pub priority: i16,
}

/// A reason for a pause.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pause {
    /// What people call it.
    pub name: String,
    /// How long it should last; as long as it takes when not set.
    pub limit: Option<Duration>,
}

/// A queue with its rules, as one who waits there hears it.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// How long a customer waits at most.
    pub wait_limit: Duration,
    /// How many may wait at once; the next one is told that the service is closed.
    pub line_max: usize,
    /// How long the phones of an agent ring before the next one is asked.
    pub ring: Duration,
    /// How long an agent has after a call before the next one.
    pub wrap_up: Duration,
    /// What plays while they wait; the shipped music when not set.
    pub music: Option<PromptId>,
    /// What is said between.
    pub announcements: Vec<Announcement>,
    /// Whether the place in line is said with each announcement.
    pub say_position: bool,
    /// What is said when nobody answered within the limit, before the flow goes on.
    pub unanswered: Option<PromptId>,
    /// When people are there; always when not set.
    pub calendar: Option<Arc<Calendar>>,
    /// How its work is treated, beside what stands above.
    pub rules: ServiceRules,
    /// How its calls are treated.
    pub calls: CallRules,
}

/// How the calls of a service are treated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallRules {
    /// Whether they are recorded.
    pub recording: Recording,
    /// What customers are told before it.
    pub recording_notice: Option<PromptId>,
    /// What asks the customer how it was, when the agent has left.
    pub survey: Option<FlowId>,
    /// The number that its calls to customers show; the company's when not set.
    pub caller_number: Option<String>,
    /// Whether those who wait are told how long they will probably wait, with each announcement.
    pub say_wait: bool,
    /// The key by which who waits asks to be called back; none when not set.
    pub callback_key: Option<Key>,
}

/// Whether calls are recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recording {
    /// Not at all.
    #[default]
    Off,
    /// From the moment in which an agent answers.
    Always,
    /// When an agent or a supervisor says so.
    OnDemand,
}

/// Somebody who takes work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// What people call them.
    pub name: String,
    /// Whose work they take.
    pub services: BTreeSet<ServiceId>,
    /// Their phones; all of them ring.
    pub devices: Vec<DeviceId>,
    /// What they can do, and how well.
    pub skills: BTreeMap<SkillId, u8>,
    /// Where they may hand work to.
    pub transfers: Transfers,
}

/// Something that is said to those who wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// What is said.
    pub prompt: PromptId,
    /// How long after the beginning of the wait it is said first.
    pub after: Duration,
    /// How often from then on; once when not set.
    pub every: Option<Duration>,
}

impl Directory {
    /// The company that a trunk belongs to.
    pub fn company_of_trunk(&self, trunk: &TrunkId) -> Option<&Arc<Company>> {
        self.companies.get(self.trunks.get(trunk)?)
    }

    /// The company that a device belongs to.
    pub fn company_of_device(&self, device: &DeviceId) -> Option<&Arc<Company>> {
        self.companies.get(self.devices.get(device)?)
    }
}

impl Company {
    /// Who has a device.
    pub(crate) fn owner(&self, device: &DeviceId) -> Option<&UserId> {
        self.owners.get(device)
    }

    /// The devices that somebody has.
    pub(crate) fn devices_of<'a>(&'a self, user: &'a UserId) -> impl Iterator<Item = &'a DeviceId> {
        let owners = self.owners.iter();
        owners.filter_map(move |(device, owner)| (owner == user).then_some(device))
    }

    /// What one dials to reach a device: its extension, before its user name.
    pub(crate) fn extension_of(&self, device: &DeviceId) -> Option<&str> {
        let dialled = self.extensions.iter();
        let own = dialled.filter(|(_, known)| *known == device);
        own.map(|(dialled, _)| dialled.as_str()).min()
    }

    /// What its desk has to know of it.
    pub(crate) fn rules(&self) -> Rules {
        let services = self.services.iter();
        let agents = self.agents.iter();
        let pauses = self.pauses.iter();
        Rules {
            services: services
                .map(|(id, own)| (id.clone(), own.rules()))
                .collect(),
            agents: agents.map(|(id, own)| (id.clone(), own.rules())).collect(),
            pauses: pauses
                .map(|(id, pause)| (id.clone(), pause.rules()))
                .collect(),
            pages: true,
            ..Rules::clone(&self.desk)
        }
    }

    /// The number that somebody dialled, in whichever of its spellings a carrier sends it.
    ///
    /// Carriers send one number as `+551140000000`, `551140000000`, `1140000000` or
    /// `01140000000`; the company's own form is found from each. A number that is bound to a
    /// trunk is not reachable through another.
    pub fn number(&self, dialled: &str, trunk: Option<&TrunkId>) -> Option<&Number> {
        let number = self
            .spellings(dialled)
            .find_map(|text| self.numbers.get(&text))?;
        match (&number.trunk, trunk) {
            (Some(bound), Some(trunk)) if bound != trunk => None,
            _ => Some(number),
        }
    }

    /// What is dialled by this trunk to reach a number of the company: all spellings that
    /// [`Company::number`] reads, but for punctuation and more than one zero before.
    pub fn dialled_by(&self, trunk: &TrunkId) -> BTreeSet<String> {
        let reachable = |number: &Number| number.trunk.as_ref().is_none_or(|only| only == trunk);
        self.numbers
            .iter()
            .filter(|(_, number)| reachable(number))
            .flat_map(|(text, _)| self.written(text))
            .collect()
    }

    fn written(&self, number: &str) -> Vec<String> {
        let Some(digits) = number.strip_prefix('+') else {
            return vec![number.to_owned(), format!("+{number}")];
        };
        let mut written = vec![number.to_owned(), digits.to_owned()];
        if let Some(national) = digits.strip_prefix(self.country_code.as_str()) {
            written.extend([national.to_owned(), format!("0{national}")]);
        }
        written
    }

    fn spellings(&self, dialled: &str) -> impl Iterator<Item = String> {
        let digits: String = dialled.chars().filter(char::is_ascii_digit).collect();
        let national = digits.trim_start_matches('0').to_owned();
        [
            dialled.to_owned(),
            digits.clone(),
            format!("+{digits}"),
            format!("+{}{national}", self.country_code),
        ]
        .into_iter()
    }
}

impl Service {
    fn rules(&self) -> ServiceRules {
        let mut rules = self.rules.clone();
        rules.ring_ms = milliseconds(self.ring);
        rules.line_max = self.line_max;
        rules.wrap_up.limit_ms = milliseconds(self.wrap_up);
        rules.overflow.push(Overflow {
            when: OverflowWhen::WaitedMs(milliseconds(self.wait_limit)),
            then: OverflowThen::Close,
        });
        rules
    }
}

impl Agent {
    fn rules(&self) -> AgentRules {
        AgentRules {
            services: self.services.clone(),
            skills: self.skills.clone(),
            transfers: self.transfers.clone(),
        }
    }
}

impl Pause {
    fn rules(&self) -> PauseRules {
        PauseRules {
            limit_ms: self.limit.map(milliseconds),
        }
    }
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn company(numbers: &[(&str, Option<&str>)]) -> Company {
        let id = |text: &str| text.parse().expect("an id");
        Company {
            id: "demo".parse().expect("an id"),
            name: "Demo".into(),
            language: Language::PtBr,
            zone: TimeZone::UTC,
            country_code: "55".into(),
            numbers: numbers
                .iter()
                .map(|(dialled, trunk)| {
                    let trunk = trunk.map(|text| text.parse().expect("an id"));
                    (
                        (*dialled).to_owned(),
                        Number {
                            id: id("n"),
                            trunk,
                            flow: None,
                            priority: 0,
                        },
                    )
                })
                .collect(),
            extensions: BTreeMap::new(),
            owners: BTreeMap::new(),
            outside_phones: BTreeMap::new(),
            outbound: None,
            outbound_rules: Arc::default(),
            channels: BTreeMap::new(),
            services: BTreeMap::new(),
            agents: BTreeMap::new(),
            pauses: BTreeMap::new(),
            skills: BTreeMap::new(),
            desk: Arc::default(),
            prompts: BTreeMap::new(),
            library: Arc::default(),
        }
    }

    #[test]
    fn a_number_is_found_in_every_spelling_of_a_carrier() {
        let company = company(&[("+551140040000", None), ("4000", None)]);
        for spelling in [
            "+551140040000",
            "551140040000",
            "1140040000",
            "01140040000",
            "+55 11 4004-0000",
        ] {
            assert!(company.number(spelling, None).is_some(), "{spelling}");
        }
        assert!(company.number("4000", None).is_some());
        for stranger in ["", "4001", "+551140040001", "40040000", "+", "0"] {
            assert!(company.number(stranger, None).is_none(), "{stranger}");
        }
    }

    #[test]
    fn what_a_trunk_owns_is_what_the_company_understands() {
        let company = company(&[
            ("+551140040000", None),
            ("4000", None),
            ("+12025550100", None),
            ("4009", Some("two")),
        ]);
        let one: TrunkId = "one".parse().expect("an id");
        let owned = company.dialled_by(&one);
        for dialled in &owned {
            assert!(company.number(dialled, Some(&one)).is_some(), "{dialled}");
        }
        for dialled in ["+551140040000", "01140040000", "4000", "12025550100"] {
            assert!(owned.contains(dialled), "{dialled}");
        }
        assert!(!owned.contains("4009"), "it is another trunk's");
    }

    #[test]
    fn a_number_bound_to_a_trunk_is_reached_through_no_other() {
        let company = company(&[("4000", Some("one"))]);
        let trunk = |text: &str| text.parse::<TrunkId>().expect("an id");
        assert!(company.number("4000", Some(&trunk("one"))).is_some());
        assert!(company.number("4000", Some(&trunk("two"))).is_none());
        assert!(
            company.number("4000", None).is_some(),
            "our own devices reach every number"
        );
    }
}
