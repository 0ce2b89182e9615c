//! *Testar Configurações*: every step between us and a mailbox taken once, each with its result.
//!
//! The steps are those of every day, taken by the same code: what is green here works there. Nothing is
//! read, marked or sent.

use std::time::Duration;

use desk::explain::Language;
use desk::words;
use serde::Serialize;

use super::advice::{self, Advice};
use super::dial::{Dialer, Journal};
use super::error::{Cause, Error, Step};
use super::imap::Imap;
use super::mailbox::{Account, Protocol};
use super::pop3::Pop3;
use super::smtp::Smtp;
use super::tls::Certificate;
use super::{Login, Security, Server};

/// What is to be tried.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// Where mails are read.
    pub account: &'a Account,
    /// Where they are sent.
    pub sending: &'a Server,
    /// As whom they are sent. None where the server takes anybody's.
    pub sender: Option<&'a Login>,
    /// The channel's address.
    pub address: &'a str,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Each step in its order; those for reading first.
    pub steps: Vec<StepReport>,
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepReport {
    /// For which of the two it was taken.
    pub side: Side,
    /// Which step.
    pub step: Step,
    /// What came of it.
    pub outcome: Outcome,
    /// The server's own sentence, or where it is.
    pub detail: String,
    /// Its certificate, where it showed one at this step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
    /// What to do about it, where it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<Advice>,
}

words! {
    /// What a step was taken for.
    Side {
        /// Reading mails.
        Receiving = "receiving",
        /// Sending mails.
        Sending = "sending",
    }
}

words! {
    /// What came of a step.
    Outcome {
        /// It went well.
        Ok = "ok",
        /// It failed.
        Failed = "failed",
        /// It was not come to.
        NotReached = "not_reached",
    }
}

impl Report {
    /// Whether all of it works.
    pub fn is_ok(&self) -> bool {
        self.steps.iter().all(|step| step.outcome == Outcome::Ok)
    }

    /// What the form says: that all is well, or what to do first.
    pub fn headline(&self, language: Language) -> &'static str {
        match self.steps.iter().find_map(|step| step.advice) {
            Some(advice) => advice.sentence(language),
            None => match language {
                Language::PtBr => "Configurações OK",
                Language::En => "Settings OK",
                Language::Es => "Configuración OK",
            },
        }
    }
}

/// Takes every step.
pub async fn check(dialer: &Dialer, settings: &Settings<'_>) -> Report {
    let dialer = dialer.with_patience(PATIENCE.min(dialer.patience()));
    let (mut steps, sending) = tokio::join!(
        receiving(&dialer, settings.account),
        sending(&dialer, settings)
    );
    steps.extend(sending);
    Report { steps }
}

async fn receiving(dialer: &Dialer, account: &Account) -> Vec<StepReport> {
    let mut journal = Journal::default();
    let result = receive(dialer, account, &mut journal).await;
    let Account { server, login, .. } = account;
    let plan = [
        Step::Name,
        Step::Connect,
        Step::Tls,
        Step::Greeting,
        Step::Login,
        Step::Folder,
    ];
    report(
        Side::Receiving,
        &plan,
        server.security,
        Some(login),
        journal,
        result.err(),
    )
}

async fn receive(dialer: &Dialer, account: &Account, journal: &mut Journal) -> Result<(), Error> {
    let Account {
        protocol,
        server,
        login,
        ..
    } = account;
    match protocol {
        Protocol::Imap => {
            let mut imap = Imap::open(dialer, server, login, journal).await?;
            let folder = imap.select("INBOX").await?;
            journal.note(Step::Folder, format!("INBOX: {}", folder.exists));
            imap.logout().await;
        }
        Protocol::Pop3 => {
            let mut pop3 = Pop3::open(dialer, server, login, journal).await?;
            let (count, bytes) = pop3.stat().await?;
            journal.note(Step::Folder, format!("STAT: {count} ({bytes} bytes)"));
            pop3.quit().await?;
        }
    }
    Ok(())
}

async fn sending(dialer: &Dialer, settings: &Settings<'_>) -> Vec<StepReport> {
    let Settings {
        sending: server,
        sender,
        address,
        ..
    } = settings;
    let mut journal = Journal::default();
    let result = async {
        let mut smtp = Smtp::open(dialer, server, *sender, &mut journal).await?;
        smtp.probe(address, address, &mut journal).await?;
        smtp.quit().await;
        Ok(())
    };
    let result: Result<(), Error> = result.await;
    let mut plan = vec![Step::Name, Step::Connect, Step::Tls, Step::Greeting];
    plan.extend(sender.map(|_| Step::Login));
    plan.extend([Step::Sender, Step::Recipient]);
    report(
        Side::Sending,
        &plan,
        server.security,
        *sender,
        journal,
        result.err(),
    )
}

/// The steps that went well, the one that did not, and those that were not come to.
fn report(
    side: Side,
    plan: &[Step],
    security: Security,
    login: Option<&Login>,
    journal: Journal,
    error: Option<Error>,
) -> Vec<StepReport> {
    let mut passed = journal.passed;
    let mut error = error;
    let mut steps = vec![];
    for step in plan {
        if *step == Step::Tls && security == Security::None {
            continue;
        }
        let found = passed.iter().position(|passed| passed.step == *step);
        steps.push(match (found, &error) {
            (Some(found), _) => {
                let passed = passed.remove(found);
                StepReport {
                    side,
                    step: *step,
                    outcome: Outcome::Ok,
                    detail: passed.detail,
                    certificate: passed.certificate,
                    advice: None,
                }
            }
            (None, Some(failed)) => {
                let by_token = login.is_some_and(Login::is_by_token);
                let failed = failed_step(side, *step, failed, security, by_token);
                // The first step that was not noted is where it ended.
                error = None;
                failed
            }
            (None, None) => StepReport {
                side,
                step: *step,
                outcome: Outcome::NotReached,
                detail: String::new(),
                certificate: None,
                advice: None,
            },
        });
    }
    steps
}

fn failed_step(
    side: Side,
    step: Step,
    error: &Error,
    security: Security,
    by_token: bool,
) -> StepReport {
    let mut shown = None;
    if let Cause::Untrusted { certificate, .. } = &error.cause {
        shown = certificate.as_deref().cloned();
    }
    StepReport {
        side,
        step,
        outcome: Outcome::Failed,
        detail: error.cause.to_string(),
        certificate: shown,
        advice: Some(advice::of(error, security, by_token)),
    }
}

/// An administrator waits before a form, and a server that needs longer each time is no good.
const PATIENCE: Duration = Duration::from_secs(20);
