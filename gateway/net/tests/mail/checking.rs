//! *Testar Configurações* before servers that work, and before those that do not.

use channels::secret::Secret;
use desk::explain::Language;
use gateway_net::fetch::Inside;
use gateway_net::mail::advice::Advice;
use gateway_net::mail::check::{Outcome, Report, Settings, Side, check};
use gateway_net::mail::mailbox::{Account, Protocol};
use gateway_net::mail::{Credential, Dialer, Login, Security, Server, Step};

use super::cast::account;
use super::certificate::{ISSUER, NAME, Time};
use super::house::{ANA, House, Plan, ana};

async fn checked(
    dialer: &Dialer,
    account: &Account,
    sending: &Server,
    sender: Option<&Login>,
) -> Report {
    let settings = Settings {
        account,
        sending,
        sender,
        address: ANA,
    };
    check(dialer, &settings).await
}

/// Where it ends on a side, and what is to be done about it.
fn failed(report: &Report, side: Side) -> Option<(Step, Option<Advice>)> {
    let failed = report
        .steps
        .iter()
        .find(|step| step.side == side && step.outcome == Outcome::Failed)?;
    let behind = report
        .steps
        .iter()
        .skip_while(|step| *step != failed)
        .skip(1);
    let mut behind = behind.filter(|step| step.side == side);
    assert!(
        behind.all(|step| step.outcome == Outcome::NotReached),
        "{report:?}"
    );
    Some((failed.step, failed.advice))
}

#[tokio::test]
async fn settings_that_work_are_green_step_by_step() {
    let Some(house) = House::start() else { return };
    for (protocol, security) in [
        (Protocol::Imap, Security::Tls),
        (Protocol::Imap, Security::StartTls),
        (Protocol::Pop3, Security::Tls),
        (Protocol::Pop3, Security::StartTls),
    ] {
        let login = ana();
        let account = account(&house, protocol, security);
        let smtp = house.smtp(security);
        let report = checked(&house.dialer(), &account, &smtp, Some(&login)).await;
        assert!(report.is_ok(), "{report:#?}\n{}", house.logs());
        assert_eq!(report.headline(Language::PtBr), "Configurações OK");
        let steps: Vec<Step> = report.steps.iter().map(|step| step.step).collect();
        use Step::{Connect, Folder, Greeting, Login, Name, Recipient, Sender, Tls};
        assert_eq!(
            steps,
            [
                Name, Connect, Tls, Greeting, Login, Folder, // Reading.
                Name, Connect, Tls, Greeting, Login, Sender, Recipient, // Sending.
            ]
        );
        for step in report.steps.iter().filter(|step| step.step == Tls) {
            let certificate = step.certificate.as_ref().expect("a certificate");
            assert_eq!(certificate.names, [NAME]);
            assert_eq!(certificate.issuer, ISSUER);
            assert_eq!(certificate.until_ms, 4_102_444_800_000, "2100-01-01");
        }
    }
}

