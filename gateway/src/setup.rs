//! From the store to what calls may lead to.
//!
//! Everything is read at once and handed to telephony whole. A row that cannot be understood (its
//! JSON is from a newer program, its secret from another key) takes itself out and says so in the
//! log; it never keeps the others from working.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use desk::id::{CalendarId, CompanyId, DeviceId, FlowId, NumberId, TrunkId, UserId};
use desk::rules::Transfers;
use exchange::directory::{
    Agent, Announcement, CallRules, Company, Directory, Number, Outbound, Service,
};
use exchange::outbound::TrunkRules;
use exchange::text;
use ivr::Language;
use ivr::hours::Calendar;
use jiff::tz::TimeZone;
use media_engine::codec::Codec;
use media_engine::sip::digest::{Credentials, Secret};
use media_engine::sip::ping::Rule;
use media_engine::sip::registrar::Account;
use media_engine::sip::trunk::{Address, Line, Network, Numbers, Trunk};
use media_engine::sip::{AccountId, Transport};
use serde::{Deserialize, Serialize};
use store::Store;
use store::agents::Member;
use store::users::Role;

use self::outbound::DialFormat;
use crate::channels::settings;
use crate::channels::webchat::WEBCHAT;
use crate::secrets::{SecretError, Secrets};
use crate::telephony::Setup;

mod desks;
pub mod outbound;

/// A trunk's settings, as the API takes them and the store keeps them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TrunkSettings {
    /// Where its requests come from: addresses or networks (`203.0.113.0/28`, `2001:db8::/64`).
    /// Companies may share them: the dialled number decides whose a call is.
    pub addresses: Vec<String>,
    /// `udp`, `tcp` or `tls`; what DNS says when not set.
    pub transport: Option<String>,
    /// Where calls to it go: a host, or host:port.
    pub host: Option<String>,
    /// A proxy that requests to it pass first, as a SIP URI.
    pub outbound_proxy: Option<String>,
    /// Set to register there.
    pub registration: Option<Registration>,
    /// The number that the company's outbound calls show; calls go out by the first trunk that
    /// has one, unless there are outbound routes.
    pub caller_number: Option<String>,
    /// How it wants to be dialled.
    pub dial: DialFormat,
    /// Calls at once, both ways together; 100 when not set.
    pub calls_max: Option<u32>,
    /// Calls that may begin in one second; 20 when not set.
    pub calls_per_second_max: Option<u32>,
    /// Whether its P-Asserted-Identity, Privacy and Diversion are believed.
    pub trusted: bool,
    /// Set to ask it now and then whether it lives (OPTIONS); it needs a `host` for that.
    pub ping: Option<Ping>,
}

/// How a carrier is asked whether it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ping {
    /// Seconds from one question to the next; 10 at least.
    pub every_s: u32,
    /// How many questions in a row may stay without an answer before it counts as silent; 2 when
    /// not set.
    pub lost_max: Option<u32>,
}

/// How we register at a carrier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// The domain of the registrar, as a SIP URI without a user (`sip:carrier.example`).
    pub registrar: String,
    /// The address that is registered, as a SIP URI.
    pub address_of_record: String,
    /// For how long at a time, seconds; 3600 when not set.
    pub expires_s: Option<u32>,
}

/// A trunk's credentials, before they are encrypted.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrunkSecrets {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
    /// The realm they are for.
    #[serde(default)]
    pub realm: Option<String>,
}

