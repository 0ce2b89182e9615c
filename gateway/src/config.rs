//! The configuration of one process: a file, overlaid by the environment.
//!
//! [`SETTINGS`] is the one list of what can be set: `ramal --help` prints it, the file is read
//! against it, and each setting is an environment variable too (`http` is `RAMAL_HTTP`).

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use channels::secret::Secret;
use gateway_net::files::Bucket;
use serde::Deserialize;
use serde::de::{self, Deserializer};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::channels::email::accounts::{Registration, Registrations};

/// One thing that can be set.
#[derive(Debug)]
pub struct Setting {
    /// The key in `ramal.toml`; in capitals after `RAMAL_`, the environment variable.
    pub key: &'static str,
    /// What holds when it is not set, in words.
    pub default: &'static str,
    /// What it does.
    pub meaning: &'static str,
    /// Whether its value is a number, in the file too.
    number: bool,
}

/// All settings, in the order in which a reader wants them.
pub const SETTINGS: &[Setting] = &[
    setting(
        "data",
        "./data",
        "folder of the database, prompts, recordings and keys",
    ),
    setting(
        "database",
        "sqlite in the data folder",
        "postgres://user:password@host/name, or sqlite:path",
    ),
    setting("http", "127.0.0.1:8080", "ip:port of the API and its pages"),
    setting(
        "sip",
        "0.0.0.0:5060",
        "ip:port for SIP over UDP and TCP; several, separated by commas",
    ),
    setting("sip_tls", "off", "ip:port for SIP over TLS"),
    setting(
        "sip_ws",
        "off",
        "ip:port for SIP over WebSocket (RFC 7118); WSS when a certificate is set",
    ),
    setting(
        "tls_certificate",
        "none",
        "PEM file with the certificate chain for TLS and WSS",
    ),
    setting("tls_key", "none", "PEM file with its private key"),
    setting(
        "rtp_ports",
        "10000-19999",
        "from-to, UDP ports of the media",
    ),
    setting(
        "browser_media",
        "0.0.0.0:20000",
        "ip:port, UDP, where browsers send their media, all to this one",
    ),
    setting(
        "public_address",
        "the address a call came to",
        "ip that callers reach us under, behind NAT",
    ),
    count(
        "media_threads",
        "one a core",
        "threads that send and receive RTP",
    ),
    count(
        "calls_max",
        "4000",
        "calls at once; the next one is answered 503",
    ),
    count(
        "sip_ladder_days",
        "90",
        "days for which the SIP messages of each call are kept",
    ),
    setting(
        "sounds",
        "shipped sounds",
        "folder with <language>/<name>.wav that replaces the shipped sounds",
    ),
    setting(
        "s3_bucket",
        "the data folder",
        "bucket of S3, or of a server that speaks like it, for the files of messages",
    ),
    setting(
        "s3_endpoint",
        "Amazon's own",
        "http(s)://host[:port] of the server of that bucket",
    ),
    setting("s3_region", "us-east-1", "region of that bucket"),
    setting("s3_key_id", "none", "id of the access key to that bucket"),
    setting("s3_key", "none", "that access key, which is secret"),
    setting(
        "inside",
        "none",
        "ip:port inside that webhooks, providers, mailboxes and flows may lead to; several, separated by commas",
    ),
    setting(
        "public_url",
        "http://localhost of the http port",
        "http(s)://host[:port] under which browsers reach the API and its pages, and providers our files",
    ),
    setting(
        "google_client_id",
        "none",
        "id under which this installation is registered at Google, for mailboxes",
    ),
    setting("google_client_secret", "none", "its secret there"),
    setting(
        "microsoft_client_id",
        "none",
        "id under which this installation is registered at Microsoft, for mailboxes",
    ),
    setting("microsoft_client_secret", "none", "its secret there"),
    setting(
        "mail_authorities",
        "those of the machine",
        "PEM file of further authorities that are believed in for mail servers",
    ),
    setting(
        "log",
        "info",
        "what is logged, in the syntax of tracing's EnvFilter",
    ),
    setting("log_format", "text", "text or json"),
];

const fn setting(key: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting {
        key,
        default,
        meaning,
        number: false,
    }
}

const fn count(key: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting {
        key,
        default,
        meaning,
        number: true,
    }
}

