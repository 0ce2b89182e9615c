//! Servers of mail of one test: Dovecot and Exim in a folder of their own, as whoever runs the test; as
//! nobody where that is root.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use channels::secret::Secret;
use gateway_net::fetch::Inside;
use gateway_net::mail::{Credential, Dialer, Login, Security, Server};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Group, Pid, Uid, User};
use tempfile::TempDir;

use super::certificate::{Authority, NAME, Time};

/// Running servers. Dropped, they end, and their folder is removed.
pub(crate) struct House {
    folder: TempDir,
    owner: Owner,
    ports: Ports,
    authority: Authority,
    dovecot: Option<Child>,
    exim: Option<Child>,
}

/// Who runs the servers.
struct Owner {
    user: User,
    group: Group,
    /// We are root and become them.
    becomes: bool,
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    imap: u16,
    imaps: u16,
    pop3: u16,
    pop3s: u16,
    lmtp: u16,
    smtp: u16,
    smtps: u16,
}

/// What of the servers is not as usual.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) certificate: Time,
    /// Where Dovecot asks about tokens.
    pub(crate) introspection: Option<String>,
}

/// The mailbox that all tests have.
pub(crate) const ANA: &str = "ana@loja.example";

/// The mailbox of somebody who writes to Ana.
pub(crate) const CLIENT: &str = "cliente@loja.example";

/// The password of both.
pub(crate) const PASSWORD: &str = "s3gr3do é \"dela\"";

/// The one token that Exim knows.
pub(crate) const TOKEN: &str = "the-second-token";

impl House {
    /// Starts both servers. None where they are not installed.
    ///
    /// # Panics
    ///
    /// When they are not and the environment has `RAMAL_TEST_INTEROP=require`, or do not start.
    pub(crate) fn start() -> Option<Self> {
        Self::start_as(&Plan {
            certificate: Time::Good,
            introspection: None,
        })
    }

    /// The same, otherwise than usual.
    pub(crate) fn start_as(plan: &Plan) -> Option<Self> {
        if !are_installed() {
            return None;
        }
        let owner = Owner::find();
        let folder = tempfile::tempdir().expect("a temporary folder");
        owner.give(folder.path());
        for name in ["run", "mail", "spool"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
            owner.give(&folder.path().join(name));
        }
        let mut house = Self {
            folder,
            owner,
            ports: Ports::free(),
            authority: Authority::new(),
            dovecot: None,
            exim: None,
        };
        let [certificate, key] = house.authority.vouch(plan.certificate);
        house.write("certificate.pem", &certificate);
        house.write("key.pem", &key);
        let people = [ANA, CLIENT].map(|user| format!("{user}:{{PLAIN}}{PASSWORD}\n"));
        house.write("users", &people.concat());
        // Between choosing a port and listening on it somebody else may take it.
        let started = (0..STARTS_MAX).any(|_| {
            house.ports = Ports::free();
            house.configure(plan);
            house.launch()
        });
        assert!(started, "the servers start:\n{}", house.logs());
        Some(house)
    }

    /// Who reaches them, and believes their certificates.
    pub(crate) fn dialer(&self) -> Dialer {
        Dialer::new(Inside::Allowed, vec![self.authority.certificate()])
            .with_patience(Duration::from_secs(10))
    }

    pub(crate) fn imap(&self, security: Security) -> Server {
        let port = match security {
            Security::Tls => self.ports.imaps,
            Security::StartTls | Security::None => self.ports.imap,
        };
        server(port, security)
    }

    pub(crate) fn pop3(&self, security: Security) -> Server {
        let port = match security {
            Security::Tls => self.ports.pop3s,
            Security::StartTls | Security::None => self.ports.pop3,
        };
        server(port, security)
    }

    pub(crate) fn smtp(&self, security: Security) -> Server {
        let port = match security {
            Security::Tls => self.ports.smtps,
            Security::StartTls | Security::None => self.ports.smtp,
        };
        server(port, security)
    }