/// Why nothing could be read at all.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The store is away.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Reads everything that calls may lead to. `realm` is that of the devices' passwords.
///
/// # Errors
///
/// [`SetupError`] when the store is away.
pub async fn load(store: &Store, secrets: &Secrets, realm: &str) -> Result<Setup, SetupError> {
    let mut companies = BTreeMap::new();
    for company in every_company(store).await? {
        if !company.disabled {
            companies.extend(begin(&company).map(|begun| (company.id.clone(), begun)));
        }
    }
    let calendars = calendars(store, &mut companies).await?;
    desks::add(store, &mut companies).await?;
    add_services(store, &calendars, &mut companies).await?;
    add_channels(store, secrets, &mut companies).await?;
    add_agents(store, &mut companies).await?;
    desks::add_rights(store, &mut companies).await?;
    let published = add_flows(store, &mut companies).await?;
    let (mut trunks, trunk_owners, leaving) = add_trunks(store, secrets, &mut companies).await?;
    outbound::add(store, leaving, &trunk_owners, &mut companies).await?;
    let (accounts, device_owners) = add_devices(store, secrets, realm, &mut companies).await?;
    let ages = add_numbers(store, &published, &mut companies).await?;
    for trunk in &mut trunks {
        trunk.numbers.owned = owned(trunk, &trunk_owners, &companies);
    }
    leave_to_the_first(&mut trunks, &trunk_owners, &companies, &ages);
    let prompts = add_prompts(store, &mut companies).await?;
    let directory = Directory {
        companies: companies
            .into_iter()
            .map(|(id, company)| (id, Arc::new(company)))
            .collect(),
        trunks: trunk_owners,
        devices: device_owners,
    };
    Ok(Setup {
        directory: Arc::new(directory),
        trunks,
        accounts,
        prompts,
    })
}

type Companies = BTreeMap<CompanyId, Company>;

async fn every_company(store: &Store) -> Result<Vec<store::companies::Company>, SetupError> {
    let mut all = Vec::new();
    let mut page = store::Page::first();
    loop {
        let next = store::companies::list(store.pool(), &page).await?;
        let Some(last) = next.last() else {
            return Ok(all);
        };
        page.after = Some(last.id.clone());
        all.extend(next);
    }
}

fn begin(row: &store::companies::Company) -> Option<Company> {
    let zone = TimeZone::get(&row.time_zone)
        .inspect_err(
            |error| tracing::error!(company = %row.id, %error, "a company without a time zone"),
        )
        .ok()?;
    Some(Company {
        id: row.id.clone(),
        name: row.name.clone(),
        language: language(&row.language),
        zone,
        country_code: COUNTRY_CODE.to_owned(),
        numbers: BTreeMap::new(),
        extensions: BTreeMap::new(),
        outbound: None,
        outbound_rules: Arc::default(),
        channels: BTreeMap::new(),
        services: BTreeMap::new(),
        agents: BTreeMap::new(),
        owners: BTreeMap::new(),
        outside_phones: BTreeMap::new(),
        pauses: BTreeMap::new(),
        skills: BTreeMap::new(),
        desk: Arc::default(),
        prompts: BTreeMap::new(),
        library: Arc::default(),
    })
}

async fn calendars(
    store: &Store,
    companies: &mut Companies,
) -> Result<BTreeMap<CalendarId, Arc<Calendar>>, SetupError> {
    let mut found = BTreeMap::new();
    for row in store::calendars::all(store.pool()).await? {
        let Ok(calendar) = serde_json::from_value::<Calendar>(row.hours).inspect_err(
            |error| tracing::error!(calendar = %row.id, %error, "a calendar is left out"),
        ) else {
            continue;
        };
        let calendar = Arc::new(calendar);
        if let Some(company) = companies.get_mut(&row.company) {
            let library = Arc::make_mut(&mut company.library);
            library
                .calendars
                .insert(row.id.as_str().into(), calendar.clone());
        }
        found.insert(row.id, calendar);
    }
    Ok(found)
}

