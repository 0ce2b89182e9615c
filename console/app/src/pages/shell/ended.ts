// Who was here before who logs in now: of others nothing stays behind, and to whom their session ended that is said.

import { outbox } from "../../live/sending";
import { wanted } from "../../phone/handset";
import { forgetDrafts } from "../work/drafts";
import { forgetMentions } from "../work/mentions";
import { forgetSeen } from "../work/seen";

/** Whose session has ended by itself. */
let ended: string | null = null;

/** Whether who is here goes because they want to. */
let leaves = false;

/** Nobody is here any more who was this person. */
export function gone(user: string): void {
  ended = leaves ? null : user;
}

/** This person wants to go: nothing of theirs stays. */
export function leave(): void {
  leaves = true;
  forget();
}

/** Whether somebody's session has ended by itself. */
export function hasEnded(): boolean {
  return ended !== null;
}

/** This person has logged in: they go on where they were, and where somebody else was they find nothing. */
export function begun(user: string): void {
  if (ended !== user) forget();
  ended = null;
  leaves = false;
}

function forget(): void {
  outbox.set([]);
  forgetSeen();
  forgetMentions();
  wanted.set(false);
  forgetDrafts();
}
