//! The program `ramal`.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use ramal::config::{CONFIG_VARIABLE, Config, LogFormat, SETTINGS};
use ramal::first;
use ramal::serve::{self, Started};

/// What one thread allocates another frees (messages, clips, legs, changes for the store): this
/// allocator is made for that, and gives memory back when a storm of calls is over.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A contact centre in one program: telephony, menus, queues, an API.
#[derive(Debug, Parser)]
#[command(name = "ramal", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take calls and serve the API until told to stop.
    Serve {
        /// The configuration; without one the settings below and their defaults hold.
        #[arg(long, env = CONFIG_VARIABLE)]
        config: Option<PathBuf>,
        /// Make a demo company where the database is empty.
        #[arg(long)]
        demo: bool,
    },
    /// Administrators, before there is one who could add others.
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Keys of other systems.
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// Make a small picture of the one on standard input; `serve` starts this for each.
    #[command(hide = true)]
    Thumbnail,
    /// Say what is wrong with a configuration, without starting anything.
    Check {
        /// The configuration to check.
        #[arg(long, env = CONFIG_VARIABLE)]
        config: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Add an administrator and print a password.
    Add {
        /// The e-mail address to log in with.
        email: String,
        /// The id of the company; without one the whole installation is administered.
        #[arg(long)]
        company: Option<String>,
        /// The configuration that `serve` runs with.
        #[arg(long, env = CONFIG_VARIABLE)]
        config: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Add a key and print it; it is not shown again.
    Add {
        /// What it is called in lists.
        name: String,
        /// The id of the company; without one it opens the whole installation.
        #[arg(long)]
        company: Option<String>,
        /// The configuration that `serve` runs with.
        #[arg(long, env = CONFIG_VARIABLE)]
        config: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let command = Arguments::command()
        .after_long_help(settings())
        .after_help(settings());
    let parsed = Arguments::from_arg_matches(&command.get_matches());
    let arguments = parsed.unwrap_or_else(|error| error.exit());
    let outcome = match arguments.command {
        // Before there is a second thread: it gives up what it can do.
        Command::Thumbnail => gateway_net::files::thumbnail::run(),
        command @ (Command::Serve { .. }
        | Command::User { .. }
        | Command::Key { .. }
        | Command::Check { .. }) => carry_out(command),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "ramal: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn carry_out(command: Command) -> Result<(), String> {
    match command {
        Command::Serve { config, demo } => run(config, demo).await,
        Command::User {
            command:
                UserCommand::Add {
                    email,
                    company,
                    config,
                },
        } => add_user(config, &email, company.as_deref()).await,
        Command::Key {
            command:
                KeyCommand::Add {
                    name,
                    company,
                    config,
                },
        } => add_key(config, &name, company.as_deref()).await,
        Command::Check { config } => check(config),
        Command::Thumbnail => gateway_net::files::thumbnail::run(),
    }
}

async fn run(config: Option<PathBuf>, demo: bool) -> Result<(), String> {
    let config = load(config)?;
    start_log(&config)?;
    serve::serve(
        config,
        demo,
        |started| say(&greeting(started)),
        told_to_stop(),
    )
    .await
    .map_err(|error| error.to_string())
}

async fn add_user(
    config: Option<PathBuf>,
    email: &str,
    company: Option<&str>,
) -> Result<(), String> {
    let password = first::add_administrator(&load(config)?, email, company).await;
    let password = password.map_err(|error| error.to_string())?;
    say(&format!("{email} may log in with the password {password}"));
    Ok(())
}

async fn add_key(config: Option<PathBuf>, name: &str, company: Option<&str>) -> Result<(), String> {
    let key = first::add_key(&load(config)?, name, company)
        .await
        .map_err(|error| error.to_string())?;
    say(&format!(
        "{key}\nThis key is not shown again. Send it as: Authorization: Bearer {key}"
    ));
    Ok(())
}

fn check(config: Option<PathBuf>) -> Result<(), String> {
    load(config)?
        .check_files()
        .map_err(|error| error.to_string())?;
    say("This configuration is valid.");
    Ok(())
}

fn load(file: Option<PathBuf>) -> Result<Config, String> {
    // What is no text is no setting of ours.
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    let environment = std::env::vars_os().filter_map(text).collect();
    Config::load(file.as_deref(), &environment).map_err(|error| error.to_string())
}

fn start_log(config: &Config) -> Result<(), String> {
    let filter = config.log_filter().map_err(|error| error.to_string())?;
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // A file or a journal shows the codes of colours as rubbish.
        .with_ansi(std::io::stderr().is_terminal() && !unwanted)
        .with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}

/// Interrupt (Ctrl-C) or termination.
async fn told_to_stop() {
    let Ok(mut terminate) =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
    else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

/// What a person sees when everything is up.
fn greeting(started: &Started) -> String {
    let mut text = String::from("\nRamal is up.\n");
    for (transport, address) in &started.sip {
        let _ = writeln!(text, "  SIP   {transport:<4} {address}");
    }
    let http = started.http;
    let _ = writeln!(
        text,
        "  HTTP       http://{http}   API: http://{http}/api/docs"
    );
    if let Some(logins) = &started.demo {
        let port = started
            .sip
            .first()
            .map_or(5060, |(_, address)| address.port());
        let devices = logins.devices.join(", ");
        let agents = logins.agents.join(", ");
        let _ = write!(
            text,
            "\nThe demo company, Loja Exemplo:\n  \
             log in     {} / {}\n  \
             devices    {devices}   password {}   (SIP domain: this machine)\n  \
             agents     {agents}   password {}\n  \
             supervisor {}   the same password\n\n\
             Try it:\n  \
             a menu     dial sip:4000@127.0.0.1:{port} with baresip, linphone or sipp\n  \
             an agent   open http://{http}, log in as one and press Ficar disponível;\n  \
             \u{20}          register ana with a telephone to take calls\n  \
             closed     dial sip:4001@127.0.0.1:{port}\n  \
             a chat     open http://{http}/demo, a shop with it on the page\n",
            logins.administrator,
            logins.password,
            logins.device_password,
            logins.agent_password,
            logins.supervisor,
        );
    }
    text
}

fn settings() -> String {
    let mut text = String::from(
        "Settings, in ramal.toml (serve --config) or as environment variables (http is RAMAL_HTTP):\n",
    );
    for setting in SETTINGS {
        let _ = writeln!(
            text,
            "  {:<16} {} [{}]",
            setting.key, setting.meaning, setting.default
        );
    }
    text
}

/// Prints one text to the person at the terminal.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
