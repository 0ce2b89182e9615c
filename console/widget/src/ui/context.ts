// What every part of the screen needs: the conversation in this browser, and its words.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Shell } from "../shell.ts";
import { WORDS, type Words } from "../words.ts";

const ShellContext = createContext<Shell | undefined>(undefined);

export const ShellProvider = ShellContext.Provider;

export function useShell(): Shell {
  const shell = useContext(ShellContext);
  if (!shell) throw new Error("outside of ShellProvider");
  return shell;
}

export function useWords(): Words {
  return WORDS[useShell().language];
}