async fn add_services(
    store: &Store,
    calendars: &BTreeMap<CalendarId, Arc<Calendar>>,
    companies: &mut Companies,
) -> Result<(), SetupError> {
    let numbers: BTreeMap<NumberId, String> = store::numbers::all(store.pool())
        .await?
        .into_iter()
        .map(|row| (row.id, row.number))
        .collect();
    for row in store::services::all(store.pool()).await? {
        let Some(company) = companies.get_mut(&row.company).filter(|_| !row.disabled) else {
            continue;
        };
        let announcements = row.announcements.into_iter().map(|said| Announcement {
            prompt: said.prompt,
            after: Duration::from_secs(u64::from(said.after_s)),
            every: said
                .every_s
                .map(|every| Duration::from_secs(u64::from(every))),
        });
        let service = Service {
            name: row.name,
            wait_limit: Duration::from_secs(u64::from(row.wait_limit_s)),
            line_max: row
                .waiting_max
                .map_or(desk::rules::LINE_MAX, |max| max as usize),
            ring: Duration::from_secs(u64::from(row.ring_s)),
            wrap_up: Duration::from_secs(u64::from(row.wrap_up_s)),
            music: row.music_prompt,
            announcements: announcements.collect(),
            say_position: row.say_position,
            unanswered: row.unanswered_prompt,
            calendar: row.calendar.and_then(|id| calendars.get(&id).cloned()),
            rules: row.rules,
            calls: CallRules {
                recording: desks::recording(&row.calls.recording),
                recording_notice: row.recording_notice,
                survey: row.survey,
                caller_number: row.caller_number.and_then(|id| numbers.get(&id).cloned()),
                say_wait: row.calls.say_wait,
                callback_key: row.calls.callback_key.as_deref().and_then(desks::key),
            },
        };
        company.services.insert(row.id, service);
    }
    Ok(())
}

/// Channels that do something by themselves.
async fn add_channels(
    store: &Store,
    secrets: &Secrets,
    companies: &mut Companies,
) -> Result<(), SetupError> {
    for row in store::channels::all(store.pool()).await? {
        let settings = settings::life(&row).settings(|| secrets.bot_token(row.id.as_str()));
        let settings = text::Settings {
            // The window of a chat asks by itself.
            survey: settings.survey.filter(|_| row.kind != WEBCHAT),
            ..settings
        };
        if let Some(company) = companies
            .get_mut(&row.company)
            .filter(|_| !settings.is_empty())
        {
            company.channels.insert(row.id, settings);
        }
    }
    Ok(())
}

/// Who has the role, or is of a service, takes work.
async fn add_agents(store: &Store, companies: &mut Companies) -> Result<(), SetupError> {
    let mut people = BTreeMap::new();
    for user in store::users::of_companies(store.pool()).await? {
        let (Some(company), name) = (user.company, user.name) else {
            continue;
        };
        if user.role == Role::Agent {
            add_agent(companies, &company, &user.id, &name);
        }
        people.insert(user.id, (company, name));
    }
    for Member {
        company,
        service,
        user,
    } in store::agents::all(store.pool()).await?
    {
        let agent = people
            .get(&user)
            .and_then(|(_, name)| add_agent(companies, &company, &user, name));
        if let Some(agent) = agent {
            agent.services.insert(service);
        }
    }
    Ok(())
}

fn add_agent<'c>(
    companies: &'c mut Companies,
    company: &CompanyId,
    user: &UserId,
    name: &str,
) -> Option<&'c mut Agent> {
    let agents = &mut companies.get_mut(company)?.agents;
    Some(agents.entry(user.clone()).or_insert_with(|| Agent {
        name: name.to_owned(),
        services: BTreeSet::new(),
        devices: Vec::new(),
        skills: BTreeMap::new(),
        transfers: Transfers::default(),
    }))
}

/// What is dialled to reach the company of a trunk through it: where companies share a carrier's
/// address, the number decides whose the call is.
fn owned(
    trunk: &Trunk,
    owners: &BTreeMap<TrunkId, CompanyId>,
    companies: &Companies,
) -> BTreeSet<String> {
    let id = trunk.id.0.parse::<TrunkId>().ok();
    let found = id.and_then(|id| Some((companies.get(owners.get(&id)?)?, id)));
    found.map_or_else(BTreeSet::new, |(company, id)| company.dialled_by(&id))
}

