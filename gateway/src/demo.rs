//! The demo company: enough to dial in and hear a menu, without a word of set-up.
//!
//! It is made once, in an empty database, through the same tables as any other company. Its
//! passwords are chance, and stand in a file of the data folder so that they can be shown again.

use std::path::Path;

use channels::generic::signature;
use desk::disposition::Disposition;
use desk::id::{
    CalendarId, ChannelId, CompanyId, DeviceId, DispositionId, FlowId, NumberId, PromptId,
    QuickReplyId, ServiceId, TrunkId, UserId,
};
use desk::rules::{Rules, ServiceRules, Targets, WrapUp};
use ivr::simple::{Offer, SimpleForm};
use ivr::{CalendarRef, Key, Language, Say};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::Store;
use store::prompts::{Prompt, PromptKind, PromptState};
use store::users::Role;

use crate::channels::SigningSecrets;
use crate::channels::webchat::{self, WebchatSettings};
use crate::secrets::Secrets;
use crate::setup::TrunkSettings;
use crate::sound_files::SoundFiles;
use crate::voices::{Speech, Voices};
use crate::{api_key, files, passwords, usual};

/// How people and telephones get in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logins {
    /// The administrator's address.
    pub administrator: String,
    /// And password.
    pub password: String,
    /// The user names of the devices.
    pub devices: Vec<String>,
    /// And their one password.
    pub device_password: String,
    /// The addresses of the agents, whose devices these are; none in a demo of before.
    #[serde(default)]
    pub agents: Vec<String>,
    /// The address of who supervises them; empty in a demo of before.
    #[serde(default)]
    pub supervisor: String,
    /// And the one password of them all.
    #[serde(default)]
    pub agent_password: String,
}