/// What `ramal serve` runs with.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Folder of everything that must outlive the process.
    pub data: PathBuf,
    /// Where the state is; SQLite in the data folder when not set.
    pub database: Option<String>,
    /// Where the API listens.
    pub http: SocketAddr,
    /// Where SIP listens, UDP and TCP.
    pub sip: Addresses,
    /// Where SIP over TLS listens.
    pub sip_tls: Option<SocketAddr>,
    /// Where SIP over WebSocket listens.
    pub sip_ws: Option<SocketAddr>,
    /// PEM file: certificate chain.
    pub tls_certificate: Option<PathBuf>,
    /// PEM file: private key.
    pub tls_key: Option<PathBuf>,
    /// UDP ports of the media.
    pub rtp_ports: PortRange,
    /// Where browsers send their media.
    pub browser_media: SocketAddr,
    /// The address that callers reach us under.
    pub public_address: Option<IpAddr>,
    /// Threads that send and receive RTP; one a core when not set.
    pub media_threads: Option<usize>,
    /// Calls at once.
    pub calls_max: usize,
    /// Days for which the SIP messages of each call are kept.
    pub sip_ladder_days: u32,
    /// Folder with sounds that replace the shipped ones.
    pub sounds: Option<PathBuf>,
    /// The bucket for the files of messages; they are in the data folder when not set.
    pub s3_bucket: Option<String>,
    /// The server of the bucket; Amazon's own when not set.
    pub s3_endpoint: Option<String>,
    /// The region of the bucket.
    pub s3_region: String,
    /// The id of the access key to the bucket.
    pub s3_key_id: Option<String>,
    /// The access key to the bucket.
    pub s3_key: Option<String>,
    /// Addresses inside that may be asked; no others are.
    pub inside: Option<Addresses>,
    /// Under which address browsers and providers reach us.
    pub public_url: Option<String>,
    /// Our id at Google.
    pub google_client_id: Option<String>,
    /// Our secret at Google.
    pub google_client_secret: Option<String>,
    /// Our id at Microsoft.
    pub microsoft_client_id: Option<String>,
    /// Our secret at Microsoft.
    pub microsoft_client_secret: Option<String>,
    /// PEM file: further authorities for mail servers.
    pub mail_authorities: Option<PathBuf>,
    /// What is logged.
    pub log: String,
    /// How it is written.
    pub log_format: LogFormat,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For a person at a terminal.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("./data"),
            database: None,
            http: SocketAddr::from(([127, 0, 0, 1], 8080)),
            sip: Addresses(vec![SocketAddr::from(([0, 0, 0, 0], 5060))]),
            sip_tls: None,
            sip_ws: None,
            tls_certificate: None,
            tls_key: None,
            rtp_ports: PortRange {
                from: 10_000,
                to: 19_999,
            },
            browser_media: SocketAddr::from(([0, 0, 0, 0], 20_000)),
            public_address: None,
            media_threads: None,
            calls_max: 4_000,
            sip_ladder_days: 90,
            sounds: None,
            s3_bucket: None,
            s3_endpoint: None,
            s3_region: "us-east-1".to_owned(),
            s3_key_id: None,
            s3_key: None,
            inside: None,
            public_url: None,
            google_client_id: None,
            google_client_secret: None,
            microsoft_client_id: None,
            microsoft_client_secret: None,
            mail_authorities: None,
            log: "info".to_owned(),
            log_format: LogFormat::Text,
        }
    }
}

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML, or a value is not what its key wants.
    #[error("{origin}: {source}")]
    Invalid {
        /// The file, or "the environment".
        origin: String,
        /// Which key, and what is wrong with it.
        source: toml::de::Error,
    },
    /// A variable that begins like ours, and is none: mistyped, or of another version.
    #[error("{name} is not a setting{}", meant(nearest.as_deref()))]
    Unknown {
        /// The variable.
        name: String,
        /// The one of ours that looks most like it, where one does.
        nearest: Option<String>,
    },
    /// What is to be logged cannot be understood.
    #[error("log: {0}")]
    Log(#[from] ParseError),
    /// Values that are right alone and wrong together.
    #[error("{0}")]
    Contradiction(&'static str),
}

impl Config {
    /// Reads `file` (defaults when there is none) and overlays it with the environment.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the file and the key.
    pub fn load(
        file: Option<&Path>,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, ConfigError> {
        all_known(environment)?;
        let mut table = toml::Table::new();
        let mut origin = "the environment".to_owned();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
                path: path.to_owned(),
                source,
            })?;
            origin = format!("{} and the environment", path.display());
            table = text.parse().map_err(|source| ConfigError::Invalid {
                origin: path.display().to_string(),
                source,
            })?;
        }
        for setting in SETTINGS {
            let value = environment.get(&variable(setting));
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                table.insert(setting.key.to_owned(), typed(setting, value.clone()));
            }
        }
        let config: Self = table
            .try_into()
            .map_err(|source| ConfigError::Invalid { origin, source })?;
        config.checked()
    }

    /// The database's address, spelled out.
    pub fn database_url(&self) -> String {
        self.database
            .clone()
            .unwrap_or_else(|| format!("sqlite:{}", self.data.join("ramal.sqlite").display()))
    }

    /// The bucket for the files of messages, where one is set.
    pub fn bucket(&self) -> Option<Bucket> {
        Some(Bucket {
            endpoint: self.s3_endpoint.clone(),
            name: self.s3_bucket.clone()?,
            region: self.s3_region.clone(),
            key_id: self.s3_key_id.clone()?,
            key: self.s3_key.clone()?,
        })
    }

    /// What we are registered as at the providers of mailboxes.
    pub fn registrations(&self, http: SocketAddr) -> Registrations {
        let registration = |id: &Option<String>, secret: &Option<String>| {
            Some(Registration {
                client_id: id.clone()?,
                client_secret: Secret::new(secret.clone()?),
                endpoints: None,
            })
        };
        let usual = || format!("http://localhost:{}", http.port());
        let url = self.public_url().unwrap_or_else(usual);
        Registrations {
            google: registration(&self.google_client_id, &self.google_client_secret),
            microsoft: registration(&self.microsoft_client_id, &self.microsoft_client_secret),
            redirect: format!("{url}/oauth/email"),
        }
    }

    /// Under which address the world reaches us, without a slash at its end.
    pub fn public_url(&self) -> Option<String> {
        let url = self.public_url.as_deref();
        url.map(|url| url.trim_end_matches('/').to_owned())
    }

    /// What is logged.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Log`] when `log` is no filter; one that was loaded is.
    pub fn log_filter(&self) -> Result<EnvFilter, ConfigError> {
        Ok(EnvFilter::try_new(&self.log)?)
    }

    /// Whether the files and folders that it names are there.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for the first that is not.
    pub fn check_files(&self) -> Result<(), ConfigError> {
        let unreadable = |path: &Path, source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        };
        for file in self.tls_certificate.iter().chain(&self.tls_key) {
            std::fs::File::open(file).map_err(|source| unreadable(file, source))?;
        }
        if let Some(folder) = &self.sounds {
            std::fs::read_dir(folder).map_err(|source| unreadable(folder, source))?;
        }
        // The data folder is made when it is missing: somewhere above it a folder must be.
        let above = self.data.ancestors().find(|folder| folder.exists());
        let above = above.unwrap_or(Path::new("."));
        match std::fs::metadata(above) {
            Ok(found) if found.permissions().readonly() => {
                let source = std::io::ErrorKind::PermissionDenied.into();
                Err(unreadable(&self.data, source))
            }
            Ok(_) => Ok(()),
            Err(source) => Err(unreadable(&self.data, source)),
        }
    }

    fn checked(self) -> Result<Self, ConfigError> {
        let known = |url: &String| {
            ["sqlite:", "postgres://", "postgresql://"]
                .iter()
                .any(|scheme| url.starts_with(scheme))
        };
        if !self.database.iter().all(known) {
            return Err(ConfigError::Contradiction(
                "database is sqlite:PATH or postgres://user:password@host/name",
            ));
        }
        if self.tls_certificate.is_some() != self.tls_key.is_some() {
            return Err(ConfigError::Contradiction(
                "tls_certificate and tls_key are set together or not at all",
            ));
        }
        if self.sip_tls.is_some() && self.tls_certificate.is_none() {
            return Err(ConfigError::Contradiction(
                "sip_tls needs tls_certificate and tls_key",
            ));
        }
        let bucket = [&self.s3_bucket, &self.s3_key_id, &self.s3_key];
        let set = bucket.iter().filter(|part| part.is_some()).count();
        if set != 0 && set != bucket.len() {
            return Err(ConfigError::Contradiction(
                "s3_bucket, s3_key_id and s3_key are set together or not at all",
            ));
        }
        if self.s3_endpoint.is_some() && self.s3_bucket.is_none() {
            return Err(ConfigError::Contradiction("s3_endpoint needs s3_bucket"));
        }
        let is_link = |url: &String| url.starts_with("https://") || url.starts_with("http://");
        if !self.s3_endpoint.iter().all(is_link) {
            return Err(ConfigError::Contradiction(
                "s3_endpoint is http(s)://host[:port]",
            ));
        }
        let registrations = [
            [&self.google_client_id, &self.google_client_secret],
            [&self.microsoft_client_id, &self.microsoft_client_secret],
        ];
        if registrations
            .iter()
            .any(|[id, secret]| id.is_some() != secret.is_some())
        {
            return Err(ConfigError::Contradiction(
                "a client_id and its client_secret are set together or not at all",
            ));
        }
        if !self.public_url.iter().all(is_link) {
            return Err(ConfigError::Contradiction(
                "public_url is http(s)://host[:port]",
            ));
        }
        if self.calls_max == 0 {
            return Err(ConfigError::Contradiction("calls_max must be at least 1"));
        }
        if self.media_threads == Some(0) {
            return Err(ConfigError::Contradiction(
                "media_threads must be at least 1",
            ));
        }
        self.log_filter()?;
        Ok(self)
    }
}