/// When each number was made, milliseconds since 1970.
type Ages = BTreeMap<desk::id::NumberId, i64>;

/// Where trunks of several companies share addresses, a number stays with the company that had it
/// first: nobody takes another's calls by a number or a narrower network of its own.
fn leave_to_the_first(
    trunks: &mut [Trunk],
    owners: &BTreeMap<TrunkId, CompanyId>,
    companies: &Companies,
    ages: &Ages,
) {
    let owner = |trunk: &Trunk| owners.get(&trunk.id.0.parse().ok()?);
    let age = |trunk: &Trunk, dialled: &str| {
        let id = trunk.id.0.parse().ok()?;
        let number = companies.get(owner(trunk)?)?.number(dialled, Some(&id))?;
        Some((*ages.get(&number.id)?, number.id.clone()))
    };
    let shared = |one: &Trunk, other: &Trunk| {
        let mut networks = one.addresses.iter().map(|address| address.network);
        networks.any(|network| {
            let mut others = other.addresses.iter().map(|address| address.network);
            others.any(|other| other.overlaps(&network))
        })
    };
    let lost: Vec<Vec<String>> = trunks
        .iter()
        .map(|trunk| {
            let rivals: Vec<&Trunk> = trunks
                .iter()
                .filter(|other| other.company != trunk.company && shared(other, trunk))
                .collect();
            let had_before = |dialled: &&String| {
                let had = |rival: &&Trunk| {
                    rival.numbers.owned.contains(*dialled)
                        && age(rival, dialled) < age(trunk, dialled)
                };
                rivals.iter().any(had)
            };
            trunk
                .numbers
                .owned
                .iter()
                .filter(had_before)
                .cloned()
                .collect()
        })
        .collect();
    for (trunk, lost) in trunks.iter_mut().zip(lost) {
        for dialled in lost {
            tracing::warn!(trunk = %trunk.id.0, number = dialled, "another company had this number before on a trunk of the same addresses");
            trunk.numbers.owned.remove(&dialled);
        }
    }
}

/// Returns which version of each flow is published.
async fn add_flows(
    store: &Store,
    companies: &mut Companies,
) -> Result<BTreeMap<FlowId, u32>, SetupError> {
    let mut published = BTreeMap::new();
    for row in store::flows::all_published(store.pool()).await? {
        published.insert(row.flow.clone(), row.version);
        let Some(company) = companies.get_mut(&row.company) else {
            continue;
        };
        match serde_json::from_value::<ivr::Flow>(row.definition) {
            Ok(flow) => {
                let library = Arc::make_mut(&mut company.library);
                library
                    .flows
                    .insert(row.flow.as_str().into(), Arc::new(flow));
            }
            Err(error) => tracing::error!(flow = %row.flow, %error, "a flow is left out"),
        }
    }
    Ok(published)
}

async fn add_trunks(
    store: &Store,
    secrets: &Secrets,
    companies: &mut Companies,
) -> Result<(Vec<Trunk>, BTreeMap<TrunkId, CompanyId>, Leaving), SetupError> {
    let (mut trunks, mut owners, mut leaving) = (Vec::new(), BTreeMap::new(), Leaving::new());
    for row in store::trunks::all(store.pool()).await? {
        let Some(company) = companies.get_mut(&row.company).filter(|_| !row.disabled) else {
            continue;
        };
        match trunk(&row, secrets) {
            Ok((trunk, rules)) => {
                if let (Some(number), Some(_), None) =
                    (&rules.caller_number, &trunk.host, &company.outbound)
                {
                    company.outbound = Some(Outbound {
                        trunk: row.id.clone(),
                        number: number.clone(),
                    });
                }
                if trunk.host.is_some() {
                    leaving.insert(row.id.clone(), rules);
                }
                trunks.push(trunk);
                owners.insert(row.id, row.company);
            }
            Err(error) => tracing::error!(trunk = %row.id, %error, "a trunk is left out"),
        }
    }
    Ok((trunks, owners, leaving))
}