/// What making the demo needs.
#[derive(Debug)]
pub struct Maker<'a> {
    /// Where it goes.
    pub store: &'a Store,
    /// Encrypts the devices' password.
    pub secrets: &'a Secrets,
    /// Who speaks its prompts.
    pub voices: &'a Voices,
    /// Where their sound is kept.
    pub sounds: &'a SoundFiles,
    /// The data folder.
    pub data: &'a Path,
}

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The store is away.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Something of it is not understood: a bug of ours.
    #[error("the demo is not understood: {0}")]
    Form(String),
    /// The data folder cannot be written.
    #[error("the data folder: {0}")]
    Disk(#[from] std::io::Error),
    /// A secret cannot be sealed.
    #[error(transparent)]
    Secret(#[from] crate::secrets::SecretError),
}

impl Maker<'_> {
    /// Makes the demo when the database is empty, and returns its logins, made now or before.
    /// Nothing when the database holds somebody else's data.
    ///
    /// # Errors
    ///
    /// [`DemoError`]; nothing is half made.
    pub async fn make(&self, now_ms: i64, seed: [u8; 32]) -> Result<Option<Logins>, DemoError> {
        let file = self.data.join(LOGINS_FILE);
        if store::companies::none_exists(self.store.pool()).await? {
            let logins = self.fill(now_ms, StdRng::from_seed(seed)).await?;
            let text = serde_json::to_vec_pretty(&logins)
                .map_err(|error| DemoError::Form(error.to_string()))?;
            files::write_whole(&file, &text)?;
            return Ok(Some(logins));
        }
        let known = tokio::fs::read(&file).await.ok();
        Ok(known.and_then(|text| serde_json::from_slice(&text).ok()))
    }

    async fn fill(&self, now_ms: i64, mut random: StdRng) -> Result<Logins, DemoError> {
        let logins = Logins {
            administrator: "admin@demo.example".to_owned(),
            password: api_key::letters(&mut random, PASSWORD_LENGTH),
            devices: DEVICES
                .iter()
                .map(|(username, ..)| (*username).to_owned())
                .collect(),
            device_password: api_key::letters(&mut random, PASSWORD_LENGTH),
            agents: DEVICES.iter().map(|(name, ..)| address(name)).collect(),
            supervisor: address("sofia"),
            agent_password: api_key::letters(&mut random, PASSWORD_LENGTH),
        };
        // Speaking takes time; the transaction begins when everything is at hand.
        let mut prompts = Vec::new();
        for (name, text) in PROMPTS {
            prompts.push(self.prompt(name, text, now_ms, &mut random).await?);
        }
        let mut db = self.store.begin().await?;
        let company = CompanyId::new(now_ms, &mut random);
        insert_company(&mut db, &company, &logins, now_ms, &mut random).await?;
        for prompt in &mut prompts {
            prompt.company = company.clone();
            store::prompts::insert(&mut *db, prompt).await?;
        }
        let services = insert_services(&mut db, &company, &prompts, now_ms, &mut random).await?;
        for (shortcut, text) in QUICK_REPLIES {
            let reply = store::quick_replies::QuickReply {
                id: QuickReplyId::new(now_ms, &mut random),
                company: company.clone(),
                shortcut: shortcut.to_owned(),
                text: text.to_owned(),
                services: vec![],
                created_ms: now_ms,
                updated_ms: now_ms,
            };
            store::quick_replies::insert(&mut *db, &reply).await?;
        }
        insert_trunk(&mut db, &company, now_ms, &mut random).await?;
        for (number, name, calendar) in [
            (
                "4000",
                "Loja",
                json!({ "time_zone": ZONE, "schedule": "always" }),
            ),
            (
                "4001",
                "Loja (sempre fechada)",
                json!({ "time_zone": ZONE, "schedule": { "weekly": {} } }),
            ),
        ] {
            let calendar =
                insert_calendar(&mut db, &company, name, calendar, now_ms, &mut random).await?;
            let form = form(&calendar, &prompts, &services);
            let flow = insert_flow(&mut db, &company, name, &form, now_ms, &mut random).await?;
            let number = store::numbers::Number {
                id: NumberId::new(now_ms, &mut random),
                company: company.clone(),
                number: number.to_owned(),
                name: name.to_owned(),
                trunk: None,
                flow: Some(flow),
                priority: 0,
                disabled: false,
                created_ms: now_ms,
                updated_ms: now_ms,
            };
            store::numbers::insert(&mut *db, &number).await?;
        }
        let agents =
            insert_agents(&mut db, &company, &logins, &services, now_ms, &mut random).await?;
        self.insert_devices(&mut db, &company, &logins, agents, now_ms, &mut random)
            .await?;
        self.insert_chat(&mut db, &company, &services, now_ms, &mut random)
            .await?;
        // Who tries it has one browser and many hands: a call comes beside what is written.
        let mut rules = Rules::default();
        rules.costs.phone = 2 * rules.costs.chat;
        store::desk_settings::put(&mut *db, &company, &rules, now_ms).await?;
        db.commit().await?;
        Ok(logins)
    }

    /// A prompt in the best voice there is; without any voice, words without a sound: the flow
    /// then speaks nothing, and the log says why.
    async fn prompt(
        &self,
        name: &str,
        text: &str,
        now_ms: i64,
        random: &mut StdRng,
    ) -> Result<Prompt, DemoError> {
        let speech = Speech {
            text: text.to_owned(),
            language: Language::PtBr,
            voice: self.voices.default_for(Language::PtBr),
            speed: 1.0,
        };
        let mut prompt = Prompt {
            id: PromptId::new(now_ms, random),
            company: "none"
                .parse()
                .map_err(|_| DemoError::Form(name.to_owned()))?,
            name: name.to_owned(),
            kind: PromptKind::Text,
            state: PromptState::Draft,
            language: "pt-BR".to_owned(),
            text: text.to_owned(),
            voice: speech
                .voice
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            speed_percent: 100,
            file: None,
            mime: "audio/wav".to_owned(),
            bytes: 0,
            duration_ms: 0,
            loudness_lufs: None,
            created_ms: now_ms,
            updated_ms: now_ms,
        };
        match self.voices.speak(&speech).await {
            Ok(audio) => {
                let kept = self.sounds.import_speech(&audio).await;
                let kept = kept.map_err(|error| DemoError::Form(error.to_string()))?;
                prompt.bytes = kept.bytes;
                prompt.duration_ms = u64::try_from(kept.duration.as_millis()).unwrap_or(u64::MAX);
                prompt.loudness_lufs = kept.loudness_lufs;
                prompt.file = Some(kept.hash);
                prompt.state = PromptState::Published;
            }
            Err(error) => tracing::error!(name, %error, "a prompt of the demo has no sound"),
        }
        Ok(prompt)
    }

    /// The chat of the shop at `/demo`.
    async fn insert_chat(
        &self,
        db: &mut store::Transaction,
        company: &CompanyId,
        services: &[(ServiceId, String)],
        now_ms: i64,
        random: &mut StdRng,
    ) -> Result<(), DemoError> {
        let Some((service, _)) = services.first() else {
            return Ok(());
        };
        let id = ChannelId::new(now_ms, random);
        let mut secrets = SigningSecrets::new(&signature::secret(random));
        webchat::make_secrets(&mut secrets.account, random);
        let row = store::channels::Channel {
            secrets: Some(secrets.seal(self.secrets, id.as_str())?),
            id,
            company: company.clone(),
            kind: webchat::WEBCHAT.to_owned(),
            name: "Chat da loja".to_owned(),
            service: service.clone(),
            settings: chat_settings(services)?,
            webhook: None,
            webhook_gone_ms: None,
            transcripts_by: None,
            disabled: false,
            created_ms: now_ms,
            updated_ms: now_ms,
        };
        store::channels::insert(&mut **db, &row).await?;
        Ok(())
    }

    async fn insert_devices(
        &self,
        db: &mut store::Transaction,
        company: &CompanyId,
        logins: &Logins,
        agents: Vec<UserId>,
        now_ms: i64,
        random: &mut StdRng,
    ) -> Result<(), DemoError> {
        for ((username, display_name, extension), agent) in DEVICES.iter().zip(agents) {
            let id = DeviceId::new(now_ms, random);
            let device = store::devices::Device {
                secrets: self
                    .secrets
                    .seal(id.as_str(), logins.device_password.as_bytes())?,
                id,
                company: company.clone(),
                username: (*username).to_owned(),
                display_name: (*display_name).to_owned(),
                extension: Some((*extension).to_owned()),
                number: None,
                user: Some(agent),
                browser: false,
                disabled: false,
                created_ms: now_ms,
                updated_ms: now_ms,
            };
            store::devices::insert(&mut **db, &device).await?;
        }
        Ok(())
    }
}

