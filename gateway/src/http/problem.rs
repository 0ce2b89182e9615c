//! What is answered when something is refused: a word for programs, a sentence for people.

use axum::Json;
use axum::extract::rejection::{BytesRejection, JsonRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ivr::validate;
use serde::Serialize;

use super::findings::{Finding, shown};

/// Why a request was refused. It becomes a [`ProblemBody`] in the language of the asker.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    code: &'static str,
    field: Option<String>,
    detail: Option<String>,
    findings: Option<Vec<validate::Finding>>,
    retry_after_s: Option<u64>,
}

/// The body of every refusal.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Problem, example = json!({"code": "not_found", "message": "Isto não existe aqui."}))]
pub(super) struct ProblemBody {
    /// A word that stays the same.
    code: &'static str,
    /// A sentence for people, in the language of Accept-Language (pt-BR, en, es).
    message: &'static str,
    /// The field at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// The particulars, for whoever wrote the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// What is wrong with a flow or a calendar, and where.
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<Vec<Finding>>,
}

/// The languages that people are answered in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tongue {
    Portuguese,
    English,
    Spanish,
}

impl Tongue {
    /// The first of ours in Accept-Language; Portuguese is home.
    pub(super) fn of(header: Option<&HeaderValue>) -> Self {
        let wanted = header
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        wanted
            .split(',')
            .find_map(
                |part| match part.trim().get(..2).map(str::to_ascii_lowercase)?.as_str() {
                    "pt" => Some(Self::Portuguese),
                    "en" => Some(Self::English),
                    "es" => Some(Self::Spanish),
                    _ => None,
                },
            )
            .unwrap_or(Self::Portuguese)
    }
}

impl Problem {
    fn new(status: StatusCode, code: &'static str) -> Self {
        Self {
            status,
            code,
            field: None,
            detail: None,
            findings: None,
            retry_after_s: None,
        }
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found")
    }

    pub(super) fn method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")
    }

    pub(super) fn anonymous() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized")
    }

    pub(super) fn bad_login() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "bad_login")
    }

    /// The password was right, and is not enough.
    pub(super) fn second_factor(code: &'static str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code)
    }

    pub(super) fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden")
    }

    pub(super) fn csrf() -> Self {
        Self::new(StatusCode::FORBIDDEN, "csrf")
    }

    pub(super) fn conflict(code: &'static str) -> Self {
        Self::new(StatusCode::CONFLICT, code)
    }

    pub(super) fn malformed(code: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code)
    }

    pub(super) fn company_missing() -> Self {
        Self::malformed("company_missing").at("company")
    }

    /// A field holds something that cannot be taken.
    pub(super) fn field(field: &str, code: &'static str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code).at(field)
    }

    pub(super) fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large")
    }

    pub(super) fn too_many(retry_after_s: u64) -> Self {
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts");
        Self {
            retry_after_s: Some(retry_after_s),
            ..problem
        }
    }

    pub(super) fn timed_out() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "timed_out")
    }

    /// As many are here as there is room for.
    pub(super) fn crowded() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "crowded")
    }

    /// The word that stays the same.
    pub(super) fn code(&self) -> &'static str {
        self.code
    }

    /// The field at fault.
    pub(super) fn at_field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// To be asked again no sooner than so many seconds from now.
    pub(super) fn retry_after(self, seconds: u64) -> Self {
        Self {
            retry_after_s: Some(seconds),
            ..self
        }
    }

    /// Whether it is by our fault.
    pub(super) fn is_ours(&self) -> bool {
        self.status.is_server_error()
    }

    /// Something of ours is away; the cause goes to the log and not on the wire.
    pub(super) fn unavailable(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = cause, "a request failed by our fault");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable")
    }

    /// What was to be deleted may be in use.
    pub(super) fn of_delete(error: store::Error) -> Self {
        match error {
            store::Error::Reference => Self::conflict("in_use"),
            store::Error::Taken
            | store::Error::Storage(_)
            | store::Error::Migration(_)
            | store::Error::Address { .. } => error.into(),
        }
    }

    pub(super) fn at(self, field: &str) -> Self {
        Self {
            field: Some(field.to_owned()),
            ..self
        }
    }

    pub(super) fn because(self, detail: impl ToString) -> Self {
        Self {
            detail: Some(detail.to_string()),
            ..self
        }
    }

    pub(super) fn with_findings(self, findings: Vec<validate::Finding>) -> Self {
        Self {
            findings: Some(findings),
            ..self
        }
    }

    /// The answer, in `tongue`.
    pub(super) fn answer(self, tongue: Tongue) -> Response {
        let body = ProblemBody {
            code: self.code,
            message: sentence(self.code, tongue),
            field: self.field,
            detail: self.detail,
            findings: self.findings.map(|findings| shown(&findings, tongue)),
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl IntoResponse for Problem {
    /// In Portuguese; the outermost layer has the request, and says it in its language.
    fn into_response(self) -> Response {
        let mut response = self.clone().answer(Tongue::Portuguese);
        response.extensions_mut().insert(self);
        response
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Taken => Self::conflict("taken"),
            store::Error::Reference => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "reference"),
            store::Error::Storage(_)
            | store::Error::Migration(_)
            | store::Error::Address { .. } => Self::unavailable(&error),
        }
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        match &rejection {
            JsonRejection::JsonDataError(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid")
                    .because(rejection.body_text())
            }
            JsonRejection::BytesRejection(_)
                if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE =>
            {
                Self::too_large()
            }
            JsonRejection::MissingJsonContentType(_) => {
                Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json")
            }
            // The last is what axum may add to its list.
            JsonRejection::JsonSyntaxError(_) | JsonRejection::BytesRejection(_) | _ => {
                Self::malformed("malformed").because(rejection.body_text())
            }
        }
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Self::too_large()
        } else {
            Self::malformed("malformed")
        }
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::malformed("malformed").because(rejection.body_text())
    }
}

