//! Why a message was not sent, what follows from it, and what people should do about it.

use desk::explain::Language;
use desk::words;
use serde::{Deserialize, Serialize};

/// A message, or a request beside it, that a provider did not take or did not deliver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What follows from it.
    pub class: FailureClass,
    /// What the agent is told, in their language.
    pub advice: Advice,
    /// The provider's code, or the status of HTTP.
    pub code: String,
    /// The provider's words, with its mark for this very request. For the log and for support.
    pub text: String,
    /// Not before, in milliseconds from the answer, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// Not more often than this, where less than usual is of use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries_max: Option<u32>,
}

impl Failure {
    /// A failure in a provider's words, which are cut to what a log line holds.
    pub fn new(class: FailureClass, advice: Advice, code: impl Into<String>, text: &str) -> Self {
        Self {
            class,
            advice,
            code: code.into(),
            text: text.chars().take(TEXT_CHARS_MAX).collect(),
            retry_after_ms: None,
            retries_max: None,
        }
    }

    /// The request was written and no answer came: it may have been carried out.
    pub fn no_answer() -> Self {
        let (class, advice) = (FailureClass::Uncertain, Advice::OutcomeUnknown);
        Self::new(class, advice, "no_answer", "no answer came in time")
    }

    /// The connection failed before the request was written: surely it was not carried out.
    pub fn not_connected(text: &str) -> Self {
        let (class, advice) = (FailureClass::Retry, Advice::ProviderAway);
        Self::new(class, advice, "not_connected", text)
    }

    /// Whether an administrator must hear of it at once: the channel is broken, or the provider has begun
    /// to hold it back.
    pub fn alarms(&self) -> bool {
        self.class == FailureClass::ChannelBroken
            || matches!(self.advice, Advice::SpamLimit | Advice::TemplateViolations)
    }

    /// Whether the list of templates that we keep is no longer the provider's.
    pub fn outdates_templates(&self) -> bool {
        matches!(
            self.advice,
            Advice::TemplateMissing | Advice::TemplateValues | Advice::TemplateUnusable
        )
    }

    /// The same, to be tried again no sooner than `after_ms` milliseconds from the answer.
    #[must_use]
    pub fn after_ms(mut self, after_ms: u64) -> Self {
        self.retry_after_ms = Some(after_ms.min(RETRY_AFTER_MS_MAX));
        self
    }
}

words! {
    /// What follows from a failure.
    FailureClass {
        /// Try again, later and later.
        Retry = "retry",
        /// Get a new token, then try again once.
        RetryWithNewToken = "retry_with_new_token",
        /// It will never be sent: the agent is told.
        Permanent = "permanent",
        /// The customer's window is closed: only a template can be sent.
        NeedsTemplate = "needs_template",
        /// The customer does not want it.
        BlockedByCustomer = "blocked_by_customer",
        /// Nothing can be sent by this channel: an alarm is raised and the channel waits.
        ChannelBroken = "channel_broken",
        /// It may have been sent: never tried again by itself.
        Uncertain = "uncertain",
    }
}