/// How the trunks want to be dialled that can be.
type Leaving = BTreeMap<TrunkId, TrunkRules>;

/// Why a trunk or a device cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// Its settings are not understood.
    #[error("its settings are not understood: {0}")]
    Settings(#[from] serde_json::Error),
    /// An address is not one.
    #[error("`{0}` is not an address or a network")]
    Address(String),
    /// A transport is not one.
    #[error("`{0}` is not udp, tcp or tls")]
    Transport(String),
    /// How it wants to be dialled is not understood.
    #[error(transparent)]
    Dial(#[from] outbound::Wrong),
    /// Its secret cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// Reads one trunk, and how calls leave by it.
///
/// # Errors
///
/// [`RowError`]: the API checks settings by this before it takes them.
pub fn trunk(
    row: &store::trunks::Trunk,
    secrets: &Secrets,
) -> Result<(Trunk, TrunkRules), RowError> {
    let settings: TrunkSettings = serde_json::from_value(row.settings.clone())?;
    let transport = settings.transport.as_deref().map(transport).transpose()?;
    let network = |text: &String| {
        let network: Network = text.parse().map_err(|_| RowError::Address(text.clone()))?;
        Ok(Address {
            network,
            transport: None,
        })
    };
    let credentials = match &row.secrets {
        Some(sealed) => {
            let opened = secrets.open_sealed(row.id.as_str(), sealed)?;
            let TrunkSecrets {
                username,
                password,
                realm,
            } = serde_json::from_slice(&opened)?;
            Some(Credentials {
                username,
                password,
                realm,
            })
        }
        None => None,
    };
    let line = settings.registration.map(|registration| Line {
        // The id is 80 bits of chance, and the carrier alone is told.
        token: row.id.as_str().to_owned(),
        address_of_record: registration.address_of_record,
        registrar: registration.registrar,
        expires: Duration::from_secs(u64::from(registration.expires_s.unwrap_or(3_600))),
    });
    let trunk = Trunk {
        id: media_engine::sip::TrunkId(row.id.as_str().into()),
        company: row.company.as_str().into(),
        name: row.name.clone(),
        addresses: settings
            .addresses
            .iter()
            .map(network)
            .collect::<Result<_, RowError>>()?,
        host: settings.host,
        transport,
        outbound_proxy: settings.outbound_proxy,
        credentials,
        line,
        numbers: Numbers::default(),
        codecs: Codec::ALL.to_vec(),
        calls_max: settings.calls_max.unwrap_or(TRUNK_CALLS_MAX),
        calls_per_second_max: settings
            .calls_per_second_max
            .unwrap_or(TRUNK_CALLS_PER_SECOND_MAX),
        trusted: settings.trusted,
        ping: settings.ping.map(|ping| Rule {
            every: Duration::from_secs(u64::from(ping.every_s)),
            lost_max: ping.lost_max.unwrap_or(PINGS_LOST_MAX),
        }),
    };
    let rules = TrunkRules {
        format: settings.dial.read()?,
        caller_number: settings.caller_number,
    };
    Ok((trunk, rules))
}

async fn add_devices(
    store: &Store,
    secrets: &Secrets,
    realm: &str,
    companies: &mut Companies,
) -> Result<(Vec<Account>, BTreeMap<DeviceId, CompanyId>), SetupError> {
    let (mut accounts, mut owners) = (Vec::new(), BTreeMap::new());
    let mut names = Vec::new();
    for row in store::devices::all(store.pool()).await? {
        let Some(company) = companies.get_mut(&row.company).filter(|_| !row.disabled) else {
            continue;
        };
        let password = match secrets.open_sealed(row.id.as_str(), &row.secrets) {
            Ok(password) => String::from_utf8_lossy(&password).into_owned(),
            Err(error) => {
                tracing::error!(device = %row.id, %error, "a device is left out");
                continue;
            }
        };
        names.push((row.company.clone(), row.username.clone(), row.id.clone()));
        match row.number {
            Some(number) => {
                company.outside_phones.insert(row.id.clone(), number);
            }
            None => accounts.push(Account {
                id: AccountId(row.id.as_str().into()),
                secret: Secret::new(&row.username, realm, &password),
                user: row.username,
                company: row.company.as_str().into(),
            }),
        }
        if let Some(user) = row.user {
            if let Some(agent) = company.agents.get_mut(&user) {
                agent.devices.push(row.id.clone());
            }
            company.owners.insert(row.id.clone(), user);
        }
        if let Some(extension) = row.extension {
            company.extensions.insert(extension, row.id.clone());
        }
        owners.insert(row.id, row.company);
    }
    // A name that is somebody's extension stays that extension.
    for (company, name, device) in names {
        if let Some(company) = companies.get_mut(&company) {
            company.extensions.entry(name).or_insert(device);
        }
    }
    Ok((accounts, owners))
}

async fn add_numbers(
    store: &Store,
    published: &BTreeMap<FlowId, u32>,
    companies: &mut Companies,
) -> Result<Ages, SetupError> {
    let mut ages = Ages::new();
    for row in store::numbers::all(store.pool()).await? {
        let Some(company) = companies.get_mut(&row.company).filter(|_| !row.disabled) else {
            continue;
        };
        let flow = row.flow.and_then(|flow| {
            let version = *published.get(&flow)?;
            Some((flow, version))
        });
        ages.insert(row.id.clone(), row.created_ms);
        let number = Number {
            id: row.id,
            trunk: row.trunk,
            flow,
            priority: row.priority,
        };
        company.numbers.insert(row.number, number);
    }
    Ok(ages)
}

/// The prompts that are heard: what each company's say, and the file of each.
async fn add_prompts(
    store: &Store,
    companies: &mut Companies,
) -> Result<BTreeMap<desk::id::PromptId, String>, SetupError> {
    let all = store::prompts::all(store.pool()).await?;
    let heard = all
        .into_iter()
        .filter(|prompt| prompt.state == store::prompts::PromptState::Published);
    let mut files = BTreeMap::new();
    for prompt in heard {
        if let Some(company) = companies.get_mut(&prompt.company)
            && !prompt.text.trim().is_empty()
        {
            company.prompts.insert(prompt.id.to_string(), prompt.text);
        }
        files.extend(prompt.file.map(|file| (prompt.id, file)));
    }
    Ok(files)
}

/// A language by its BCP 47 name; Portuguese is home.
pub fn language(name: &str) -> Language {
    match name.get(..2) {
        Some("en") => Language::En,
        Some("es") => Language::Es,
        Some(_) | None => Language::PtBr,
    }
}

fn transport(name: &str) -> Result<Transport, RowError> {
    match name {
        "udp" => Ok(Transport::Udp),
        "tcp" => Ok(Transport::Tcp),
        "tls" => Ok(Transport::Tls),
        other => Err(RowError::Transport(other.to_owned())),
    }
}

/// Brazil's.
pub(crate) const COUNTRY_CODE: &str = "55";

/// Calls at once over one carrier, where nothing is set: a company of a hundred desks.
const TRUNK_CALLS_MAX: u32 = 100;

/// New calls a second over one carrier, where nothing is set: more is a wave or an attack.
const TRUNK_CALLS_PER_SECOND_MAX: u32 = 20;

/// Questions to a carrier that may stay without an answer, where nothing is set: one is lost now and
/// then.
const PINGS_LOST_MAX: u32 = 2;

#[cfg(test)]
mod tests;
