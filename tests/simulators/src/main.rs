//! `ramal-sim`: see the library's documentation.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use ramal_sim::world::Pace;
use ramal_sim::{Config, Provider, Simulator, demo};

const USAGE: &str = "\
ramal-sim [--listen 127.0.0.1:8090] [--target http://127.0.0.1:8080] [--public-url http://…] [--demo FILE]

Plays Meta's Cloud API, 360dialog, Gupshup, Zenvia, Twilio and an ERP. Its page, on which people play the
customers, is at the address that it prints.

  --listen       where it listens; port 0 takes any that is free
  --target       where the company's program is, for webhooks that are given as paths
  --public-url   under which address the company's program reaches it, where that is another one
  --demo         data/demo-logins.json of a company's program with a demo: its channels are made, and
                 connected (it must be started with RAMAL_INSIDE=127.0.0.1:8090)
";

#[tokio::main]
async fn main() -> ExitCode {
    let (config, logins) = match config(std::env::args().skip(1)) {
        Ok(config) => config,
        Err(why) => {
            say(&format!("{why}\n\n{USAGE}"));
            return ExitCode::from(2);
        }
    };
    let simulator = match Simulator::start(config).await {
        Ok(simulator) => simulator,
        Err(error) => {
            say(&error.to_string());
            return ExitCode::FAILURE;
        }
    };
    say(&started(&simulator));
    if let Some(logins) = logins {
        match simulator.connect(&logins).await {
            Ok(()) => say(&format!(
                "The demo company is connected: write to it at {}",
                simulator.url()
            )),
            Err(error) => say(&format!("The demo company is not connected: {error}")),
        }
    }
    // Until it is interrupted, as the system does it.
    std::future::pending().await
}

fn config(
    mut arguments: impl Iterator<Item = String>,
) -> Result<(Config, Option<PathBuf>), String> {
    let mut logins = None;
    let mut config = Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 8_090)),
        target: "http://127.0.0.1:8080".to_owned(),
        pace: Pace::USUAL,
        ..Config::default()
    };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--listen" => {
                let text = value()?;
                config.listen = text.parse().map_err(|_| format!("{text} is no address"))?;
            }
            "--target" => config.target = value()?,
            "--demo" => logins = Some(PathBuf::from(value()?)),
            "--public-url" => {
                config.public_url = Some(value()?.trim_end_matches('/').to_owned());
            }
            "--help" | "-h" => return Err(String::new()),
            _ => return Err(format!("{argument} is not known")),
        }
    }
    Ok((config, logins))
}

fn started(simulator: &Simulator) -> String {
    let url = simulator.url();
    let mut text = format!("{} · simulador: {url}\n", demo::COMPANY);
    for provider in Provider::ALL {
        let (name, api) = (provider.name(), simulator.api(provider));
        text.push_str(&format!("  {name:<14} {api}\n"));
    }
    text
}

fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
