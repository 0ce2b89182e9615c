// The messages of a conversation, in order and without holes, whatever comes in whatever order.

import type { Message } from "../protocol.ts";

/** What is kept of a conversation between two pages of a shop. */
export interface KeptThread {
  conversation: string;
  last: number;
  older: boolean;
  messages: Message[];
}

/** What came of messages that came. */
export type Taken =
  /** These are new. */
  | { is: "taken"; messages: Message[] }
  /** Something before them is missing. Nothing of them was taken. */
  | { is: "gap" };

/** A conversation as far as it is known. */
export class Thread {
  #conversation: string | null = null;
  #last = 0;
  #older = false;
  #messages: Message[] = [];

  get conversation(): string | null {
    return this.#conversation;
  }

  /** Up to here there is no hole. */
  get last(): number {
    return this.#last;
  }

  get messages(): readonly Message[] {
    return this.#messages;
  }

  /** Whether there are messages before the first. */
  get hasOlder(): boolean {
    return this.#older;
  }

  /** This is the conversation; of another one nothing is kept. Says whether it was another. */
  belong(conversation: string | null): boolean {
    const other = this.#conversation !== null && this.#conversation !== conversation;
    if (other) this.forget();
    this.#conversation = conversation;
    return other;
  }

  forget(): void {
    this.#conversation = null;
    this.#empty();
  }

  receive(after: number, messages: readonly Message[], reset: boolean): Taken {
    const inOrder = [...messages].sort((one, other) => one.seq - other.seq);
    const fresh = reset || this.#last === 0;
    if (reset) this.#empty();
    if (!fresh && after > this.#last) return { is: "gap" };
    if (fresh && inOrder.length > 0) this.#older = after > 0;
    const taken = inOrder.filter((message) => message.seq > this.#last);
    this.#messages.push(...taken);
    this.#last = this.#messages.at(-1)?.seq ?? this.#last;
    return { is: "taken", messages: taken };
  }

  /** Older messages, which were asked for. What does not fit before the first is of an older question. */
  receiveOlder(before: number, messages: readonly Message[], more: boolean): void {
    const first = this.#messages[0];
    if (!first || first.seq !== before) return;
    const older = messages.filter((message) => message.seq < before);
    older.sort((one, other) => one.seq - other.seq);
    this.#messages.unshift(...older);
    this.#older = more && older.length > 0;
  }

  /** What is worth keeping: as much as the server would give. */
  kept(): KeptThread | undefined {
    if (this.#conversation === null || this.#last === 0) return undefined;
    const messages = this.#messages.slice(-KEPT_MAX);
    const older = this.#older || messages.length < this.#messages.length;
    return { conversation: this.#conversation, last: this.#last, older, messages };
  }

  restore(kept: KeptThread): void {
    this.#conversation = kept.conversation;
    this.#messages = kept.messages;
    this.#last = kept.last;
    this.#older = kept.older;
  }

  #empty(): void {
    this.#messages = [];
    this.#last = 0;
    this.#older = false;
  }
}

/** Messages kept for the next page: two screens of them. */
const KEPT_MAX = 50;
