import type { AgentWords } from "./pt-BR";

const words: AgentWords = {
  note: {
    label: "Internal note",
    hint: "Write to your colleagues. Use @ to tell somebody.",
    inside: "The customer does not see this note",
    keep: "Keep the note",
    kept: "Note kept",
    colleagues: "Colleagues",
  },
  mail: {
    from: "From",
    to: "To",
    cc: "Copy",
    failed: "The sender of this mail is not verified.",
    blocked_one: "{{count}} picture elsewhere was not loaded.",
    blocked_other: "{{count}} pictures elsewhere were not loaded.",
    show: "Show pictures",
    quoted: "Show what was written before",
    fold: "Hide what was written before",
    original: "Original mail",
    frame: "What the mail says",
    noSubject: "No subject",
  },
  emoji: { title: "Emoji", search: "Emojis" },
  palette: {
    title: "Go to or do",
    hint: "Search pages, interactions, customers, numbers or actions",
    none: "Nothing found. Try another name, protocol or number.",
    go: "Go to",
    work: "My interactions",
    contacts: "Customers",
    interactions: "Interactions",
    does: "Do",
    replies: "Quick replies",
    dial: "Call {{number}}",
    pause: "Pause: {{name}}",
    keys: "Keyboard shortcuts",
    copied: "Reply copied. Paste it into the conversation.",
    account: "Password and security",
    trace: "Trace",
    ura: "IVR",
    prompts: "Prompts",
    settings: "Settings",
  },
};

export default words;
