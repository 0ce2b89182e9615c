// What each provider of WhatsApp must be told.

export const PROVIDERS = ["cloud", "dialog360", "gupshup", "zenvia", "twilio"] as const;

export type Provider = (typeof PROVIDERS)[number];

type Name =
  | "phone_number_id"
  | "waba_id"
  | "access_token"
  | "app_secret"
  | "verify_token"
  | "api_key"
  | "portfolio_id"
  | "webhook_secret"
  | "app"
  | "app_id"
  | "number"
  | "api_token"
  | "account_sid"
  | "auth_token";

export const ACCOUNTS: Record<Provider, readonly { name: Name; isSecret?: boolean }[]> = {
  cloud: [
    { name: "phone_number_id" },
    { name: "waba_id" },
    { name: "access_token", isSecret: true },
    { name: "app_secret", isSecret: true },
    { name: "verify_token", isSecret: true },
  ],
  dialog360: [
    { name: "portfolio_id" },
    { name: "api_key", isSecret: true },
    { name: "webhook_secret", isSecret: true },
  ],
  gupshup: [
    { name: "number" },
    { name: "app" },
    { name: "app_id" },
    { name: "api_key", isSecret: true },
    { name: "webhook_secret", isSecret: true },
  ],
  zenvia: [
    { name: "number" },
    { name: "api_token", isSecret: true },
    { name: "webhook_secret", isSecret: true },
  ],
  twilio: [{ name: "number" }, { name: "account_sid" }, { name: "auth_token", isSecret: true }],
};
