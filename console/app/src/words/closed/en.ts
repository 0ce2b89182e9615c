import type { ClosedWords } from "./pt-BR";

const words: ClosedWords = {
  title: "You have no access to {{page}}",
  text: "Your profile does not show this page. Whoever manages the users of your company can change that in Settings › Profiles.",
  workTitle: "You take the work of no service yet",
  workText:
    "This page is for those who serve customers. Whoever manages the company chooses the people of each service in Settings › Services.",
  interactionTitle: "You have no access to this interaction",
  interactionText:
    "You see the interactions that were yours and those of your services; this one is of another.",
  sectionTitle: "You have no access to this part of the settings",
  sectionText:
    "Your profile does not change what is here. Whoever manages the users of your company can change that in Profiles.",
  go: "Go to {{page}}",
};

export default words;
