import type { ClosedWords } from "./pt-BR";

const words: ClosedWords = {
  title: "Usted no tiene acceso a {{page}}",
  text: "Su perfil no muestra esta página. Quien administra los usuarios de su empresa puede cambiarlo en Configuración › Perfiles.",
  workTitle: "Aún no atiende en ningún servicio",
  workText:
    "Esta página es de quien recibe atenciones. Quien administra la empresa elige las personas de cada servicio en Configuración › Servicios.",
  interactionTitle: "Usted no tiene acceso a esta atención",
  interactionText:
    "Usted ve las atenciones que fueron suyas y las de sus servicios; esta es de otro servicio.",
  sectionTitle: "Usted no tiene acceso a esta parte de la configuración",
  sectionText:
    "Su perfil no cambia lo que está aquí. Quien administra los usuarios de su empresa puede cambiarlo en Perfiles.",
  go: "Ir a {{page}}",
};

export default words;