/// The environment variable of a setting.
fn variable(setting: &Setting) -> String {
    format!("RAMAL_{}", setting.key.to_uppercase())
}

/// Refuses what looks like a setting of ours and would be ignored.
fn all_known(environment: &BTreeMap<String, String>) -> Result<(), ConfigError> {
    let mut known: Vec<String> = SETTINGS.iter().map(variable).collect();
    known.push(CONFIG_VARIABLE.to_owned());
    for name in environment.keys() {
        let ours =
            name.starts_with("RAMAL_") && !OF_TESTS.iter().any(|prefix| name.starts_with(prefix));
        if ours && !known.contains(name) {
            let wanted = name.to_uppercase();
            // Where more than half of it must change, anything short would look like it.
            let near = MISTYPED_MAX.min((wanted.len() - "RAMAL_".len()) / 2);
            let nearest = known.iter().min_by_key(|known| distance(known, &wanted));
            return Err(ConfigError::Unknown {
                name: name.clone(),
                nearest: nearest
                    .filter(|nearest| distance(nearest, &wanted) <= near)
                    .cloned(),
            });
        }
    }
    Ok(())
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; did you mean {nearest}?"))
}

/// Letters that a mistyped variable may be away from the one that was meant.
const MISTYPED_MAX: usize = 3;

