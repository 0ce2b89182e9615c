// Everything the widget says, in its three languages.

import { type Language, languageOf, type Texts } from "./config.ts";

const PT = {
  open: "Abrir o chat",
  close: "Fechar o chat",
  chat: "Chat",
  chatWith: (company: string) => `Chat com ${company}`,
  newMessages: (count: number) => (count === 1 ? "1 mensagem nova" : `${count} mensagens novas`),
  dismiss: "Dispensar",
  greeting: "Olá! Como podemos ajudar?",
  menu: "Opções da conversa",
  online: "Online agora",
  away: "Fora do horário de atendimento",
  backAt: (when: string) => `Voltamos ${when}`,
  assistant: "Assistente virtual",
  inLine: (place: number) => `Você é o ${place}º da fila`,
  waiting: "Procurando um atendente para você",
  waitAbout: (minutes: number) =>
    minutes <= 1 ? "Cerca de 1 minuto de espera" : `Cerca de ${minutes} minutos de espera`,
  waitService: (service: string) => `Fila: ${service}`,
  talkingTo: (name: string) => `Você está falando com ${name}`,
  typing: (name: string) => `${name} está digitando`,
  someone: "Atendente",
  you: "Você",
  wrote: (name: string, text: string) => `${name}: ${text}`,
  loading: "Abrindo a conversa",
  offline: "Sem conexão. O que você escrever será enviado quando ela voltar.",
  over: {
    blocked: "Esta conversa não está mais disponível.",
    channel: "O chat não está disponível no momento.",
    origin: "O chat não está disponível nesta página.",
    replaced: "O chat foi aberto em outras abas. Volte a esta aba para continuar aqui.",
    version: "O chat foi atualizado. Recarregue a página.",
    token: "Não foi possível abrir o chat neste navegador.",
  } as Record<string, string>,
  conversation: "Mensagens",
  older: "Mensagens anteriores",
  today: "Hoje",
  yesterday: "Ontem",
  protocol: (number: string) => `Protocolo ${number}`,
  newMatter: "Novo atendimento",
  toEnd: "Ir para a última mensagem",
  write: "Escreva uma mensagem",
  writeNew: "Escreva para começar",
  send: "Enviar",
  attach: "Anexar arquivo",
  remove: (name: string) => `Remover ${name}`,
  dropHere: "Solte o arquivo aqui",
  charactersLeft: (count: number) =>
    count === 1 ? "Resta 1 caractere" : `Restam ${count} caracteres`,
  charactersOver: (count: number) =>
    count === 1 ? "1 caractere a mais" : `${count} caracteres a mais`,
  status: {
    queued: "Aguardando envio",
    uploading: "Enviando arquivo",
    sent: "Enviando",
    kept: "Enviada",
    read: "Lida",
    failed: "Não enviada",
  },
  retry: "Tentar de novo",
  cancel: "Cancelar",
  discard: "Apagar",
  file: "Arquivo",
  image: "Imagem",
  download: (name: string) => `Baixar ${name}`,
  openImage: (name: string) => `Abrir a imagem ${name}`,
  location: "Localização",
  openMap: "Abrir no mapa",
  unsupported: "Mensagem que este chat não mostra",
  options: "Opções de resposta",
  form: {
    intro: "Conte um pouco sobre você para começarmos.",
    introAway: "Deixe sua mensagem e um e-mail: respondemos assim que voltarmos.",
    name: "Nome",
    email: "E-mail",
    phone: "Telefone",
    service: "Assunto",
    message: "Como podemos ajudar?",
    optional: "opcional",
    consentMore: "Ler a política de privacidade",
    start: "Iniciar conversa",
    wrong: "Confira os campos marcados.",
  },
  wrong: {
    name: "Escreva seu nome.",
    email: "Escreva um e-mail, como ana@exemplo.com.br.",
    phone: "Escreva um telefone com DDD.",
    service: "Escolha um assunto.",
    message: "Escreva uma mensagem.",
    consent: "É preciso concordar para conversar.",
  } as Record<string, string>,
  failure: {
    too_large: "O arquivo é grande demais.",
    file_type: "Este tipo de arquivo não é aceito.",
    upload: "O arquivo não está mais disponível. Anexe de novo.",
    form_needed: "Comece a conversa com uma mensagem de texto.",
    invalid: "A mensagem não foi aceita.",
  } as Record<string, string>,
  failed: "A mensagem não foi aceita.",
  tooLarge: (name: string, most: string) => `${name} passa do limite de ${most}.`,
  tooMany: (most: number) => `No máximo ${most} arquivos por vez.`,
  ended: "Atendimento encerrado",
  endedThanks: "Obrigado por falar com a gente.",
  startAgain: "Nova conversa",
  survey: {
    title: "Como foi o atendimento?",
    send: "Enviar avaliação",
    skip: "Agora não",
    required: "Responda para enviar.",
    thanks: "Obrigado pela avaliação!",
    star: (count: number) => (count === 1 ? "1 estrela" : `${count} estrelas`),
    least: "Nada provável",
    most: "Muito provável",
  },
  end: "Encerrar conversa",
  endQuestion: "Encerrar esta conversa?",
  endExplain: "Você pode começar outra quando quiser.",
  transcript: "Receber por e-mail",
  transcriptExplain: "Enviamos uma cópia desta conversa para o seu e-mail.",
  transcriptSent: "A cópia da conversa está a caminho.",
  transcriptSend: "Enviar cópia",
  soundOn: "Ligar o som",
  soundOff: "Desligar o som",
  language: "Idioma",
};

