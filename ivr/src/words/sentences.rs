//! The sentences that ship.

use super::{Word, word};
use crate::Language;

/// All sentences of a language.
pub(super) fn all(language: Language) -> impl Iterator<Item = Word> {
    SENTENCES
        .iter()
        .map(move |sentence| sentence.word(language))
}

/// The sentence of this name.
pub(super) fn named(language: Language, name: &str) -> Option<Word> {
    SENTENCES
        .iter()
        .find(|sentence| sentence.name == name)
        .map(|sentence| sentence.word(language))
}

struct Sentence {
    name: &'static str,
    pt_br: &'static str,
    en: &'static str,
    es: &'static str,
}

impl Sentence {
    fn word(&self, language: Language) -> Word {
        word(
            self.name,
            match language {
                Language::PtBr => self.pt_br,
                Language::En => self.en,
                Language::Es => self.es,
            },
        )
    }
}

const SENTENCES: [Sentence; 26] = [
    Sentence {
        name: "sentences/welcome",
        pt_br: "Olá! Obrigado por ligar.",
        en: "Hello! Thank you for calling.",
        es: "¡Hola! Gracias por llamar.",
    },
    Sentence {
        name: "sentences/invalid-key",
        pt_br: "Opção inválida.",
        en: "That is not a valid option.",
        es: "Opción no válida.",
    },
    Sentence {
        name: "sentences/no-input",
        pt_br: "Não recebemos nenhuma opção.",
        en: "We did not receive an option.",
        es: "No recibimos ninguna opción.",
    },
    Sentence {
        name: "sentences/closed",
        pt_br: "No momento não estamos atendendo. Por favor, ligue em nosso horário de atendimento.",
        en: "We are closed at the moment. Please call again during our opening hours.",
        es: "En este momento no estamos atendiendo. Por favor, llame en nuestro horario de atención.",
    },
    Sentence {
        name: "sentences/unanswered",
        pt_br: "Não foi possível atender a sua ligação. Por favor, ligue mais tarde.",
        en: "We could not take your call. Please call again later.",
        es: "No fue posible atender su llamada. Por favor, llame más tarde.",
    },
    Sentence {
        name: "sentences/callback-offer",
        pt_br: "Para receber uma ligação de volta, sem perder o seu lugar na fila, digite",
        en: "To be called back without losing your place in line, press",
        es: "Para que le devolvamos la llamada sin perder su lugar en la fila, marque",
    },
    Sentence {
        name: "sentences/callback-number",
        pt_br: "Vamos ligar para o número",
        en: "We will call the number",
        es: "Llamaremos al número",
    },
    Sentence {
        name: "sentences/callback-confirm",
        pt_br: "Para confirmar, digite um. Para informar outro número, digite dois. Para continuar na linha, digite estrela.",
        en: "To confirm, press one. To enter another number, press two. To stay on the line, press star.",
        es: "Para confirmar, marque uno. Para indicar otro número, marque dos. Para seguir en la línea, marque asterisco.",
    },
    Sentence {
        name: "sentences/callback-type",
        pt_br: "Digite o número com o DDD e, em seguida, sustenido. Para continuar na linha, digite estrela.",
        en: "Enter the number with its area code, then press pound. To stay on the line, press star.",
        es: "Marque el número con el código de área y, a continuación, numeral. Para seguir en la línea, marque asterisco.",
    },
    Sentence {
        name: "sentences/callback-invalid",
        pt_br: "Não podemos ligar para este número.",
        en: "We cannot call this number.",
        es: "No podemos llamar a este número.",
    },
    Sentence {
        name: "sentences/callback-promised",
        pt_br: "Combinado. Seu lugar na fila está guardado, e ligaremos quando chegar a sua vez. Até logo.",
        en: "Agreed. Your place in line is kept, and we will call you when it is your turn. Goodbye.",
        es: "De acuerdo. Su lugar en la fila queda guardado, y le llamaremos cuando llegue su turno. Hasta luego.",
    },
    Sentence {
        name: "sentences/please-wait",
        pt_br: "Por favor, aguarde.",
        en: "Please hold.",
        es: "Por favor, espere.",
    },
    Sentence {
        name: "sentences/all-agents-busy",
        pt_br: "Todos os nossos atendentes estão ocupados. Por favor, aguarde na linha.",
        en: "All of our agents are busy. Please stay on the line.",
        es: "Todos nuestros agentes están ocupados. Por favor, permanezca en la línea.",
    },
    Sentence {
        name: "sentences/transferring",
        pt_br: "Estamos transferindo a sua ligação.",
        en: "We are transferring your call.",
        es: "Estamos transfiriendo su llamada.",
    },
    Sentence {
        name: "sentences/number-busy",
        pt_br: "O número está ocupado.",
        en: "The number is busy.",
        es: "El número está ocupado.",
    },
    Sentence {
        name: "sentences/no-answer",
        pt_br: "Ninguém atendeu.",
        en: "Nobody answered.",
        es: "Nadie contestó.",
    },
    Sentence {
        name: "sentences/technical-failure",
        pt_br: "Desculpe, ocorreu um problema. Por favor, ligue mais tarde.",
        en: "We are sorry, something went wrong. Please call again later.",
        es: "Lo sentimos, ocurrió un problema. Por favor, llame más tarde.",
    },
    Sentence {
        name: "sentences/leave-message",
        pt_br: "Deixe a sua mensagem após o sinal.",
        en: "Please leave your message after the tone.",
        es: "Deje su mensaje después de la señal.",
    },
    Sentence {
        name: "sentences/message-kept",
        pt_br: "A sua mensagem foi gravada.",
        en: "Your message has been recorded.",
        es: "Su mensaje ha sido grabado.",
    },
    Sentence {
        name: "sentences/your-protocol-is",
        pt_br: "O número do seu protocolo é",
        en: "Your reference number is",
        es: "Su número de protocolo es",
    },
    Sentence {
        name: "sentences/call-recorded",
        pt_br: "Esta ligação poderá ser gravada.",
        en: "This call may be recorded.",
        es: "Esta llamada puede ser grabada.",
    },
    Sentence {
        name: "sentences/goodbye",
        pt_br: "Obrigado por ligar. Até logo.",
        en: "Thank you for calling. Goodbye.",
        es: "Gracias por llamar. Hasta luego.",
    },
    Sentence {
        name: "queue/you-are",
        pt_br: "Você é o",
        en: "You are the",
        es: "Usted es el",
    },
    Sentence {
        name: "queue/you-are-number",
        pt_br: "Você é o número",
        en: "You are number",
        es: "Usted es el número",
    },
    Sentence {
        name: "queue/in-line",
        pt_br: "da fila.",
        en: "in line.",
        es: "de la fila.",
    },
    Sentence {
        name: "queue/wait-is",
        pt_br: "O tempo estimado de espera é de",
        en: "The estimated waiting time is",
        es: "El tiempo estimado de espera es de",
    },
];