/// How many letters must be changed, added or left out to make one of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (done, a) in one.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], done + 1);
        for (at, b) in other.bytes().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[at + 1];
            row[at + 1] = changed.min(row[at] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

/// Where the configuration is; a setting only of the command line.
pub const CONFIG_VARIABLE: &str = "RAMAL_CONFIG";

/// What tests are told by begins so; they start this program, and it inherits that.
const OF_TESTS: [&str; 2] = ["RAMAL_TEST_", "RAMAL_WORLD_"];

/// A variable is text; where its key wants a number, it is read as one.
fn typed(setting: &Setting, value: String) -> toml::Value {
    match value.parse::<i64>() {
        Ok(number) if setting.number => toml::Value::Integer(number),
        Ok(_) | Err(_) => toml::Value::String(value),
    }
}

/// One or more addresses to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses(pub Vec<SocketAddr>);

impl FromStr for Addresses {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',')
            .map(|part| {
                let part = part.trim();
                part.parse()
                    .map_err(|_| format!("`{part}` is not an ip:port"))
            })
            .collect::<Result<Vec<_>, _>>()
            .map(Self)
    }
}

impl<'de> Deserialize<'de> for Addresses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// UDP ports from the first to the last, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// The first port.
    pub from: u16,
    /// The last port.
    pub to: u16,
}

impl FromStr for PortRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not from-to, two ports with at least one even-odd pair between them"
            )
        };
        let (from, to) = text.split_once('-').ok_or_else(wrong)?;
        let from: u16 = from.trim().parse().map_err(|_| wrong())?;
        let to: u16 = to.trim().parse().map_err(|_| wrong())?;
        if from < 1024 || to < from.saturating_add(2) {
            return Err(wrong());
        }
        Ok(Self { from, to })
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.from, self.to)
    }
}