#[tokio::test]
async fn each_mistake_is_found_at_its_step() {
    let Some(house) = House::start() else { return };
    let good = house.imap(Security::Tls);
    let here = |host: &str, port, security| Server {
        host: host.to_owned(),
        port,
        security,
    };
    let wrong = Login {
        user: ANA.to_owned(),
        credential: Credential::Password(Secret::new("errada")),
    };
    let smtps = house.smtp(Security::Tls).port;
    let smtp = house.smtp(Security::None).port;
    let imap = house.imap(Security::None).port;
    #[rustfmt::skip]
    let rows = [
        (good.clone(), wrong.clone(), Step::Login, Advice::LoginRefused),
        (here("", good.port, Security::Tls), ana(), Step::Name, Advice::NameInvalid),
        (here("nenhum.invalid", good.port, Security::Tls), ana(), Step::Name, Advice::NameUnknown),
        (here(NAME, 1, Security::Tls), ana(), Step::Connect, Advice::PortClosed),
        (here(NAME, imap, Security::Tls), ana(), Step::Tls, Advice::NotTls),
        (here("127.0.0.1", good.port, Security::Tls), ana(), Step::Tls, Advice::CertificateName),
        (here(NAME, smtps, Security::Tls), ana(), Step::Greeting, Advice::WrongProtocol),
        (here(NAME, smtp, Security::None), ana(), Step::Greeting, Advice::WrongProtocol),
    ];
    for (server, login, step, advice) in rows {
        let account = Account {
            server: server.clone(),
            login: login.clone(),
            ..account(&house, Protocol::Imap, Security::Tls)
        };
        let report = checked(
            &house.dialer(),
            &account,
            &house.smtp(Security::Tls),
            Some(&login),
        )
        .await;
        assert_eq!(
            failed(&report, Side::Receiving),
            Some((step, Some(advice))),
            "{server:?} {report:#?}\n{}",
            house.logs()
        );
    }
    // The other side, by itself.
    let account = account(&house, Protocol::Imap, Security::Tls);
    let good = ana();
    #[rustfmt::skip]
    let rows = [
        (house.smtp(Security::Tls), Some(&wrong), Step::Login, Advice::LoginRefused),
        (house.smtp(Security::None), Some(&good), Step::Login, Advice::LoginNeedsTls),
        (house.smtp(Security::Tls), None, Step::Recipient, Advice::RelayRefused),
        (house.imap(Security::Tls), Some(&good), Step::Greeting, Advice::WrongProtocol),
    ];
    for (server, login, step, advice) in rows {
        let report = checked(&house.dialer(), &account, &server, login).await;
        assert_eq!(failed(&report, Side::Receiving), None);
        let told = failed(&report, Side::Sending);
        assert_eq!(told, Some((step, Some(advice))), "{report:#?}");
        assert_eq!(
            report.headline(Language::PtBr),
            advice.sentence(Language::PtBr)
        );
    }
}

#[tokio::test]
async fn a_certificate_that_is_over_is_shown_with_its_date() {
    let plan = Plan {
        certificate: Time::Over,
        introspection: None,
    };
    let Some(house) = House::start_as(&plan) else {
        return;
    };
    let login = ana();
    let account = account(&house, Protocol::Pop3, Security::StartTls);
    let smtp = house.smtp(Security::Tls);
    let report = checked(&house.dialer(), &account, &smtp, Some(&login)).await;
    for side in [Side::Receiving, Side::Sending] {
        let expected = (Step::Tls, Some(Advice::CertificateExpired));
        assert_eq!(failed(&report, side), Some(expected), "{report:#?}");
    }
    for step in report.steps.iter().filter(|step| step.step == Step::Tls) {
        let certificate = step.certificate.as_ref().expect("a certificate");
        assert_eq!(certificate.until_ms, 1_609_459_200_000, "2021-01-01");
    }
}

#[tokio::test]
async fn a_certificate_for_which_nobody_known_vouches_is_not_believed() {
    let Some(house) = House::start() else { return };
    let stranger = Dialer::new(Inside::Allowed, vec![]);
    let login = ana();
    let account = account(&house, Protocol::Imap, Security::StartTls);
    let smtp = house.smtp(Security::StartTls);
    let report = checked(&stranger, &account, &smtp, Some(&login)).await;
    for side in [Side::Receiving, Side::Sending] {
        let expected = (Step::Tls, Some(Advice::CertificateIssuer));
        assert_eq!(failed(&report, side), Some(expected), "{report:#?}");
    }
    // An administrator's server may not be one of ours.
    let guarded = Dialer::new(Inside::Refused, vec![]);
    let report = checked(&guarded, &account, &smtp, Some(&login)).await;
    let expected = (Step::Name, Some(Advice::AddressInside));
    assert_eq!(
        failed(&report, Side::Sending),
        Some(expected),
        "{report:#?}"
    );
}
