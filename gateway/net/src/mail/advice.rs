//! What an administrator is told to do about a step that failed.

use channels::email::answer::{self, Answer};
use channels::failure::Advice as Reason;
use desk::explain::Language;
use desk::words;

use super::Security;
use super::error::{Cause, Error, Flaw, Step};

/// Declares what administrators are told: a word for programs, and a sentence in each language.
macro_rules! advices {
    ($($(#[$doc:meta])* $variant:ident = $word:literal: $pt:literal, $en:literal, $es:literal;)*) => {
        words! {
            /// What is wrong with the settings of a mailbox, and what to do.
            Advice { $($(#[$doc])* $variant = $word,)* }
        }

        impl Advice {
            /// The sentence.
            pub fn sentence(self, language: Language) -> &'static str {
                let [pt, en, es] = match self { $(Self::$variant => [$pt, $en, $es],)* };
                match language {
                    Language::PtBr => pt,
                    Language::En => en,
                    Language::Es => es,
                }
            }
        }
    };
}

advices! {
    /// What was typed is no name.
    NameInvalid = "name_invalid":
        "O nome do servidor não é válido: escreva apenas o nome, por exemplo imap.empresa.com.br.",
        "The name of the server is not valid: write the name alone, for example imap.example.com.",
        "El nombre del servidor no es válido: escriba solo el nombre, por ejemplo imap.empresa.com.";
    /// Nobody has that name.
    NameUnknown = "name_unknown":
        "O servidor não foi encontrado: confira se o nome está escrito como o provedor informa.",
        "The server was not found: check that its name is written as the provider gives it.",
        "No se encontró el servidor: revise que el nombre esté escrito como lo indica el proveedor.";
    /// It is one of ours.
    AddressInside = "address_inside":
        "O nome leva a um endereço da rede interna, que não pode ser usado: informe o nome público do servidor.",
        "The name leads to an address of the internal network, which must not be used: give the server's public name.",
        "El nombre lleva a una dirección de la red interna, que no puede usarse: indique el nombre público del servidor.";
    /// Nobody listens.
    PortClosed = "port_closed":
        "O servidor não aceita conexões nesta porta: confira o número da porta.",
        "The server takes no connections on this port: check its number.",
        "El servidor no acepta conexiones en este puerto: revise el número.";
    /// Nothing comes back at all.
    PortSilent = "port_silent":
        "O servidor não responde nesta porta: confira a porta e se um firewall bloqueia a conexão.",
        "The server does not answer on this port: check the port, and whether a firewall is in between.",
        "El servidor no responde en este puerto: revise el puerto y si un firewall bloquea la conexión.";
    /// Connected, and no greeting.
    NoGreeting = "no_greeting":
        "A porta aceita a conexão e fica em silêncio: ela deve esperar SSL, ative-o ou troque a porta.",
        "The port takes the connection and keeps silent: it probably waits for SSL, switch it on or change the port.",
        "El puerto acepta la conexión y calla: probablemente espera SSL, actívelo o cambie el puerto.";
    /// An answer was too late.
    TooSlow = "too_slow":
        "O servidor demorou demais para responder: tente de novo em alguns minutos.",
        "The server took too long to answer: try again in a few minutes.",
        "El servidor tardó demasiado en responder: intente de nuevo en unos minutos.";
    /// The connection broke.
    ConnectionLost = "connection_lost":
        "O servidor encerrou a conexão: confira a porta e o tipo de segurança, ou tente de novo.",
        "The server ended the connection: check the port and the kind of security, or try again.",
        "El servidor cerró la conexión: revise el puerto y el tipo de seguridad, o intente de nuevo.";
    /// TLS was begun with something that does not speak it.
    NotTls = "not_tls":
        "Esta porta não fala SSL desde o início: escolha STARTTLS ou a porta com SSL.",
        "This port does not speak SSL from the beginning: choose STARTTLS, or the port with SSL.",
        "Este puerto no habla SSL desde el inicio: elija STARTTLS o el puerto con SSL.";
    /// TLS failed.
    TlsFailed = "tls_failed":
        "A conexão segura falhou: o servidor precisa oferecer TLS 1.2 ou mais novo.",
        "The secure connection failed: the server must offer TLS 1.2 or newer.",
        "La conexión segura falló: el servidor debe ofrecer TLS 1.2 o más nuevo.";
    /// `STARTTLS` is not offered.
    StartTlsMissing = "starttls_missing":
        "O servidor não oferece STARTTLS nesta porta: escolha SSL e a porta correspondente.",
        "The server does not offer STARTTLS on this port: choose SSL, and the port for it.",
        "El servidor no ofrece STARTTLS en este puerto: elija SSL y el puerto correspondiente.";
    /// The certificate's time is over.
    CertificateExpired = "certificate_expired":
        "O certificado do servidor está vencido: peça ao provedor que o renove.",
        "The server's certificate has expired: ask the provider to renew it.",
        "El certificado del servidor está vencido: pida al proveedor que lo renueve.";
    /// The certificate's time has not begun.
    CertificateNotYet = "certificate_not_yet":
        "O certificado do servidor ainda não vale: confira o relógio desta máquina e o do servidor.",
        "The server's certificate is not valid yet: check the clocks of this machine and of the server.",
        "El certificado del servidor aún no es válido: revise el reloj de esta máquina y el del servidor.";
    /// The certificate is another machine's.
    CertificateName = "certificate_name":
        "O certificado é de outro servidor: use um dos nomes que aparecem nele.",
        "The certificate is another server's: use one of the names in it.",
        "El certificado es de otro servidor: use uno de los nombres que figuran en él.";
    /// Nobody known vouches for the certificate.
    CertificateIssuer = "certificate_issuer":
        "Ninguém conhecido garante o certificado do servidor: o provedor precisa de um certificado público, ou o operador deste sistema precisa confiar no emissor.",
        "Nobody known vouches for the server's certificate: the provider needs a public one, or the operator of this system must trust its issuer.",
        "Nadie conocido garantiza el certificado del servidor: el proveedor necesita uno público, o el operador de este sistema debe confiar en su emisor.";
    /// The certificate is wrong in some other way.
    CertificateInvalid = "certificate_invalid":
        "O certificado do servidor não é válido: peça ao provedor que o troque.",
        "The server's certificate is not valid: ask the provider to replace it.",
        "El certificado del servidor no es válido: pida al proveedor que lo cambie.";
    /// Something else listens on the port.
    WrongProtocol = "wrong_protocol":
        "Nesta porta responde outro serviço: confira servidor, porta e protocolo (IMAP, POP ou SMTP).",
        "Another service answers on this port: check server, port and protocol (IMAP, POP or SMTP).",
        "En este puerto responde otro servicio: revise servidor, puerto y protocolo (IMAP, POP o SMTP).";
    /// User or password cannot be said.
    LoginInvalid = "login_invalid":
        "Usuário ou senha está vazio ou tem caracteres que não podem ser usados: preencha-os de novo.",
        "User or password is empty or has characters that cannot be used: fill them in again.",
        "El usuario o la contraseña está vacío o tiene caracteres no permitidos: complételos de nuevo.";
    /// User or password is wrong.
    LoginRefused = "login_refused":
        "O servidor recusou o usuário ou a senha: confira os dois.",
        "The server refused the user or the password: check both.",
        "El servidor rechazó el usuario o la contraseña: revise ambos.";
    /// Passwords are not taken, or not this one.
    PasswordLoginOff = "password_login_off":
        "O provedor não aceita esta senha para programas: conecte a conta por OAuth2 ou crie uma senha de aplicativo.",
        "The provider does not take this password from programs: connect the account by OAuth2, or make an app password.",
        "El proveedor no acepta esta contraseña para programas: conecte la cuenta por OAuth2 o cree una contraseña de aplicación.";
    /// Passwords are not taken without TLS.
    LoginNeedsTls = "login_needs_tls":
        "O servidor só aceita senhas por conexão segura: ative SSL ou STARTTLS.",
        "The server takes passwords over a secure connection only: switch on SSL or STARTTLS.",
        "El servidor solo acepta contraseñas por conexión segura: active SSL o STARTTLS.";
    /// Tokens are not taken.
    TokenLoginMissing = "token_login_missing":
        "O servidor não aceita OAuth2: use usuário e senha.",
        "The server does not take OAuth2: use user and password.",
        "El servidor no acepta OAuth2: use usuario y contraseña.";
    /// The token is void, or another account's.
    TokenRefused = "token_refused":
        "O servidor recusou a autorização OAuth2: conecte a conta de novo, com o mesmo endereço do canal.",
        "The server refused the OAuth2 authorisation: connect the account again, with the same address as the channel's.",
        "El servidor rechazó la autorización OAuth2: conecte la cuenta de nuevo, con la misma dirección del canal.";
    /// IMAP or POP is switched off for this account.
    ProtocolOff = "protocol_off":
        "IMAP ou POP está desligado nesta conta: ative-o nas configurações do provedor.",
        "IMAP or POP is switched off for this account: switch it on in the provider's settings.",
        "IMAP o POP está desactivado en esta cuenta: actívelo en la configuración del proveedor.";
    /// Somebody else has the maildrop open.
    MailboxInUse = "mailbox_in_use":
        "Outro programa está lendo esta caixa por POP: feche-o ou use IMAP.",
        "Another program is reading this mailbox by POP: close it, or use IMAP.",
        "Otro programa está leyendo este buzón por POP: ciérrelo o use IMAP.";
    /// There is no such folder, or it must not be opened.
    FolderRefused = "folder_refused":
        "A caixa de entrada não pôde ser aberta: confira com o provedor as permissões da conta.",
        "The inbox could not be opened: check the account's permissions with the provider.",
        "No se pudo abrir la bandeja de entrada: revise con el proveedor los permisos de la cuenta.";
    /// The server has trouble, or asks for patience.
    ServerBusy = "server_busy":
        "O servidor pede paciência: tente de novo em alguns minutos.",
        "The server asks for patience: try again in a few minutes.",
        "El servidor pide paciencia: intente de nuevo en unos minutos.";
    /// The address may not be sent from.
    SenderRefused = "sender_refused":
        "O servidor não deixa esta conta enviar por este endereço: use o endereço da conta ou peça a permissão ao provedor.",
        "The server does not let this account send from this address: use the account's address, or ask the provider for permission.",
        "El servidor no deja que esta cuenta envíe desde esta dirección: use la dirección de la cuenta o pida permiso al proveedor.";
    /// The server does not pass our mails on.
    RelayRefused = "relay_refused":
        "O servidor não envia mensagens desta conta: confira o servidor SMTP e se ele exige usuário e senha.",
        "The server does not send this account's mails: check the SMTP server, and whether it wants user and password.",
        "El servidor no envía los mensajes de esta cuenta: revise el servidor SMTP y si exige usuario y contraseña.";
    /// The server says that there is no such mailbox as our own.
    OwnAddressUnknown = "own_address_unknown":
        "O servidor diz que o endereço do canal não existe: confira como o e-mail foi escrito.",
        "The server says that the channel's address does not exist: check how it is written.",
        "El servidor dice que la dirección del canal no existe: revise cómo está escrita.";
    /// No, for a reason that is in the server's words alone.
    Refused = "refused":
        "O servidor recusou: leia a frase dele e fale com o provedor.",
        "The server refused: read its own sentence and talk to the provider.",
        "El servidor rechazó: lea su frase y hable con el proveedor.";
}

/// What to do about an error at a server that was to be spoken to with this security.
pub fn of(error: &Error, security: Security, by_token: bool) -> Advice {
    match &error.cause {
        Cause::NameInvalid => Advice::NameInvalid,
        Cause::NameUnknown(_) => Advice::NameUnknown,
        Cause::Inside => Advice::AddressInside,
        Cause::Unreachable(_) => Advice::PortClosed,
        Cause::TimedOut => match error.step {
            Step::Name => Advice::NameUnknown,
            Step::Connect => Advice::PortSilent,
            Step::Greeting => Advice::NoGreeting,
            Step::Tls
            | Step::Login
            | Step::Folder
            | Step::Reading
            | Step::Sender
            | Step::Recipient
            | Step::Data
            | Step::Sent => Advice::TooSlow,
        },
        Cause::Lost(_) => Advice::ConnectionLost,
        Cause::NotTls => Advice::NotTls,
        Cause::Tls(_) => Advice::TlsFailed,
        Cause::Untrusted { flaw, .. } => match flaw {
            Flaw::Expired => Advice::CertificateExpired,
            Flaw::NotYet => Advice::CertificateNotYet,
            Flaw::WrongName => Advice::CertificateName,
            Flaw::UnknownIssuer => Advice::CertificateIssuer,
            Flaw::Invalid => Advice::CertificateInvalid,
        },
        Cause::NoStartTls => Advice::StartTlsMissing,
        Cause::NoLogin(_) if security == Security::None => Advice::LoginNeedsTls,
        Cause::NoLogin(_) if by_token => Advice::TokenLoginMissing,
        Cause::NoLogin(_) => Advice::PasswordLoginOff,
        Cause::Answer(answer) => of_answer(error.step, answer, by_token),
        Cause::No { code, text } => of_no(error.step, code, text, by_token),
        Cause::Misbehaved(_) | Cause::TooLarge(_) => Advice::WrongProtocol,
        Cause::Unsayable(_) => Advice::LoginInvalid,
    }
}

fn of_answer(step: Step, answer: &Answer, by_token: bool) -> Advice {
    let reason = answer::failure(step.into(), answer, by_token).advice;
    let known = ANSWERS.iter().find(|(told, _)| *told == reason);
    known.map_or(Advice::Refused, |(_, advice)| *advice)
}

/// What agents are told of an answer, and what administrators are told of the same.
const ANSWERS: [(Reason, Advice); 8] = [
    (Reason::LoginRefused, Advice::LoginRefused),
    (Reason::PasswordLoginOff, Advice::PasswordLoginOff),
    (Reason::TokenExpired, Advice::TokenRefused),
    (Reason::ProviderAway, Advice::ServerBusy),
    (Reason::TooFast, Advice::ServerBusy),
    (Reason::SenderRefused, Advice::SenderRefused),
    (Reason::Setup, Advice::RelayRefused),
    (Reason::AddressUnknown, Advice::OwnAddressUnknown),
];

fn of_no(step: Step, code: &str, text: &str, by_token: bool) -> Advice {
    let text = text.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| text.contains(words));
    match code {
        "IN-USE" => return Advice::MailboxInUse, // RFC 2449 section 8.1.2.
        "UNAVAILABLE" | "LIMIT" | "SYS/TEMP" | "LOGIN-DELAY" => return Advice::ServerBusy,
        "PRIVACYREQUIRED" => return Advice::LoginNeedsTls, // RFC 5530.
        _ => {}
    }
    match step {
        Step::Login if says(&["not enabled for", "access is disabled", "is disabled for"]) => {
            Advice::ProtocolOff
        }
        Step::Login
            if says(&[
                "application-specific password",
                "web login required",
                "log in via your web browser",
                "basic authentication",
            ]) =>
        {
            Advice::PasswordLoginOff
        }
        Step::Login if says(&["non-secure", "plaintext authentication disallowed"]) => {
            Advice::LoginNeedsTls
        }
        Step::Login if by_token => Advice::TokenRefused,
        Step::Login => Advice::LoginRefused,
        Step::Folder | Step::Reading => Advice::FolderRefused,
        Step::Greeting => Advice::ServerBusy,
        Step::Name
        | Step::Connect
        | Step::Tls
        | Step::Sender
        | Step::Recipient
        | Step::Data
        | Step::Sent => Advice::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_advice_is_a_sentence_in_every_language_that_says_what_to_do() {
        for advice in Advice::ALL {
            let mut sentences = vec![];
            for language in Language::ALL {
                let sentence = advice.sentence(*language);
                assert!(sentence.ends_with('.'), "{sentence}");
                assert!(sentence.contains(':'), "what, and what to do: {sentence}");
                sentences.push(sentence);
            }
            sentences.dedup();
            assert_eq!(sentences.len(), 3, "{advice}");
        }
    }

    #[test]
    fn what_servers_say_becomes_what_administrators_can_do() {
        let no = |step, code: &str, text: &str| Error {
            step,
            cause: Cause::No {
                code: code.to_owned(),
                text: text.to_owned(),
            },
        };
        let answer = |step, lines: &str| Error {
            step,
            cause: Cause::Answer(Answer::parse(lines).expect("an answer")),
        };
        #[rustfmt::skip]
        let rows = [
            (no(Step::Login, "AUTHENTICATIONFAILED", "Authentication failed."), Advice::LoginRefused),
            (no(Step::Login, "AUTH", "Authentication failed."), Advice::LoginRefused),
            (no(Step::Login, "ALERT", "Application-specific password required"), Advice::PasswordLoginOff),
            (no(Step::Login, "ALERT", "Your account is not enabled for IMAP use."), Advice::ProtocolOff),
            (no(Step::Login, "UNAVAILABLE", "Internal error"), Advice::ServerBusy),
            (no(Step::Login, "PRIVACYREQUIRED", "Plaintext authentication disallowed"), Advice::LoginNeedsTls),
            (no(Step::Login, "IN-USE", "Do you have another POP session running?"), Advice::MailboxInUse),
            (no(Step::Greeting, "", "Too many connections"), Advice::ServerBusy),
            (no(Step::Folder, "NOPERM", "Permission denied"), Advice::FolderRefused),
            (answer(Step::Login, "535 5.7.8 Error: authentication failed"), Advice::LoginRefused),
            (answer(Step::Login, "535 5.7.139 Authentication unsuccessful"), Advice::PasswordLoginOff),
            (answer(Step::Greeting, "421 4.7.0 try again later"), Advice::ServerBusy),
            (answer(Step::Sender, "553 5.7.1 Sender address rejected: not owned by user"), Advice::SenderRefused),
            (answer(Step::Recipient, "554 5.7.1 Relay access denied"), Advice::RelayRefused),
            (answer(Step::Recipient, "550 5.1.1 User unknown"), Advice::OwnAddressUnknown),
            (answer(Step::Greeting, "554 5.7.1 Your address is on a list"), Advice::Refused),
        ];
        for (error, advice) in rows {
            assert_eq!(of(&error, Security::Tls, false), advice, "{error}");
        }
        let token = answer(Step::Login, "535 5.7.3 Authentication unsuccessful");
        assert_eq!(of(&token, Security::Tls, true), Advice::TokenRefused);
        let none = Cause::NoLogin(String::new()).at(Step::Login);
        assert_eq!(of(&none, Security::None, false), Advice::LoginNeedsTls);
        assert_eq!(of(&none, Security::Tls, true), Advice::TokenLoginMissing);
    }
}
