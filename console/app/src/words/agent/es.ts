import type { AgentWords } from "./pt-BR";

const words: AgentWords = {
  note: {
    label: "Nota interna",
    hint: "Escribe a tus colegas. Usa @ para avisar a alguien.",
    inside: "El cliente no ve esta nota",
    keep: "Guardar nota",
    kept: "Nota guardada",
    colleagues: "Colegas",
  },
  mail: {
    from: "De",
    to: "Para",
    cc: "Copia",
    failed: "El remitente de este correo no fue confirmado.",
    blocked_one: "{{count}} imagen externa no se cargó.",
    blocked_other: "{{count}} imágenes externas no se cargaron.",
    show: "Mostrar imágenes",
    quoted: "Mostrar la conversación anterior",
    fold: "Ocultar la conversación anterior",
    original: "Correo original",
    frame: "Contenido del correo",
    noSubject: "Sin asunto",
  },
  emoji: { title: "Emoji", search: "Emojis" },
  palette: {
    title: "Ir a o hacer",
    hint: "Busca páginas, atenciones, clientes, números o acciones",
    none: "No se encontró nada. Prueba otro nombre, protocolo o número.",
    go: "Ir a",
    work: "Mis atenciones",
    contacts: "Clientes",
    interactions: "Atenciones",
    does: "Hacer",
    replies: "Respuestas rápidas",
    dial: "Llamar a {{number}}",
    pause: "Pausar: {{name}}",
    keys: "Atajos del teclado",
    copied: "Respuesta copiada. Pégala en la conversación.",
    account: "Contraseña y seguridad",
    trace: "Rastreo",
    ura: "IVR",
    prompts: "Locuciones",
    settings: "Configuración",
  },
};

export default words;