fn sentence(code: &str, tongue: Tongue) -> &'static str {
    let known = SENTENCES.iter().find(|(known, ..)| *known == code);
    let (_, portuguese, english, spanish) = known.unwrap_or(&UNKNOWN);
    match tongue {
        Tongue::Portuguese => portuguese,
        Tongue::English => english,
        Tongue::Spanish => spanish,
    }
}

type Sentence = (&'static str, &'static str, &'static str, &'static str);

const UNKNOWN: Sentence = (
    "",
    "Este pedido foi recusado.",
    "This request was refused.",
    "Esta solicitud fue rechazada.",
);

#[rustfmt::skip]
const SENTENCES: &[Sentence] = &[
    ("not_found", "Isto não existe aqui.", "There is no such thing here.", "Esto no existe aquí."),
    ("method_not_allowed", "Este endereço não aceita este método.", "This address does not take this method.", "Esta dirección no acepta este método."),
    ("unauthorized", "É preciso entrar, ou enviar uma chave de API válida.", "Log in, or send a valid API key.", "Hay que iniciar sesión o enviar una clave de API válida."),
    ("second_factor_required", "Informe o código do aplicativo autenticador, ou um dos códigos de recuperação.", "Give the code of the authenticator app, or one of the recovery codes.", "Indique el código de la aplicación de autenticación, o uno de los códigos de recuperación."),
    ("second_factor_wrong", "Este código não vale, ou já foi usado. Espere o próximo e tente de novo.", "This code does not count, or was used already. Wait for the next one and try again.", "Este código no vale, o ya se usó. Espere el siguiente e intente de nuevo."),
    ("second_factor_set", "A verificação em duas etapas já está ativa.", "The second factor is set already.", "La verificación en dos pasos ya está activa."),
    ("bad_login", "E-mail ou senha incorretos.", "Wrong e-mail address or password.", "Correo o contraseña incorrectos."),
    ("forbidden", "Você não tem permissão para isto.", "You may not do this.", "No tiene permiso para esto."),
    ("csrf", "Falta o cabeçalho X-CSRF-Token desta sessão.", "The X-CSRF-Token header of this session is missing.", "Falta el encabezado X-CSRF-Token de esta sesión."),
    ("taken", "Já existe um com este nome, número ou endereço.", "One with this name, number or address exists already.", "Ya existe uno con este nombre, número o dirección."),
    ("reference", "O pedido se refere a algo que não existe nesta empresa.", "The request refers to something that this company does not have.", "La solicitud se refiere a algo que no existe en esta empresa."),
    ("key_reused", "Outra mensagem já foi recebida com este identificador.", "Another message was received under this id already.", "Ya se recibió otro mensaje con este identificador."),
    ("provider_away", "O provedor não respondeu como devia.", "The provider did not answer as it should.", "El proveedor no respondió como debía."),
    ("marketing_stopped", "Este contato não quer receber ofertas.", "This contact does not want offers.", "Este contacto no quiere recibir ofertas."),
    ("unknown_name", "O texto tem um nome entre chaves que não existe.", "The text has a name in braces that does not exist.", "El texto tiene un nombre entre llaves que no existe."),
    ("blocked", "Este contato está bloqueado.", "This contact is blocked.", "Este contacto está bloqueado."),
    ("window_closed", "A janela de resposta está fechada: envie um modelo aprovado.", "The reply window is closed: send an approved template.", "La ventana de respuesta está cerrada: envíe una plantilla aprobada."),
    ("not_set_up", "O canal não está configurado por completo.", "The channel is not completely set up.", "El canal no está configurado por completo."),
    ("required", "Este campo precisa ser preenchido.", "This field must be filled in.", "Este campo debe completarse."),
    ("password_login", "Este canal entra com senha; não há conta a conectar.", "This channel logs in by a password; there is no account to connect.", "Este canal entra con contraseña; no hay cuenta que conectar."),
    ("not_registered", "Esta instalação ainda não foi registrada neste provedor: fale com quem a opera.", "This installation is not registered at this provider yet: talk to whoever runs it.", "Esta instalación aún no está registrada en este proveedor: hable con quien la opera."),
    ("not_authorised", "A conta de e-mail ainda não foi conectada, ou o acesso foi retirado: conecte-a.", "The mail account is not connected, or access was withdrawn: connect it.", "La cuenta de correo aún no está conectada, o se retiró el acceso: conéctela."),
    ("empty", "Falta um texto: preencha-o.", "A text is missing: fill it in.", "Falta un texto: complételo."),
    ("too_long", "O texto é longo demais para este canal: encurte-o.", "The text is too long for this channel: shorten it.", "El texto es demasiado largo para este canal: acórtelo."),
    ("file_type", "O canal não aceita arquivos deste tipo: converta o arquivo.", "The channel takes no files of this type: convert the file.", "El canal no acepta archivos de este tipo: convierta el archivo."),
    ("file_too_large", "O arquivo é grande demais para este canal: reduza-o.", "The file is too large for this channel: make it smaller.", "El archivo es demasiado grande para este canal: redúzcalo."),
    ("address", "O canal não conhece o cliente por um endereço que sirva.", "The channel does not know the customer by an address that serves.", "El canal no conoce al cliente por una dirección que sirva."),
    ("unsupported", "Este canal não aceita este tipo de mensagem.", "This channel does not take this kind of message.", "Este canal no acepta este tipo de mensaje."),
    ("no_bot", "Nenhum robô está com este atendimento.", "No bot has this interaction.", "Ningún bot tiene esta atención."),
    ("not_failed", "Esta mensagem não falhou: já foi entregue ou está a caminho.", "This message has not failed: it was delivered or is on its way.", "Este mensaje no falló: ya fue entregado o está en camino."),
    ("not_open", "Este atendimento já terminou, ou não é escrito.", "This interaction is over, or is not a written one.", "Esta atención ya terminó, o no es escrita."),
    ("invalid_client_id", "O identificador tem de 1 a 64 caracteres, sem espaços.", "The id has 1 to 64 characters and no spaces.", "El identificador tiene de 1 a 64 caracteres, sin espacios."),
    ("invalid_text", "O texto está vazio ou é longo demais.", "The text is empty or too long.", "El texto está vacío o es demasiado largo."),
    ("invalid_webhook", "Um webhook é um endereço http:// ou https://.", "A webhook is an address with http:// or https://.", "Un webhook es una dirección http:// o https://."),
    ("too_many", "Há tantos quantos pode haver.", "There are as many as there can be.", "Hay tantos como puede haber."),
    ("in_use", "Está em uso e não pode ser excluído.", "It is in use and cannot be deleted.", "Está en uso y no se puede eliminar."),
    ("revision", "Outra pessoa mudou o rascunho; leia-o de novo.", "Somebody else changed the draft; read it again.", "Otra persona cambió el borrador; léalo de nuevo."),
    ("is_published", "O áudio já está publicado; crie outro para mudar o que é dito.", "The prompt is published; make another one to change what is said.", "El audio ya está publicado; cree otro para cambiar lo que se dice."),
    ("not_ready", "Ainda não há som para publicar.", "There is no sound to publish yet.", "Todavía no hay sonido para publicar."),
    ("findings", "Há erros a corrigir antes; veja a lista.", "There are errors to mend first; see the list.", "Hay errores que corregir antes; vea la lista."),
    ("not_simple", "Este fluxo não tem a forma simples.", "This flow does not have the simple form.", "Este flujo no tiene la forma simple."),
    ("yourself", "Você não pode fazer isto consigo mesmo.", "You cannot do this to yourself.", "No puede hacer esto consigo mismo."),
    ("invalid_reason", "Uma pausa tem um motivo conhecido; o resto não tem motivo.", "A pause has a known reason; nothing else has one.", "Una pausa tiene un motivo conocido; lo demás no tiene motivo."),
    ("offer_over", "A oferta já terminou.", "The offer has ended.", "La oferta ya terminó."),
    ("invalid_disposition", "A tabulação não está completa ou não existe.", "The disposition is not complete, or there is none such.", "La tipificación no está completa o no existe."),
    ("invalid_rules", "Estas regras não podem funcionar.", "These rules cannot work.", "Estas reglas no pueden funcionar."),
    ("invalid_key", "Uma tecla é um dígito, * ou #.", "A key is a digit, * or #.", "Una tecla es un dígito, * o #."),
    ("not_now", "Isto não é possível neste momento.", "This is not possible at the moment.", "Esto no es posible en este momento."),
    ("away", "Esta pessoa não está disponível agora: escolha outra, ou um serviço.", "This person is not available now: choose another, or a service.", "Esta persona no está disponible ahora: elija otra, o un servicio."),
    ("full", "A fila deste serviço está cheia: escolha outro.", "The line of this service is full: choose another.", "La cola de este servicio está llena: elija otro."),
    ("nobody_there", "Nenhum ramal ou número com este nome: confira e tente de novo.", "No extension or number of that name: check it and try again.", "Ningún interno o número con ese nombre: revíselo e intente de nuevo."),
    ("not_dialled", "Este número não pode ser chamado.", "This number cannot be called.", "No se puede llamar a este número."),
    ("company_missing", "Diga a empresa: ?company=…", "Name the company: ?company=…", "Indique la empresa: ?company=…"),
    ("malformed", "O pedido não pôde ser lido.", "The request could not be read.", "No se pudo leer la solicitud."),
    ("not_json", "O corpo deve ser application/json.", "The body must be application/json.", "El cuerpo debe ser application/json."),
    ("invalid", "O corpo não tem a forma esperada.", "The body does not have the expected form.", "El cuerpo no tiene la forma esperada."),
    ("invalid_name", "O nome deve ter de 1 a 100 caracteres.", "The name must have 1 to 100 characters.", "El nombre debe tener de 1 a 100 caracteres."),
    ("invalid_email", "Isto não é um endereço de e-mail.", "This is not an e-mail address.", "Esto no es una dirección de correo."),
    ("invalid_password", "A senha deve ter de 12 a 200 caracteres.", "The password must have 12 to 200 characters.", "La contraseña debe tener de 12 a 200 caracteres."),
    ("invalid_number", "Um número é +55… (E.164) ou um ramal só de dígitos.", "A number is +55… (E.164) or an extension of digits.", "Un número es +55… (E.164) o un interno de dígitos."),
    ("invalid_area", "Este DDD não existe.", "There is no such area code.", "Este código de área no existe."),
    ("invalid_caller_number", "Um número tem '+' e dígitos, ou só dígitos.", "A number is '+' and digits, or digits.", "Un número tiene '+' y dígitos, o solo dígitos."),
    ("invalid_prefix", "Um prefixo é '+' e dígitos, com X no lugar de qualquer dígito; o que se libera diz o país.", "A prefix is '+' and digits, X being any digit; what is allowed names a country.", "Un prefijo es '+' y dígitos, con X como cualquier dígito; lo que se permite dice el país."),
    ("invalid_time_of_day", "Uma hora é como 22:00.", "A time of day is like 22:00.", "Una hora es como 22:00."),
    ("invalid_operator", "O código da operadora tem dois dígitos e só existe na discagem nacional.", "An operator code has two digits and stands in national dialling only.", "El código de operadora tiene dos dígitos y solo existe en la marcación nacional."),
    ("invalid_username", "O usuário deve ter de 1 a 64 letras, dígitos, '-', '_' ou '.'.", "The user name must have 1 to 64 letters, digits, '-', '_' or '.'.", "El usuario debe tener de 1 a 64 letras, dígitos, '-', '_' o '.'."),
    ("invalid_time_zone", "Este fuso horário não existe.", "There is no such time zone.", "Esta zona horaria no existe."),
    ("invalid_language", "As línguas são pt-BR, en e es.", "The languages are pt-BR, en and es.", "Los idiomas son pt-BR, en y es."),
    ("invalid_time", "Um instante é como 2026-11-22T14:30:00-03:00, ou milissegundos desde 1970.", "A moment is like 2026-11-22T14:30:00-03:00, or milliseconds since 1970.", "Un instante es como 2026-11-22T14:30:00-03:00, o milisegundos desde 1970."),
    ("invalid_trunk", "Esta configuração do tronco não serve.", "These settings of the trunk cannot be used.", "Esta configuración de la troncal no sirve."),
    ("network_too_wide", "Uma rede tão larga só pode ser liberada pelo administrador da instalação.", "Only an administrator of the installation may allow so wide a network.", "Solo un administrador de la instalación puede permitir una red tan amplia."),
    ("invalid_hours", "Estes horários não puderam ser lidos.", "These hours could not be read.", "Estos horarios no se pudieron leer."),
    ("invalid_flow", "Este fluxo não pôde ser lido.", "This flow could not be read.", "Este flujo no se pudo leer."),
    ("invalid_scope", "Os escopos são read, write e admin.", "The scopes are read, write and admin.", "Los alcances son read, write y admin."),
    ("invalid_phone", "Isto não é um número de telefone.", "This is not a telephone number.", "Esto no es un número de teléfono."),
    ("invalid_cpf", "Este CPF não existe.", "There is no such CPF.", "Este CPF no existe."),
    ("invalid_cnpj", "Este CNPJ não existe.", "There is no such CNPJ.", "Este CNPJ no existe."),
    ("invalid_identity", "Este identificador não serve.", "This identifier cannot be used.", "Este identificador no sirve."),
    ("invalid_identity_scope", "Este tipo de identificador pede um escopo, ou não tem nenhum.", "This kind of identifier needs a scope, or has none.", "Este tipo de identificador pide un alcance, o no tiene ninguno."),
    ("invalid_table", "Esta tabela não pôde ser lida.", "This table could not be read.", "No se pudo leer esta tabla."),
    ("contact_closed", "Este contato foi unificado com outro ou anonimizado.", "This contact was merged into another or anonymised.", "Este contacto fue unificado con otro o anonimizado."),
    ("contact_open", "Há um atendimento aberto deste contato.", "Something of this contact is still open.", "Hay una atención abierta de este contacto."),
    ("not_mergeable", "Estes contatos não podem ser unificados ou separados agora.", "These contacts cannot be merged or parted now.", "Estos contactos no se pueden unificar o separar ahora."),
    ("out_of_range", "Este valor está fora do intervalo permitido.", "This value is out of range.", "Este valor está fuera del intervalo permitido."),
    ("too_large", "O corpo é grande demais.", "The body is too large.", "El cuerpo es demasiado grande."),
    ("too_many_files", "O canal não leva tantos arquivos em uma mensagem.", "The channel does not carry so many files in one message.", "El canal no lleva tantos archivos en un mensaje."),
    ("too_many_attempts", "Tentativas demais; espere um pouco.", "Too many attempts; wait a little.", "Demasiados intentos; espere un poco."),
    ("timed_out", "O pedido demorou demais.", "The request took too long.", "La solicitud tardó demasiado."),
    ("crowded", "Não há lugar para mais ninguém agora.", "There is no room for anybody else now.", "No hay lugar para nadie más ahora."),
    ("unavailable", "O serviço está indisponível no momento.", "The service is unavailable at the moment.", "El servicio no está disponible por el momento."),
    ("file_missing", "Falta o arquivo: um campo `file`.", "The file is missing: a field `file`.", "Falta el archivo: un campo `file`."),
    ("program", "Programas não são aceitos.", "Programs are not accepted.", "No se aceptan programas."),
    ("audio_empty", "O arquivo não contém áudio.", "The file holds no audio.", "El archivo no contiene audio."),
    ("audio_too_large", "O arquivo é grande demais.", "The file is too large.", "El archivo es demasiado grande."),
    ("audio_too_long", "O áudio é longo demais.", "The audio is too long.", "El audio es demasiado largo."),
    ("audio_unknown_kind", "O arquivo não é mp3, wav, flac nem ogg.", "The file is neither mp3, wav, flac nor ogg.", "El archivo no es mp3, wav, flac ni ogg."),
    ("audio_unsupported", "Este tipo de áudio não é aceito.", "This kind of audio is not supported.", "Este tipo de audio no se acepta."),
    ("audio_rate", "A taxa de amostragem do áudio não é aceita.", "The sample rate of the audio is not supported.", "La frecuencia de muestreo del audio no se acepta."),
    ("audio_channels", "O número de canais do áudio não é aceito.", "The number of channels of the audio is not supported.", "El número de canales del audio no se acepta."),
    ("audio_truncated", "O arquivo está incompleto: o envio foi interrompido.", "The file is incomplete: its upload broke off.", "El archivo está incompleto: el envío se interrumpió."),
    ("audio_damaged", "O arquivo está danificado.", "The file is damaged.", "El archivo está dañado."),
    ("audio_silent", "Não se ouve nada neste arquivo.", "Nothing can be heard in this file.", "No se oye nada en este archivo."),
    ("voice_text", "O texto deve ter de 1 a 4000 bytes.", "The text must have 1 to 4000 bytes.", "El texto debe tener de 1 a 4000 bytes."),
    ("voice_speed", "A velocidade deve ser de 50 a 200 %.", "The speed must be from 50 to 200 %.", "La velocidad debe ser de 50 a 200 %."),
    ("voice_unknown", "Esta voz não existe aqui.", "There is no such voice here.", "Esta voz no existe aquí."),
    ("voice_engine", "A voz não conseguiu falar agora.", "The voice could not speak now.", "La voz no pudo hablar ahora."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_answered_in_the_first_of_our_languages_that_they_read() {
        let of = |text: &'static str| Tongue::of(Some(&HeaderValue::from_static(text)));
        assert_eq!(of("fr-FR, en;q=0.8, pt;q=0.5"), Tongue::English);
        assert_eq!(of("es-AR"), Tongue::Spanish);
        assert_eq!(of("*"), Tongue::Portuguese);
        assert_eq!(Tongue::of(None), Tongue::Portuguese);
    }
}
