//! What companies set about the calls that leave: the API's words, the store's JSON, the exchange's
//! rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use desk::id::{NumberId, ServiceId, TrunkId};
use desk::numbering::{self, Format, Style, brazil};
use exchange::outbound::guard::{Limits, Night, Permissions};
use exchange::outbound::prefix::Prefix;
use exchange::outbound::route::Route;
use exchange::outbound::{Rules, TrunkRules};
use jiff::civil::Time;
use serde::{Deserialize, Serialize};
use store::Store;

use super::{COUNTRY_CODE, Companies, SetupError};

/// What a company has set about its outbound calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OutboundRules {
    /// The area in which its people dial (`11`); that of the number it shows, when not set.
    pub area_code: Option<String>,
    /// What callees see, where neither service nor number, route nor trunk say it.
    pub caller_number: Option<String>,
    /// What callees see of a service's calls, by its id.
    #[schema(value_type = BTreeMap<String, String>)]
    pub caller_number_of_services: BTreeMap<ServiceId, String>,
    /// What callees see of calls that are put through for somebody who called one of the
    /// company's numbers, by that number's id.
    #[schema(value_type = BTreeMap<String, String>)]
    pub caller_number_of_numbers: BTreeMap<NumberId, String>,
    /// Prefixes that may be called beside the telephones of the own country: `+` and at least a
    /// country code; `X` is any digit. Expensive numbers need a prefix of their own: `+55900`,
    /// `+1876`.
    pub allowed: Vec<String>,
    /// Prefixes that may not be called, unless a longer one is allowed.
    pub refused: Vec<String>,
    /// Hours in which less is allowed.
    pub night: Option<OutboundNight>,
    /// How much each agent may call.
    pub agent_limits: OutboundLimits,
    /// How much the company may call altogether.
    pub company_limits: OutboundLimits,
}

/// Hours in which only some numbers may be called; emergencies always may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutboundNight {
    /// When they begin, in the company's time zone (`22:00`).
    pub from: String,
    /// When they end; on the next day where that is earlier.
    pub until: String,
    /// Prefixes that may be called in them.
    #[serde(default)]
    pub allowed: Vec<String>,
}

/// How much may be called; what is not set is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OutboundLimits {
    /// Calls at once.
    pub calls_at_once: Option<u32>,
    /// Calls that begin within an hour.
    pub calls_per_hour: Option<u32>,
    /// Calls that begin in a day of the company.
    pub calls_per_day: Option<u32>,
    /// What the calls of a day may cost, in thousandths of the currency: the next one is refused.
    pub cost_per_day: Option<u64>,
}

/// How a carrier wants to be dialled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DialFormat {
    /// `plus` (+5511…), `digits` (5511…) or `national` (011…); `plus` when not set.
    pub style: DialStyle,
    /// The operator code (CSP) that stands in national numbers: `15` makes 01511….
    pub operator: Option<String>,
    /// Digits that are taken from the beginning of that, where they are there.
    pub strip: String,
    /// What is put before it.
    pub add: String,
}

/// How numbers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DialStyle {
    /// `+5511912345678`.
    #[default]
    Plus,
    /// `5511912345678`.
    Digits,
    /// `011912345678`.
    National,
}

/// A setting that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct Wrong {
    /// Where it stands.
    pub field: &'static str,
    /// What is wrong with it.
    pub why: WrongWhy,
}

/// What is wrong with a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongWhy {
    /// It is no area code.
    #[error("this is no area code")]
    Area,
    /// It is no number that a carrier could show.
    #[error("a number is `+` and digits, or digits")]
    Number,
    /// It is no prefix.
    #[error("a prefix is `+` and digits, `X` being any digit; what is allowed names a country")]
    Prefix,
    /// It is no time of day.
    #[error("a time of day is written 22:00")]
    Time,
    /// It is no operator code, or stands where numbers are not national.
    #[error("an operator code has two digits, and stands in national numbers")]
    Operator,
    /// There are too many, or it is too long.
    #[error("there are too many of them, or it is too long")]
    TooMany,
}