/** The words of a language. */
export type Words = typeof PT;

const EN: Words = {
  open: "Open chat",
  close: "Close chat",
  chat: "Chat",
  chatWith: (company) => `Chat with ${company}`,
  newMessages: (count) => (count === 1 ? "1 new message" : `${count} new messages`),
  dismiss: "Dismiss",
  greeting: "Hello! How can we help?",
  menu: "Conversation options",
  online: "Online now",
  away: "Outside opening hours",
  backAt: (when) => `Back ${when}`,
  assistant: "Virtual assistant",
  inLine: (place) => `You are number ${place} in line`,
  waiting: "Finding someone to help you",
  waitAbout: (minutes) =>
    minutes <= 1 ? "About 1 minute to wait" : `About ${minutes} minutes to wait`,
  waitService: (service) => `Line: ${service}`,
  talkingTo: (name) => `You are talking to ${name}`,
  typing: (name) => `${name} is typing`,
  someone: "Agent",
  you: "You",
  wrote: (name, text) => `${name}: ${text}`,
  loading: "Opening the conversation",
  offline: "No connection. What you write will be sent when it is back.",
  over: {
    blocked: "This conversation is no longer available.",
    channel: "The chat is not available right now.",
    origin: "The chat is not available on this page.",
    replaced: "The chat was opened in other tabs. Come back to this tab to go on here.",
    version: "The chat was updated. Reload the page.",
    token: "The chat could not be opened in this browser.",
  },
  conversation: "Messages",
  older: "Earlier messages",
  today: "Today",
  yesterday: "Yesterday",
  protocol: (number) => `Case number ${number}`,
  newMatter: "New conversation",
  toEnd: "Go to the latest message",
  write: "Write a message",
  writeNew: "Write to begin",
  send: "Send",
  attach: "Attach a file",
  remove: (name) => `Remove ${name}`,
  dropHere: "Drop the file here",
  charactersLeft: (count) => (count === 1 ? "1 character left" : `${count} characters left`),
  charactersOver: (count) =>
    count === 1 ? "1 character too many" : `${count} characters too many`,
  status: {
    queued: "Waiting to be sent",
    uploading: "Uploading",
    sent: "Sending",
    kept: "Sent",
    read: "Read",
    failed: "Not sent",
  },
  retry: "Try again",
  cancel: "Cancel",
  discard: "Delete",
  file: "File",
  image: "Image",
  download: (name) => `Download ${name}`,
  openImage: (name) => `Open the image ${name}`,
  location: "Location",
  openMap: "Open the map",
  unsupported: "A message that this chat cannot show",
  options: "Answers to choose from",
  form: {
    intro: "Tell us a little about yourself to get started.",
    introAway: "Leave a message and an e-mail address: we will answer when we are back.",
    name: "Name",
    email: "E-mail",
    phone: "Phone",
    service: "Subject",
    message: "How can we help?",
    optional: "optional",
    consentMore: "Read the privacy policy",
    start: "Start conversation",
    wrong: "Please check the marked fields.",
  },
  wrong: {
    name: "Enter your name.",
    email: "Enter an e-mail address, such as ana@example.com.",
    phone: "Enter a phone number with its area code.",
    service: "Choose a subject.",
    message: "Write a message.",
    consent: "You need to agree in order to chat.",
  },
  failure: {
    too_large: "The file is too large.",
    file_type: "Files of this type are not accepted.",
    upload: "The file is no longer there. Attach it again.",
    form_needed: "Begin the conversation with words.",
    invalid: "The message was not accepted.",
  },
  failed: "The message was not accepted.",
  tooLarge: (name, most) => `${name} is larger than ${most}.`,
  tooMany: (most) => `No more than ${most} files at once.`,
  ended: "Conversation ended",
  endedThanks: "Thank you for talking to us.",
  startAgain: "New conversation",
  survey: {
    title: "How did we do?",
    send: "Send feedback",
    skip: "Not now",
    required: "Please answer to send.",
    thanks: "Thank you for your feedback!",
    star: (count) => (count === 1 ? "1 star" : `${count} stars`),
    least: "Not likely",
    most: "Very likely",
  },
  end: "End conversation",
  endQuestion: "End this conversation?",
  endExplain: "You can start another one whenever you like.",
  transcript: "Get it by e-mail",
  transcriptExplain: "We will mail you a copy of this conversation.",
  transcriptSent: "The copy is on its way.",
  transcriptSend: "Send copy",
  soundOn: "Turn sound on",
  soundOff: "Turn sound off",
  language: "Language",
};

