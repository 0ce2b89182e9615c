// Which message of the customer is being answered, by the interaction.

import type { Message } from "../../api/client";
import { store } from "../../live/store";

export const replying = store<Readonly<Record<string, Message>>>({});

export function reply(interaction: string, message: Message | undefined): void {
  const { [interaction]: _, ...rest } = replying.now();
  replying.set(message === undefined ? rest : { ...rest, [interaction]: message });
}