impl OutboundRules {
    /// As the exchange understands them, but for what stands elsewhere: routes and trunks.
    ///
    /// # Errors
    ///
    /// [`Wrong`]: the API takes only what is right.
    pub fn read(&self) -> Result<Rules, Wrong> {
        let area_code = self.area_code.as_deref().map(area).transpose()?;
        let shown = |field, number: &String| caller_number(field, number);
        Ok(Rules {
            area_code,
            caller_number: self
                .caller_number
                .as_ref()
                .map(|number| shown("caller_number", number))
                .transpose()?,
            of_services: self
                .caller_number_of_services
                .iter()
                .map(|(id, number)| Ok((id.clone(), shown("caller_number_of_services", number)?)))
                .collect::<Result<_, _>>()?,
            of_numbers: self
                .caller_number_of_numbers
                .iter()
                .map(|(id, number)| Ok((id.clone(), shown("caller_number_of_numbers", number)?)))
                .collect::<Result<_, _>>()?,
            routes: vec![],
            trunks: BTreeMap::new(),
            permissions: Permissions {
                allowed: allowed("allowed", &self.allowed)?,
                refused: prefixes("refused", &self.refused)?,
                night: self.night.as_ref().map(OutboundNight::read).transpose()?,
                agent: self.agent_limits.into(),
                company: self.company_limits.into(),
            },
        })
    }
}

impl OutboundNight {
    fn read(&self) -> Result<Night, Wrong> {
        let time = |field, text: &str| {
            let why = WrongWhy::Time;
            text.parse::<Time>().map_err(|_| Wrong { field, why })
        };
        Ok(Night {
            from: time("night.from", &self.from)?,
            until: time("night.until", &self.until)?,
            allowed: prefixes("night.allowed", &self.allowed)?,
        })
    }
}

impl From<OutboundLimits> for Limits {
    fn from(limits: OutboundLimits) -> Self {
        let OutboundLimits {
            calls_at_once,
            calls_per_hour,
            calls_per_day,
            cost_per_day,
        } = limits;
        Self {
            calls_at_once,
            calls_per_hour,
            calls_per_day,
            cost_per_day,
        }
    }
}

impl DialFormat {
    /// As the exchange understands it.
    ///
    /// # Errors
    ///
    /// [`Wrong`]: the API takes only what is right.
    pub fn read(&self) -> Result<Format, Wrong> {
        let operator = Wrong {
            field: "dial.operator",
            why: WrongWhy::Operator,
        };
        let style = match (self.style, &self.operator) {
            (DialStyle::Plus, None) => Style::Plus,
            (DialStyle::Digits, None) => Style::Digits,
            (DialStyle::National, None) => Style::National,
            (DialStyle::National, Some(code)) => {
                Style::Operator(code.parse().map_err(|_| operator)?)
            }
            (DialStyle::Plus | DialStyle::Digits, Some(_)) => return Err(operator),
        };
        for (field, text) in [("dial.strip", &self.strip), ("dial.add", &self.add)] {
            let is_dialled = |letter: char| letter.is_ascii_digit() || "+*#".contains(letter);
            if !text.chars().all(is_dialled) {
                let why = WrongWhy::Number;
                return Err(Wrong { field, why });
            }
            if text.len() > DIALLED_PREFIX_LENGTH_MAX {
                let why = WrongWhy::TooMany;
                return Err(Wrong { field, why });
            }
        }
        Ok(Format {
            style,
            strip: self.strip.clone(),
            add: self.add.clone(),
        })
    }
}

fn area(code: &str) -> Result<String, Wrong> {
    let is_right = if COUNTRY_CODE == brazil::COUNTRY {
        brazil::is_area(code)
    } else {
        matches!(code.len(), 1..=5) && code.bytes().all(|byte| byte.is_ascii_digit())
    };
    let wrong = Wrong {
        field: "area_code",
        why: WrongWhy::Area,
    };
    is_right.then(|| code.to_owned()).ok_or(wrong)
}

/// A number that a carrier can show: `+` and digits, or digits.
pub(crate) fn caller_number(field: &'static str, number: &str) -> Result<String, Wrong> {
    let digits = number.strip_prefix('+').unwrap_or(number);
    let is_right =
        matches!(digits.len(), 2..=15) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let why = WrongWhy::Number;
    is_right
        .then(|| number.to_owned())
        .ok_or(Wrong { field, why })
}