/// What the chat of the shop asks and says.
fn chat_settings(services: &[(ServiceId, String)]) -> Result<serde_json::Value, DemoError> {
    let services: Vec<&ServiceId> = services.iter().map(|(id, _)| id).collect();
    let asked = json!({
        "title": "Casa Aurora",
        "colour": "#1f6f5c",
        "greeting": {
            "pt-BR": "Oi! Conte o que você procura: a gente responde rapidinho.",
            "en": "Hi! Tell us what you are looking for.",
            "es": "¡Hola! Cuéntanos qué buscas.",
        },
        "form": { "name": "must", "email": "ask", "phone": "no", "services": services },
        "life": { "survey": { "id": "satisfacao", "questions": [
            { "id": "csat", "kind": "stars", "text": "Que nota você dá?", "required": true },
            { "id": "nps", "kind": "nps", "text": "De 0 a 10, quanto você nos recomendaria?" },
            { "id": "more", "kind": "text", "text": "Quer contar mais?" },
        ] } },
    });
    let odd = |error: serde_json::Error| DemoError::Form(error.to_string());
    WebchatSettings::read(asked)
        .and_then(|settings| settings.value())
        .map_err(odd)
}

async fn insert_company(
    db: &mut store::Transaction,
    company: &CompanyId,
    logins: &Logins,
    now_ms: i64,
    random: &mut StdRng,
) -> Result<(), DemoError> {
    let row = store::companies::Company {
        id: company.clone(),
        name: "Loja Exemplo".to_owned(),
        language: "pt-BR".to_owned(),
        time_zone: ZONE.to_owned(),
        settings: json!({}),
        disabled: false,
        created_ms: now_ms,
    };
    store::companies::insert(&mut **db, &row).await?;
    for pause in usual::pauses(company, &row.language, now_ms) {
        store::pauses::insert(&mut **db, &pause).await?;
    }
    let hashed =
        passwords::hash(&logins.password).map_err(|error| DemoError::Form(error.to_string()))?;
    let administrator = store::users::User {
        id: UserId::new(now_ms, random),
        // Administers the installation, so that the demo can show all of it.
        company: None,
        email: logins.administrator.clone(),
        name: "Administração".to_owned(),
        password: Some(hashed),
        role: Role::Administrator,
        profile: None,
        locale: "pt-BR".to_owned(),
        disabled: false,
        created_ms: now_ms,
        last_login_ms: None,
    };
    store::users::insert(&mut **db, &administrator).await?;
    Ok(())
}