    /// Ends Dovecot, as a machine that restarts does.
    pub(crate) fn stop_dovecot(&mut self) {
        end(self.dovecot.take());
    }

    /// Starts Dovecot again, where it was.
    pub(crate) fn start_dovecot(&mut self) {
        assert!(
            self.launch_dovecot(),
            "Dovecot starts again:\n{}",
            self.logs()
        );
    }

    /// Has Dovecot forget the numbers of the mails, as a mailbox does that was moved.
    pub(crate) fn forget_numbers(&mut self) {
        self.stop_dovecot();
        let maildir = self.folder.path().join("mail/ana");
        for entry in fs::read_dir(&maildir).expect("a mailbox") {
            let path = entry.expect("a file").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with("dovecot") {
                fs::remove_file(&path).expect("a file of ours");
            }
        }
        self.start_dovecot();
    }

    /// What both wrote down, for a test that fails.
    pub(crate) fn logs(&self) -> String {
        let read = |name| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        [
            "dovecot.log",
            "dovecot.out",
            "exim-main.log",
            "exim-panic.log",
            "exim.out",
        ]
        .map(|name| format!("{name}:\n{}", read(name)))
        .join("\n")
    }

    fn configure(&self, plan: &Plan) {
        let mut dovecot = self.filled(include_str!("dovecot.conf"));
        if let Some(url) = &plan.introspection {
            let oauth = format!(
                "introspection_url = {url}\nintrospection_mode = get\nusername_attribute = email\n\
                 active_attribute = active\nactive_value = true\n"
            );
            self.write("oauth.conf", &oauth);
            let file = self.folder.path().join("oauth.conf");
            dovecot.push_str(&format!(
                "passdb {{\n  driver = oauth2\n  mechanisms = xoauth2\n  args = {}\n}}\n",
                file.display()
            ));
        }
        self.write("dovecot.conf", &dovecot);
        self.write("exim.conf", &self.filled(include_str!("exim.conf")));
    }

    /// A configuration with what is of this house in it.
    fn filled(&self, text: &str) -> String {
        let ports = self.ports;
        let mut text = text.to_owned();
        for (name, value) in [
            ("@folder@", self.folder.path().display().to_string()),
            ("@user@", self.owner.user.name.clone()),
            ("@group@", self.owner.group.name.clone()),
            ("@uid@", self.owner.user.uid.to_string()),
            ("@token@", TOKEN.to_owned()),
            ("@password@", PASSWORD.replace('"', "\\\"")),
            ("@imap@", ports.imap.to_string()),
            ("@imaps@", ports.imaps.to_string()),
            ("@pop3@", ports.pop3.to_string()),
            ("@pop3s@", ports.pop3s.to_string()),
            ("@lmtp@", ports.lmtp.to_string()),
            ("@smtp@", ports.smtp.to_string()),
            ("@smtps@", ports.smtps.to_string()),
        ] {
            text = text.replace(name, &value);
        }
        text
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("a file");
        self.owner.give(&path);
    }

    fn launch(&mut self) -> bool {
        self.launch_dovecot() && self.launch_exim()
    }

    fn launch_dovecot(&mut self) -> bool {
        end(self.dovecot.take());
        let file = self.path("dovecot.conf");
        let mut command = self.owner.command(DOVECOT);
        command.arg("-F").arg("-c").arg(file);
        let ports = [
            self.ports.imap,
            self.ports.imaps,
            self.ports.pop3,
            self.ports.pop3s,
            self.ports.lmtp,
        ];
        let (child, listens) = self.run(command, "dovecot.out", &ports);
        self.dovecot = Some(child);
        listens
    }

    fn launch_exim(&mut self) -> bool {
        end(self.exim.take());
        let file = self.path("exim.conf");
        let mut command = self.owner.command(EXIM);
        command.arg("-bdf").arg("-C").arg(file);
        let (child, listens) = self.run(command, "exim.out", &[self.ports.smtp, self.ports.smtps]);
        self.exim = Some(child);
        listens
    }

