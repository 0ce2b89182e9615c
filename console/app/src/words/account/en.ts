import type { AccountWords } from "./pt-BR";

const words: AccountWords = {
  title: "Password and security",
  password: {
    title: "Password",
    text: "When you change it, your other sessions end.",
    current: "Current password",
    fresh: "New password",
    rule: "12 to 200 characters. A short sentence is easy to remember.",
    again: "The new password again",
    differs: "The two passwords are not the same.",
    short: "The password needs at least 12 characters.",
    wrong: "The current password is not right.",
    save: "Change the password",
    saved: "Password changed",
  },
  factor: {
    title: "Two-step verification",
    text: "Beside the password, a code of your phone. Whoever finds out your password does not get in.",
    off: "Off",
    on: "On since {{date}}",
    left_one: "{{count}} recovery code is left.",
    left_other: "{{count}} recovery codes are left.",
    begin: "Turn on",
    end: "Turn off",
    confirm: "Confirm your password",
    next: "Continue",
    cancel: "Cancel",
    wrong: "The password is not right.",
    scan: "Read this code with an authenticator app",
    typed: "Or type the key into the app:",
    copy: "Copy the key",
    copied: "Key copied",
    code: "6-digit code of the app",
    wrongCode:
      "The code is not right. See whether the phone's clock is right, and use the current code.",
    activate: "Turn verification on",
    codes: "Keep your recovery codes",
    codesText: "Each opens once, should you lose your phone. They are not shown again.",
    copyCodes: "Copy the codes",
    codesCopied: "Codes copied",
    done: "I have kept them",
    ended: "Two-step verification turned off",
    qr: "QR code for the authenticator app",
  },
};

export default words;