/// A person for each device, who takes the work of all services, and one who supervises them. They are
/// offline until they say otherwise.
async fn insert_agents(
    db: &mut store::Transaction,
    company: &CompanyId,
    logins: &Logins,
    services: &[(ServiceId, String)],
    now_ms: i64,
    random: &mut StdRng,
) -> Result<Vec<UserId>, DemoError> {
    let hashed = passwords::hash(&logins.agent_password)
        .map_err(|error| DemoError::Form(error.to_string()))?;
    let mut person = |name: &str, email: &str, role| store::users::User {
        id: UserId::new(now_ms, random),
        company: Some(company.clone()),
        email: email.to_owned(),
        name: name.to_owned(),
        password: Some(hashed.clone()),
        role,
        profile: None,
        locale: "pt-BR".to_owned(),
        disabled: false,
        created_ms: now_ms,
        last_login_ms: None,
    };
    let mut agents = Vec::new();
    for ((_, name, _), email) in DEVICES.iter().zip(&logins.agents) {
        let agent = person(name, email, Role::Agent);
        let id = agent.id.clone();
        store::users::insert(&mut **db, &agent).await?;
        for (service, _) in services {
            let member = store::agents::Member {
                company: company.clone(),
                service: service.clone(),
                user: id.clone(),
            };
            store::agents::add(&mut **db, &member).await?;
        }
        agents.push(id);
    }
    let supervisor = person("Sofia", &logins.supervisor, Role::Supervisor);
    store::users::insert(&mut **db, &supervisor).await?;
    Ok(agents)
}

fn address(name: &str) -> String {
    format!("{name}@demo.example")
}

async fn insert_services(
    db: &mut store::Transaction,
    company: &CompanyId,
    prompts: &[Prompt],
    now_ms: i64,
    random: &mut StdRng,
) -> Result<Vec<(ServiceId, String)>, DemoError> {
    let mut services = Vec::new();
    for (name, label) in [("Vendas", "vendas"), ("Suporte", "suporte")] {
        let id = ServiceId::new(now_ms, random);
        let announcement = store::services::Announcement {
            prompt: prompt_named(prompts, "Aguarde").clone(),
            after_s: 0,
            every_s: Some(20),
        };
        let service = store::services::Service {
            id: id.clone(),
            company: company.clone(),
            name: name.to_owned(),
            wait_limit_s: 60,
            waiting_max: None,
            music_prompt: None,
            announcements: vec![announcement],
            say_position: true,
            unanswered_prompt: None,
            calendar: None,
            ring_s: 15,
            wrap_up_s: 10,
            rules: ServiceRules {
                wrap_up: WrapUp {
                    dispositions: dispositions()?,
                    ..WrapUp::default()
                },
                // What most contact centres promise each other: within twenty seconds.
                targets: Targets {
                    answer_ms: Some(20_000),
                    ..Targets::default()
                },
                ..ServiceRules::default()
            },
            calls: Default::default(),
            recording_notice: None,
            survey: None,
            caller_number: None,
            disabled: false,
            created_ms: now_ms,
            updated_ms: now_ms,
        };
        store::services::insert(&mut **db, &service).await?;
        services.push((id, label.to_owned()));
    }
    Ok(services)
}

/// What the demo's agents write by a few letters.
const QUICK_REPLIES: [(&str, &str); 3] = [
    (
        "ola",
        "Olá, {{name}}! Aqui é {{agent}}, de {{service}}. Como posso ajudar?",
    ),
    (
        "prazo",
        "O prazo de entrega é de 3 a 5 dias úteis. Quer que eu veja onde está o seu pedido?",
    ),
    (
        "tchau",
        "Foi um prazer atender você, {{name}}. Se precisar, o protocolo é {{protocol}}.",
    ),
];

/// How conversations of the demo may end: a heading, and codes.
fn dispositions() -> Result<Vec<Disposition>, DemoError> {
    let code = |id: &str, name: &str| -> Result<Disposition, DemoError> {
        let id = id.parse::<DispositionId>();
        Ok(Disposition {
            id: id.map_err(|error| DemoError::Form(error.to_string()))?,
            name: name.to_owned(),
            children: vec![],
            fields: vec![],
            actions: vec![],
        })
    };
    let order = Disposition {
        children: vec![
            code("prazo", "Prazo de entrega")?,
            code("troca", "Troca ou devolução")?,
            code("cancelamento", "Cancelamento")?,
        ],
        ..code("pedido", "Pedido")?
    };
    Ok(vec![
        order,
        code("duvida", "Dúvida respondida")?,
        code("reclamacao", "Reclamação")?,
        code("engano", "Engano")?,
    ])
}

