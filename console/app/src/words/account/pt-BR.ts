const words = {
  title: "Senha e segurança",
  password: {
    title: "Senha",
    text: "Ao trocar a senha, suas outras sessões são encerradas.",
    current: "Senha atual",
    fresh: "Nova senha",
    rule: "De 12 a 200 caracteres. Uma frase curta é fácil de lembrar.",
    again: "Repita a nova senha",
    differs: "As duas senhas não são iguais.",
    short: "A senha precisa de pelo menos 12 caracteres.",
    wrong: "A senha atual não confere.",
    save: "Trocar a senha",
    saved: "Senha trocada",
  },
  factor: {
    title: "Verificação em duas etapas",
    text: "Além da senha, um código do seu celular. Quem descobrir sua senha não entra.",
    off: "Desativada",
    on: "Ativa desde {{date}}",
    left_one: "Resta {{count}} código de recuperação.",
    left_other: "Restam {{count}} códigos de recuperação.",
    begin: "Ativar",
    end: "Desativar",
    confirm: "Confirme sua senha",
    next: "Continuar",
    cancel: "Cancelar",
    wrong: "A senha não confere.",
    scan: "Leia este código com um aplicativo autenticador",
    typed: "Ou digite a chave no aplicativo:",
    copy: "Copiar a chave",
    copied: "Chave copiada",
    code: "Código de 6 dígitos do aplicativo",
    wrongCode:
      "O código não confere. Veja se o relógio do celular está certo e use o código atual.",
    activate: "Ativar verificação",
    codes: "Guarde seus códigos de recuperação",
    codesText: "Cada um abre uma vez, se você perder o celular. Eles não serão mostrados de novo.",
    copyCodes: "Copiar os códigos",
    codesCopied: "Códigos copiados",
    done: "Já guardei",
    ended: "Verificação em duas etapas desativada",
    qr: "Código QR para o aplicativo autenticador",
  },
};

/** The same words in every language. */
export type AccountWords = typeof words;

export default words;
