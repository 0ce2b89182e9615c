import type { AccountWords } from "./pt-BR";

const words: AccountWords = {
  title: "Contraseña y seguridad",
  password: {
    title: "Contraseña",
    text: "Al cambiarla, tus otras sesiones se cierran.",
    current: "Contraseña actual",
    fresh: "Nueva contraseña",
    rule: "De 12 a 200 caracteres. Una frase corta es fácil de recordar.",
    again: "Repite la nueva contraseña",
    differs: "Las dos contraseñas no son iguales.",
    short: "La contraseña necesita al menos 12 caracteres.",
    wrong: "La contraseña actual no coincide.",
    save: "Cambiar la contraseña",
    saved: "Contraseña cambiada",
  },
  factor: {
    title: "Verificación en dos pasos",
    text: "Además de la contraseña, un código de tu celular. Quien descubra tu contraseña no entra.",
    off: "Desactivada",
    on: "Activa desde el {{date}}",
    left_one: "Queda {{count}} código de recuperación.",
    left_other: "Quedan {{count}} códigos de recuperación.",
    begin: "Activar",
    end: "Desactivar",
    confirm: "Confirma tu contraseña",
    next: "Continuar",
    cancel: "Cancelar",
    wrong: "La contraseña no coincide.",
    scan: "Lee este código con una aplicación autenticadora",
    typed: "O escribe la clave en la aplicación:",
    copy: "Copiar la clave",
    copied: "Clave copiada",
    code: "Código de 6 dígitos de la aplicación",
    wrongCode:
      "El código no coincide. Mira si el reloj del celular está bien y usa el código actual.",
    activate: "Activar la verificación",
    codes: "Guarda tus códigos de recuperación",
    codesText: "Cada uno abre una vez, si pierdes el celular. No se mostrarán de nuevo.",
    copyCodes: "Copiar los códigos",
    codesCopied: "Códigos copiados",
    done: "Ya los guardé",
    ended: "Verificación en dos pasos desactivada",
    qr: "Código QR para la aplicación autenticadora",
  },
};

export default words;