/// The demo's carrier is this machine itself.
async fn insert_trunk(
    db: &mut store::Transaction,
    company: &CompanyId,
    now_ms: i64,
    random: &mut StdRng,
) -> Result<(), DemoError> {
    let settings = TrunkSettings {
        addresses: vec!["127.0.0.0/8".to_owned(), "::1".to_owned()],
        calls_max: Some(10_000),
        calls_per_second_max: Some(5_000),
        trusted: true,
        ..TrunkSettings::default()
    };
    let trunk = store::trunks::Trunk {
        id: TrunkId::new(now_ms, random),
        company: company.clone(),
        name: "Este computador".to_owned(),
        settings: serde_json::to_value(settings)
            .map_err(|error| DemoError::Form(error.to_string()))?,
        secrets: None,
        disabled: false,
        created_ms: now_ms,
        updated_ms: now_ms,
    };
    store::trunks::insert(&mut **db, &trunk).await?;
    Ok(())
}

async fn insert_calendar(
    db: &mut store::Transaction,
    company: &CompanyId,
    name: &str,
    hours: serde_json::Value,
    now_ms: i64,
    random: &mut StdRng,
) -> Result<CalendarId, DemoError> {
    let id = CalendarId::new(now_ms, random);
    let calendar = store::calendars::Calendar {
        id: id.clone(),
        company: company.clone(),
        name: name.to_owned(),
        hours,
        created_ms: now_ms,
        updated_ms: now_ms,
    };
    store::calendars::insert(&mut **db, &calendar).await?;
    Ok(id)
}

async fn insert_flow(
    db: &mut store::Transaction,
    company: &CompanyId,
    name: &str,
    form: &SimpleForm,
    now_ms: i64,
    random: &mut StdRng,
) -> Result<FlowId, DemoError> {
    let built = form
        .build()
        .map_err(|error| DemoError::Form(error.to_string()))?;
    let id = FlowId::new(now_ms, random);
    let flow = store::flows::Flow {
        id: id.clone(),
        company: company.clone(),
        name: name.to_owned(),
        draft: serde_json::to_value(built).map_err(|error| DemoError::Form(error.to_string()))?,
        draft_revision: 1,
        last_version: 0,
        published: None,
        created_ms: now_ms,
        updated_ms: now_ms,
    };
    store::flows::insert(&mut **db, &flow).await?;
    store::flows::publish(db, company, &id, 1, None, now_ms).await?;
    Ok(id)
}

fn form(calendar: &CalendarId, prompts: &[Prompt], services: &[(ServiceId, String)]) -> SimpleForm {
    let say = |name| Say::prompt(prompt_named(prompts, name).as_str());
    SimpleForm {
        language: Language::PtBr,
        voice: None,
        hours: CalendarRef::Id(calendar.as_str().into()),
        welcome: say("Boas-vindas"),
        closed: say("Fechado"),
        services: services
            .iter()
            .map(|(id, name)| Offer {
                service: id.as_str().into(),
                name: name.clone(),
            })
            .collect(),
        unanswered: say("Não atendida"),
        repeat_key: Key::new('9'),
        menu: Some(say("Menu")),
    }
}

/// The prompt of this name; the first one where a name is misspelt, which a test would show.
fn prompt_named<'p>(prompts: &'p [Prompt], name: &str) -> &'p PromptId {
    let found = prompts.iter().find(|prompt| prompt.name == name);
    &found.unwrap_or(&prompts[0]).id
}

/// 80 bits.
const PASSWORD_LENGTH: usize = 16;

const LOGINS_FILE: &str = "demo-logins.json";

const ZONE: &str = "America/Sao_Paulo";

const DEVICES: &[(&str, &str, &str)] = &[("ana", "Ana", "200"), ("bruno", "Bruno", "201")];

const PROMPTS: &[(&str, &str)] = &[
    ("Boas-vindas", "Olá! Bem-vindo à Loja Exemplo."),
    (
        "Menu",
        "Para vendas, digite 1; para suporte, digite 2; para ouvir novamente, digite 9.",
    ),
    (
        "Fechado",
        "Olá! No momento a Loja Exemplo está fechada. Por favor, ligue novamente no nosso horário de atendimento. Obrigado.",
    ),
    (
        "Aguarde",
        "Por favor, aguarde. Sua ligação é muito importante para nós.",
    ),
    (
        "Não atendida",
        "Todos os nossos atendentes continuam ocupados. Por favor, ligue novamente mais tarde. Obrigado.",
    ),
];