    /// Starts a server and waits until it listens on all of these ports. Not if it ends before.
    fn run(&self, mut command: Command, out: &str, ports: &[u16]) -> (Child, bool) {
        let out = fs::File::create(self.path(out)).expect("a file");
        let errors = out.try_clone().expect("a file");
        command.stdin(Stdio::null()).stdout(out).stderr(errors);
        let mut child = command.spawn().expect("an installed server");
        let listens = |port: &u16| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok();
        let begun = Instant::now();
        while begun.elapsed() < START_PATIENCE {
            if child.try_wait().expect("a child of ours").is_some() {
                return (child, false);
            }
            if ports.iter().all(listens) {
                return (child, true);
            }
            thread::sleep(STEP);
        }
        (child, false)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for House {
    fn drop(&mut self) {
        end(self.exim.take());
        end(self.dovecot.take());
    }
}

impl Owner {
    fn find() -> Self {
        let me = Uid::effective();
        let becomes = me.is_root();
        let user = if becomes {
            User::from_name("nobody")
        } else {
            User::from_uid(me)
        };
        let user = user.expect("a list of users").expect("a user");
        let group = Group::from_gid(user.gid)
            .expect("a list of groups")
            .expect("a group");
        Self {
            user,
            group,
            becomes,
        }
    }

    fn give(&self, path: &Path) {
        if self.becomes {
            let [user, group] = [self.user.uid.as_raw(), self.user.gid.as_raw()];
            chown(path, Some(user), Some(group)).expect("root may give");
        }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.process_group(0);
        if self.becomes {
            command
                .uid(self.user.uid.as_raw())
                .gid(self.user.gid.as_raw());
        }
        command
    }
}

impl Ports {
    fn free() -> Self {
        let sockets: [TcpListener; 7] = std::array::from_fn(|_| {
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port")
        });
        let [imap, imaps, pop3, pop3s, lmtp, smtp, smtps] =
            sockets.map(|socket| socket.local_addr().expect("an address").port());
        Self {
            imap,
            imaps,
            pop3,
            pop3s,
            lmtp,
            smtp,
            smtps,
        }
    }
}

/// Ana's log-in.
pub(crate) fn ana() -> Login {
    Login {
        user: ANA.to_owned(),
        credential: Credential::Password(Secret::new(PASSWORD)),
    }
}

fn server(port: u16, security: Security) -> Server {
    Server {
        host: NAME.to_owned(),
        port,
        security,
    }
}

fn end(child: Option<Child>) {
    let Some(mut child) = child else {
        return;
    };
    // The processes of its connections too, which would go on for half a minute.
    if let Ok(group) = i32::try_from(child.id()).map(Pid::from_raw) {
        let _ = killpg(group, Signal::SIGTERM);
        let _ = child.wait();
        let _ = killpg(group, Signal::SIGKILL);
    }
}

fn are_installed() -> bool {
    let missing: Vec<&str> = [DOVECOT, EXIM, POP3, LMTP]
        .into_iter()
        .filter(|path| !Path::new(path).exists())
        .collect();
    if missing.is_empty() {
        return true;
    }
    let text = format!(
        "{missing:?} missing; on Debian or Ubuntu: apt-get install dovecot-imapd dovecot-pop3d dovecot-lmtpd exim4-daemon-light"
    );
    assert!(
        std::env::var("RAMAL_TEST_INTEROP").as_deref() != Ok("require"),
        "{text}"
    );
    eprintln!("{text}");
    false
}

const DOVECOT: &str = "/usr/sbin/dovecot";
const POP3: &str = "/usr/lib/dovecot/pop3";
const LMTP: &str = "/usr/lib/dovecot/lmtp";
const EXIM: &str = "/usr/sbin/exim4";
/// With other ports each time.
const STARTS_MAX: usize = 3;
/// They listen within a second; a machine that also compiles needs more.
const START_PATIENCE: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(20);