/// Declares what agents are told: a word for the store, and a sentence in each language.
macro_rules! advices {
    ($($(#[$doc:meta])* $variant:ident = $word:literal: $pt:literal, $en:literal, $es:literal;)*) => {
        words! {
            /// What a failure means to the people at the desk. Stored as a word, shown as a sentence
            /// that says what to do.
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
    /// The window is closed.
    WindowClosed = "window_closed":
        "Passaram mais de 24 horas desde a última mensagem do cliente: envie um modelo (HSM).",
        "More than 24 hours have passed since the customer's last message: send a template.",
        "Pasaron más de 24 horas desde el último mensaje del cliente: envíe una plantilla.";
    /// No such user, an old program, or terms not accepted.
    NotReachable = "not_reachable":
        "Este número não recebe mensagens neste canal: confira o número ou fale por outro canal.",
        "This number takes no messages on this channel: check the number or use another channel.",
        "Este número no recibe mensajes en este canal: revise el número o use otro canal.";
    /// The customer blocked the company.
    Blocked = "blocked":
        "O cliente bloqueou a empresa neste canal: fale por outro canal.",
        "The customer has blocked the company on this channel: use another channel.",
        "El cliente bloqueó a la empresa en este canal: use otro canal.";
    /// The customer stopped advertising.
    MarketingStopped = "marketing_stopped":
        "O cliente não quer mais receber ofertas: envie apenas o que ele pediu.",
        "The customer no longer wants offers: send only what they asked for.",
        "El cliente ya no quiere recibir ofertas: envíe solo lo que pidió.";
    /// The provider withheld it, for the good of its users.
    Withheld = "withheld":
        "O WhatsApp reteve a mensagem para não cansar o cliente: espere 24 horas antes de tentar de novo.",
        "WhatsApp withheld the message so as not to tire the customer: wait 24 hours before trying again.",
        "WhatsApp retuvo el mensaje para no cansar al cliente: espere 24 horas antes de reintentar.";
    /// The provider tries something out with this user.
    Experiment = "experiment":
        "O WhatsApp não entrega este tipo de mensagem a este cliente no momento: fale por outro canal.",
        "WhatsApp does not deliver this kind of message to this customer at present: use another channel.",
        "WhatsApp no entrega este tipo de mensaje a este cliente por ahora: use otro canal.";
    /// Too many messages in all.
    TooFast = "too_fast":
        "O canal está no limite de envios: a mensagem sairá em instantes.",
        "The channel is at its sending limit: the message will leave shortly.",
        "El canal está en su límite de envíos: el mensaje saldrá en instantes.";
    /// Too many messages to one customer.
    TooFastToOne = "too_fast_to_one":
        "Muitas mensagens seguidas para este cliente: a próxima sairá em instantes.",
        "Too many messages in a row to this customer: the next will leave shortly.",
        "Demasiados mensajes seguidos a este cliente: el próximo saldrá en instantes.";
    /// Customers reported the number.
    SpamLimit = "spam_limit":
        "O número atingiu o limite por denúncias de clientes: avise o administrador.",
        "The number is limited because customers reported it: tell the administrator.",
        "El número está limitado por denuncias de clientes: avise al administrador.";
    /// Templates broke the rules too often.
    TemplateViolations = "template_violations":
        "Os modelos da conta violaram as regras e o envio está limitado: avise o administrador.",
        "The account's templates broke the rules and sending is limited: tell the administrator.",
        "Las plantillas de la cuenta violaron las reglas y el envío está limitado: avise al administrador.";
    /// The token is void.
    TokenExpired = "token_expired":
        "A credencial do canal expirou: o administrador precisa renová-la.",
        "The channel's credential has expired: the administrator must renew it.",
        "La credencial del canal venció: el administrador debe renovarla.";
    /// The token may not do this.
    PermissionMissing = "permission_missing":
        "Falta uma permissão à credencial do canal: avise o administrador.",
        "The channel's credential lacks a permission: tell the administrator.",
        "A la credencial del canal le falta un permiso: avise al administrador.";
    /// The account is locked or restricted.
    AccountLocked = "account_locked":
        "A conta do canal foi bloqueada ou restrita pelo provedor: avise o administrador.",
        "The provider has locked or restricted the channel's account: tell the administrator.",
        "El proveedor bloqueó o restringió la cuenta del canal: avise al administrador.";
    /// The bill is not paid.
    Payment = "payment":
        "Há um problema de pagamento na conta do canal: avise o administrador.",
        "There is a payment problem with the channel's account: tell the administrator.",
        "Hay un problema de pago en la cuenta del canal: avise al administrador.";
    /// The number, its name or its certificate is not in order.
    Registration = "registration":
        "O número do canal não está registrado ou aprovado: avise o administrador.",
        "The channel's number is not registered or approved: tell the administrator.",
        "El número del canal no está registrado o aprobado: avise al administrador.";
    /// A setting of the account forbids it.
    Setup = "setup":
        "A configuração do canal não permite este envio: avise o administrador.",
        "The channel's set-up does not allow this: tell the administrator.",
        "La configuración del canal no permite este envío: avise al administrador.";
    /// The same number on both ends.
    SameNumber = "same_number":
        "O destinatário é o próprio número do canal: confira o número do cliente.",
        "The recipient is the channel's own number: check the customer's number.",
        "El destinatario es el propio número del canal: revise el número del cliente.";
    /// The customer's country may not be served.
    Country = "country":
        "O canal não pode enviar mensagens para o país deste cliente: fale por outro canal.",
        "The channel may not send to this customer's country: use another channel.",
        "El canal no puede enviar mensajes al país de este cliente: use otro canal.";
    /// The kind of message is not taken.
    KindRefused = "kind_refused":
        "O canal não aceita este tipo de mensagem: envie de outra forma.",
        "The channel does not take this kind of message: send it in another form.",
        "El canal no acepta este tipo de mensaje: envíelo de otra forma.";
    /// The customer is known by an id only, and this kind needs their telephone.
    PhoneNeeded = "phone_needed":
        "Este tipo de mensagem exige o telefone do cliente: peça o número a ele.",
        "This kind of message needs the customer's telephone: ask them for it.",
        "Este tipo de mensaje exige el teléfono del cliente: pídaselo.";
    /// The customer's device changed: it may be somebody else.
    IdentityChanged = "identity_changed":
        "O cliente trocou de aparelho: confirme quem está falando antes de enviar de novo.",
        "The customer changed device: make sure who it is before sending again.",
        "El cliente cambió de aparato: confirme quién habla antes de enviar de nuevo.";
    /// A file could not be fetched or was not taken.
    File = "file":
        "O arquivo não foi aceito: confira o tipo e o tamanho e envie de novo.",
        "The file was not accepted: check its type and size and send it again.",
        "El archivo no fue aceptado: revise el tipo y el tamaño y envíelo de nuevo.";
    /// The text is longer than the channel takes.
    TooLong = "too_long":
        "A mensagem é longa demais para este canal: divida-a.",
        "The message is too long for this channel: split it.",
        "El mensaje es demasiado largo para este canal: divídalo.";
    /// The message replied or reacted to is gone.
    MessageGone = "message_gone":
        "A mensagem original não existe mais: envie sem citá-la.",
        "The original message is gone: send without quoting it.",
        "El mensaje original ya no existe: envíe sin citarlo.";
    /// The template is unknown in that language.
    TemplateMissing = "template_missing":
        "O modelo não existe nesse idioma: atualize a lista e escolha outro.",
        "The template does not exist in that language: refresh the list and choose another.",
        "La plantilla no existe en ese idioma: actualice la lista y elija otra.";
    /// The values do not fit the template.
    TemplateValues = "template_values":
        "Os campos preenchidos não combinam com o modelo: atualize a lista e preencha de novo.",
        "The values do not fit the template: refresh the list and fill it in again.",
        "Los campos no coinciden con la plantilla: actualice la lista y complétela de nuevo.";
    /// The template is paused, disabled or against the rules.
    TemplateUnusable = "template_unusable":
        "O modelo está pausado ou desativado: escolha outro.",
        "The template is paused or disabled: choose another.",
        "La plantilla está pausada o desactivada: elija otra.";
    /// What was sent is against the rules.
    ContentRefused = "content_refused":
        "O conteúdo foi recusado pelas regras do canal: escreva de outra forma.",
        "The content was refused by the rules of the channel: word it differently.",
        "El contenido fue rechazado por las reglas del canal: escríbalo de otra forma.";
    /// We asked for something wrong.
    OurMistake = "our_mistake":
        "O pedido foi recusado por um erro do sistema: avise o suporte com o código do erro.",
        "The request was refused because of a fault of the system: tell support the error code.",
        "La solicitud fue rechazada por un error del sistema: informe el código a soporte.";
    /// The customer does not allow calls, or a call cannot be made.
    CallRefused = "call_refused":
        "A chamada não pode ser feita agora: peça permissão ao cliente ou tente mais tarde.",
        "The call cannot be made now: ask the customer's permission or try later.",
        "La llamada no puede hacerse ahora: pida permiso al cliente o intente más tarde.";
    /// There is no such mailbox.
    AddressUnknown = "address_unknown":
        "Este endereço de e-mail não existe: confira o endereço ou fale por outro canal.",
        "This e-mail address does not exist: check the address or use another channel.",
        "Esta dirección de correo no existe: revise la dirección o use otro canal.";
    /// The customer's mailbox takes no more.
    MailboxFull = "mailbox_full":
        "A caixa de e-mail do cliente está cheia: fale por outro canal ou tente mais tarde.",
        "The customer's mailbox is full: use another channel or try later.",
        "El buzón del cliente está lleno: use otro canal o intente más tarde.";
    /// The mail server does not know us.
    LoginRefused = "login_refused":
        "O servidor de e-mail recusou o usuário ou a senha do canal: o administrador precisa corrigi-los.",
        "The mail server refused the channel's user or password: the administrator must correct them.",
        "El servidor de correo rechazó el usuario o la contraseña del canal: el administrador debe corregirlos.";
    /// The mail server takes no passwords, or not this one.
    PasswordLoginOff = "password_login_off":
        "O provedor de e-mail não aceita mais esta senha: o administrador precisa conectar a conta por OAuth2.",
        "The mail provider no longer takes this password: the administrator must connect the account by OAuth2.",
        "El proveedor de correo ya no acepta esta contraseña: el administrador debe conectar la cuenta por OAuth2.";
    /// We may not send from that address, or cannot prove that we are of its domain.
    SenderRefused = "sender_refused":
        "O servidor não deixa o canal enviar por este endereço: o administrador precisa conferir remetente, SPF e DKIM.",
        "The server does not let the channel send from this address: the administrator must check sender, SPF and DKIM.",
        "El servidor no deja que el canal envíe desde esta dirección: el administrador debe revisar remitente, SPF y DKIM.";
    /// A program wrote it, to another program or once too often.
    AutomaticNotSent = "automatic_not_sent":
        "A mensagem automática não foi enviada porque o remetente é um programa ou já recebeu uma: responda você mesmo, se for preciso.",
        "The automatic message was not sent because the sender is a program or has had one already: answer yourself, if need be.",
        "El mensaje automático no se envió porque el remitente es un programa o ya recibió uno: responda usted mismo, si hace falta.";
    /// The provider has trouble.
    ProviderAway = "provider_away":
        "O provedor está indisponível: a mensagem será enviada assim que ele voltar.",
        "The provider is unavailable: the message will be sent once it is back.",
        "El proveedor no está disponible: el mensaje se enviará cuando vuelva.";
    /// It may have been sent.
    OutcomeUnknown = "outcome_unknown":
        "Não sabemos se a mensagem chegou: confira com o cliente antes de enviar de novo.",
        "We do not know whether the message arrived: check with the customer before sending again.",
        "No sabemos si el mensaje llegó: confirme con el cliente antes de enviar de nuevo.";
    /// The provider gave a reason that we do not know.
    Unknown = "unknown":
        "O provedor recusou a mensagem: veja o código do erro e avise o suporte.",
        "The provider refused the message: see the error code and tell support.",
        "El proveedor rechazó el mensaje: vea el código del error y avise a soporte.";
}

/// What a log line holds of a stranger's words.
const TEXT_CHARS_MAX: usize = 500;

/// Nobody waits longer than a day on a stranger's word.
const RETRY_AFTER_MS_MAX: u64 = 24 * 3_600_000;

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
    fn what_a_provider_says_is_cut_and_what_it_asks_for_is_capped() {
        let (class, advice) = (FailureClass::Retry, Advice::TooFast);
        let failure = Failure::new(class, advice, "429", &"é".repeat(100_000)).after_ms(u64::MAX);
        assert_eq!(failure.text.chars().count(), 500);
        assert_eq!(failure.retry_after_ms, Some(86_400_000));
        let kept = serde_json::to_string(&Failure::no_answer()).expect("JSON");
        assert_eq!(
            kept,
            r#"{"class":"uncertain","advice":"outcome_unknown","code":"no_answer","text":"no answer came in time"}"#
        );
    }
}