const ES: Words = {
  open: "Abrir el chat",
  close: "Cerrar el chat",
  chat: "Chat",
  chatWith: (company) => `Chat con ${company}`,
  newMessages: (count) => (count === 1 ? "1 mensaje nuevo" : `${count} mensajes nuevos`),
  dismiss: "Descartar",
  greeting: "¡Hola! ¿En qué podemos ayudarle?",
  menu: "Opciones de la conversación",
  online: "En línea",
  away: "Fuera del horario de atención",
  backAt: (when) => `Volvemos ${when}`,
  assistant: "Asistente virtual",
  inLine: (place) => `Usted es el n.º ${place} de la fila`,
  waiting: "Buscando un agente para usted",
  waitAbout: (minutes) =>
    minutes <= 1 ? "Cerca de 1 minuto de espera" : `Cerca de ${minutes} minutos de espera`,
  waitService: (service) => `Fila: ${service}`,
  talkingTo: (name) => `Está hablando con ${name}`,
  typing: (name) => `${name} está escribiendo`,
  someone: "Agente",
  you: "Usted",
  wrote: (name, text) => `${name}: ${text}`,
  loading: "Abriendo la conversación",
  offline: "Sin conexión. Lo que escriba se enviará cuando vuelva.",
  over: {
    blocked: "Esta conversación ya no está disponible.",
    channel: "El chat no está disponible en este momento.",
    origin: "El chat no está disponible en esta página.",
    replaced: "El chat se abrió en otras pestañas. Vuelva a esta para continuar aquí.",
    version: "El chat se actualizó. Vuelva a cargar la página.",
    token: "No se pudo abrir el chat en este navegador.",
  },
  conversation: "Mensajes",
  older: "Mensajes anteriores",
  today: "Hoy",
  yesterday: "Ayer",
  protocol: (number) => `Protocolo ${number}`,
  newMatter: "Nueva atención",
  toEnd: "Ir al último mensaje",
  write: "Escriba un mensaje",
  writeNew: "Escriba para empezar",
  send: "Enviar",
  attach: "Adjuntar archivo",
  remove: (name) => `Quitar ${name}`,
  dropHere: "Suelte el archivo aquí",
  charactersLeft: (count) => (count === 1 ? "Queda 1 carácter" : `Quedan ${count} caracteres`),
  charactersOver: (count) => (count === 1 ? "Sobra 1 carácter" : `Sobran ${count} caracteres`),
  status: {
    queued: "En espera de envío",
    uploading: "Subiendo el archivo",
    sent: "Enviando",
    kept: "Enviado",
    read: "Leído",
    failed: "No enviado",
  },
  retry: "Reintentar",
  cancel: "Cancelar",
  discard: "Borrar",
  file: "Archivo",
  image: "Imagen",
  download: (name) => `Descargar ${name}`,
  openImage: (name) => `Abrir la imagen ${name}`,
  location: "Ubicación",
  openMap: "Abrir en el mapa",
  unsupported: "Mensaje que este chat no muestra",
  options: "Opciones de respuesta",
  form: {
    intro: "Cuéntenos un poco sobre usted para empezar.",
    introAway: "Deje su mensaje y un correo: le responderemos al volver.",
    name: "Nombre",
    email: "Correo electrónico",
    phone: "Teléfono",
    service: "Asunto",
    message: "¿En qué podemos ayudarle?",
    optional: "opcional",
    consentMore: "Leer la política de privacidad",
    start: "Iniciar conversación",
    wrong: "Revise los campos marcados.",
  },
  wrong: {
    name: "Escriba su nombre.",
    email: "Escriba un correo, como ana@ejemplo.com.",
    phone: "Escriba un teléfono con código de área.",
    service: "Elija un asunto.",
    message: "Escriba un mensaje.",
    consent: "Debe aceptar para poder conversar.",
  },
  failure: {
    too_large: "El archivo es demasiado grande.",
    file_type: "No se aceptan archivos de este tipo.",
    upload: "El archivo ya no está disponible. Adjúntelo de nuevo.",
    form_needed: "Empiece la conversación con un mensaje de texto.",
    invalid: "El mensaje no fue aceptado.",
  },
  failed: "El mensaje no fue aceptado.",
  tooLarge: (name, most) => `${name} supera el límite de ${most}.`,
  tooMany: (most) => `Como máximo ${most} archivos a la vez.`,
  ended: "Atención finalizada",
  endedThanks: "Gracias por hablar con nosotros.",
  startAgain: "Nueva conversación",
  survey: {
    title: "¿Cómo fue la atención?",
    send: "Enviar evaluación",
    skip: "Ahora no",
    required: "Responda para enviar.",
    thanks: "¡Gracias por su evaluación!",
    star: (count) => (count === 1 ? "1 estrella" : `${count} estrellas`),
    least: "Nada probable",
    most: "Muy probable",
  },
  end: "Finalizar conversación",
  endQuestion: "¿Finalizar esta conversación?",
  endExplain: "Puede empezar otra cuando quiera.",
  transcript: "Recibir por correo",
  transcriptExplain: "Le enviamos una copia de esta conversación por correo.",
  transcriptSent: "La copia está en camino.",
  transcriptSend: "Enviar copia",
  soundOn: "Activar el sonido",
  soundOff: "Silenciar",
  language: "Idioma",
};

