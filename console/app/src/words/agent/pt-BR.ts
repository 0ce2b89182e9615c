const words = {
  note: {
    label: "Nota interna",
    hint: "Escreva para seus colegas. Use @ para avisar alguém.",
    inside: "O cliente não vê esta nota",
    keep: "Guardar nota",
    kept: "Nota guardada",
    colleagues: "Colegas",
  },
  mail: {
    from: "De",
    to: "Para",
    cc: "Cópia",
    failed: "O remetente deste e-mail não foi confirmado.",
    blocked_one: "{{count}} imagem externa não foi carregada.",
    blocked_other: "{{count}} imagens externas não foram carregadas.",
    show: "Mostrar imagens",
    quoted: "Mostrar a conversa anterior",
    fold: "Esconder a conversa anterior",
    original: "E-mail original",
    frame: "Conteúdo do e-mail",
    noSubject: "Sem assunto",
  },
  emoji: { title: "Emoji", search: "Emojis" },
  palette: {
    title: "Ir para ou fazer",
    hint: "Procure páginas, atendimentos, clientes, números ou ações",
    none: "Nada encontrado. Tente outro nome, protocolo ou número.",
    go: "Ir para",
    work: "Meus atendimentos",
    contacts: "Clientes",
    interactions: "Atendimentos",
    does: "Fazer",
    replies: "Respostas rápidas",
    dial: "Ligar para {{number}}",
    pause: "Pausar: {{name}}",
    keys: "Atalhos do teclado",
    copied: "Resposta copiada. Cole na conversa.",
    account: "Senha e segurança",
    trace: "Rastreio",
    ura: "URA",
    prompts: "Locuções",
    settings: "Configurações",
  },
};

/** The same words in every language. */
export type AgentWords = typeof words;

export default words;