/// Who allows everything has slipped: what is allowed names a country at least.
fn allowed(field: &'static str, texts: &[String]) -> Result<Vec<Prefix>, Wrong> {
    let why = WrongWhy::Prefix;
    let names_a_country = |text: &String| {
        text.strip_prefix('+').map_or(!text.is_empty(), |digits| {
            numbering::country_of(digits)
                .is_some_and(|code| code.bytes().all(|byte| byte.is_ascii_digit()))
        })
    };
    if texts.iter().all(names_a_country) {
        prefixes(field, texts)
    } else {
        Err(Wrong { field, why })
    }
}

fn prefixes(field: &'static str, texts: &[String]) -> Result<Vec<Prefix>, Wrong> {
    if texts.len() > PREFIXES_MAX {
        let why = WrongWhy::TooMany;
        return Err(Wrong { field, why });
    }
    let read = |text: &String| {
        let why = WrongWhy::Prefix;
        text.parse().map_err(|_| Wrong { field, why })
    };
    texts.iter().map(read).collect()
}

/// Gives each company its rules, its routes and what its trunks want. What is set and cannot be
/// read leaves a company with the narrow rules of one that has set nothing.
pub(super) async fn add(
    store: &Store,
    trunks: BTreeMap<TrunkId, TrunkRules>,
    owners: &BTreeMap<TrunkId, desk::id::CompanyId>,
    companies: &mut Companies,
) -> Result<(), SetupError> {
    for row in store::outbound::all_rules(store.pool()).await? {
        let Some(company) = companies.get_mut(&row.company) else {
            continue;
        };
        match serde_json::from_value::<OutboundRules>(row.rules).map(|rules| rules.read()) {
            Ok(Ok(rules)) => company.outbound_rules = Arc::new(rules),
            Ok(Err(error)) => {
                tracing::error!(company = %row.company, %error, "rules about outbound calls are left out");
            }
            Err(error) => {
                tracing::error!(company = %row.company, %error, "rules about outbound calls are left out");
            }
        }
    }
    for (id, own) in trunks {
        let company = owners.get(&id).and_then(|owner| companies.get_mut(owner));
        if let Some(company) = company {
            let rules = Arc::make_mut(&mut company.outbound_rules);
            rules.trunks.insert(id, own);
        }
    }
    for row in store::outbound::all_routes(store.pool()).await? {
        let company = companies.get_mut(&row.company).filter(|_| !row.disabled);
        let Some(company) = company else {
            continue;
        };
        let rules = Arc::make_mut(&mut company.outbound_rules);
        match route(&row) {
            // A trunk that is disabled or left out carries nothing.
            Ok(route) if rules.trunks.contains_key(&route.trunk) => rules.routes.push(route),
            Ok(_) => {}
            Err(error) => tracing::error!(route = %row.id, %error, "a route is left out"),
        }
    }
    for company in companies.values_mut() {
        if company.outbound_rules.area_code.is_none() {
            let shown = company.outbound_rules.caller_number.as_deref();
            let only = company.outbound.as_ref().map(|only| only.number.as_str());
            let area = shown.or(only).and_then(brazil::area_of).map(str::to_owned);
            Arc::make_mut(&mut company.outbound_rules).area_code = area;
        }
    }
    Ok(())
}

/// A route, as the exchange understands it.
pub(crate) fn route(row: &store::outbound::Route) -> Result<Route, Wrong> {
    let prefix = row.prefix.parse().map_err(|_| Wrong {
        field: "prefix",
        why: WrongWhy::Prefix,
    })?;
    let shown = row.caller_number.as_deref();
    Ok(Route {
        id: row.id.clone(),
        trunk: row.trunk.clone(),
        prefix,
        priority: row.priority,
        weight: row.weight,
        calls_max: row.calls_max,
        calls_per_second_max: row.calls_per_second_max,
        cost_per_minute: row.cost_per_minute,
        caller_number: shown
            .map(|number| caller_number("caller_number", number))
            .transpose()?,
    })
}

/// Prefixes in one list: there are 240 countries.
const PREFIXES_MAX: usize = 1_000;

/// What carriers ask to be dialled before a number.
const DIALLED_PREFIX_LENGTH_MAX: usize = 20;