/** The words of each language. */
export const WORDS: Record<Language, Words> = { "pt-BR": PT, en: EN, es: ES };

/** What each language calls itself. */
export const LANGUAGE_NAMES: Record<Language, string> = {
  "pt-BR": "Português",
  en: "English",
  es: "Español",
};

/** What the company wrote in this language, or in the first in which it wrote. */
export function said(texts: Texts, language: Language): string | undefined {
  return texts[language] ?? Object.values(texts)[0];
}

/** The language of the page that shows us, of the visitor's browser, or the first of ours. */
export function chosen(page: string | null, browser: readonly string[]): Language {
  for (const tag of [page, ...browser]) {
    const found = languageOf(tag);
    if (found) return found;
  }
  return "pt-BR";
}

/** The hour of a moment. */
export function hour(at: number, language: Language): string {
  return new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" }).format(at);
}

/** The day of a moment, as people say it. */
export function day(at: number, now: number, language: Language): string {
  const words = WORDS[language];
  const date = new Date(at).toDateString();
  if (date === new Date(now).toDateString()) return words.today;
  if (date === new Date(now - DAY_MS).toDateString()) return words.yesterday;
  return new Intl.DateTimeFormat(language, {
    weekday: "short",
    day: "numeric",
    month: "long",
  }).format(at);
}

/** When somebody will be there again: the hour today, else the day with it. */
export function when(at: number, now: number, language: Language): string {
  const isToday = new Date(at).toDateString() === new Date(now).toDateString();
  const time = { hour: "2-digit", minute: "2-digit" } as const;
  const format = new Intl.DateTimeFormat(language, isToday ? time : { weekday: "long", ...time });
  return format.format(at);
}

/** A length in bytes. */
export function size(bytes: number, language: Language): string {
  const [unit, of] = bytes < 1_000_000 ? ["kilobyte", 1_000] : ["megabyte", 1_000_000];
  const value = bytes / Number(of);
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit: String(unit),
    unitDisplay: "short",
    maximumFractionDigits: value < 10 ? 1 : 0,
  }).format(value);
}

const DAY_MS = 86_400_000;