impl<'de> Deserialize<'de> for PortRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_environment(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let text = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Config::load(None, &pairs.iter().map(text).collect())
    }

    #[test]
    fn every_setting_is_an_environment_variable() {
        let config = from_environment(&[
            ("RAMAL_DATA", "/srv/ramal"),
            ("RAMAL_HTTP", "[::1]:9000"),
            ("RAMAL_SIP", "127.0.0.1:5070, [::1]:5070"),
            ("RAMAL_RTP_PORTS", "20000-20999"),
            ("RAMAL_PUBLIC_ADDRESS", "192.0.2.10"),
            ("RAMAL_CALLS_MAX", "12"),
            ("RAMAL_LOG_FORMAT", "json"),
        ])
        .expect("a valid environment");
        assert_eq!(config.data, PathBuf::from("/srv/ramal"));
        assert_eq!(config.http.port(), 9000);
        assert_eq!(config.sip.0.len(), 2);
        assert_eq!(
            config.rtp_ports,
            PortRange {
                from: 20_000,
                to: 20_999
            }
        );
        assert_eq!(config.public_address, Some(IpAddr::from([192, 0, 2, 10])));
        assert_eq!(config.calls_max, 12);
        assert_eq!(config.log_format, LogFormat::Json);
        assert_eq!(config.database_url(), "sqlite:/srv/ramal/ramal.sqlite");
    }

    #[test]
    fn the_list_of_settings_and_the_struct_are_the_same() {
        let all: String = SETTINGS
            .iter()
            .map(|setting| match setting.key {
                "http" | "sip" | "sip_tls" | "sip_ws" | "browser_media" | "inside" => {
                    format!("{} = \"127.0.0.1:1\"\n", setting.key)
                }
                "rtp_ports" => "rtp_ports = \"2000-3000\"\n".to_owned(),
                "public_address" => "public_address = \"127.0.0.1\"\n".to_owned(),
                "media_threads" | "calls_max" | "sip_ladder_days" => {
                    format!("{} = 1\n", setting.key)
                }
                "log_format" => "log_format = \"text\"\n".to_owned(),
                "database" => "database = \"sqlite:x\"\n".to_owned(),
                _ => format!("{} = \"x\"\n", setting.key),
            })
            .collect();
        let config: Result<Config, _> = toml::from_str(&all);
        assert!(config.is_ok(), "{config:?}");
    }

    #[test]
    fn a_mistyped_variable_is_told_the_one_that_was_meant() {
        for (name, nearest) in [
            ("RAMAL_HTPP", "RAMAL_HTTP"),
            ("RAMAL_SIPTLS", "RAMAL_SIP_TLS"),
            ("RAMAL_RTP_PORT", "RAMAL_RTP_PORTS"),
            ("RAMAL_data", "RAMAL_DATA"),
            ("RAMAL_CONF", "RAMAL_CONFIG"),
            ("RAMAL_CALL_MAX", "RAMAL_CALLS_MAX"),
        ] {
            let error = from_environment(&[(name, "")]).expect_err(name);
            let wanted = format!("{name} is not a setting; did you mean {nearest}?");
            assert_eq!(error.to_string(), wanted);
        }
        let others = [
            ("RAMAL_CONFIG", "ramal.toml"),
            ("RAMAL_TEST_POSTGRES", "require"),
            ("PATH", "/bin"),
        ];
        assert!(from_environment(&others).is_ok());
    }

    #[test]
    fn a_variable_that_looks_like_none_of_ours_is_told_none() {
        for name in [
            "RAMAL_X",
            "RAMAL_",
            "RAMAL_BANANA",
            "RAMAL_NUMBER_OF_WORKERS",
        ] {
            let error = from_environment(&[(name, "")]).expect_err(name);
            assert_eq!(error.to_string(), format!("{name} is not a setting"));
        }
    }

    #[test]
    fn a_filter_that_the_log_could_not_begin_with_is_refused() {
        let error = from_environment(&[("RAMAL_LOG", "ramal=loud")]).expect_err("no level");
        assert!(matches!(error, ConfigError::Log(_)), "{error}");
        assert!(error.to_string().starts_with("log: "), "{error}");
        assert!(from_environment(&[("RAMAL_LOG", "warn,ramal=debug")]).is_ok());
    }

    #[test]
    fn mistakes_name_their_key() {
        for (key, value, wanted) in [
            ("RAMAL_HTTP", "8080", "http"),
            ("RAMAL_RTP_PORTS", "9000", "from-to"),
            ("RAMAL_SIP", "localhost", "not an ip:port"),
            ("RAMAL_CALLS_MAX", "0", "calls_max"),
            ("RAMAL_SIP_TLS", "127.0.0.1:5061", "tls_certificate"),
            ("RAMAL_S3_BUCKET", "ramal", "s3_key"),
            ("RAMAL_S3_KEY", "segredo", "s3_bucket"),
            ("RAMAL_GOOGLE_CLIENT_ID", "id", "client_secret"),
            ("RAMAL_PUBLIC_URL", "omni.loja.example", "public_url"),
            ("RAMAL_S3_ENDPOINT", "http://127.0.0.1:9000", "s3_bucket"),
        ] {
            let error = from_environment(&[(key, value)])
                .expect_err(key)
                .to_string();
            assert!(error.contains(wanted), "{key}: {error}");
        }
    }
}
