import { useQueries, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { messages, work } from "../../api/questions";
import { useStore } from "../../live/store";
import { mentions } from "../work/mentions";
import { seen, unread } from "../work/seen";

/** Says how much waits for one before the title of whatever page is open: it is read in the row of tabs. */
export function useCounting(): void {
  const { data: all = [] } = useQuery(work);
  const read = useStore(seen, (value) => value);
  const named = useStore(mentions, ({ length }) => length);
  const talks = all.filter(({ doing, medium }) => doing !== "offered" && medium !== "phone");
  const news = useQueries({
    queries: talks.map(({ interaction }) => messages(interaction)),
    combine: (answers) =>
      answers.reduce((sum, { data }, place) => {
        const { interaction = "" } = talks[place] ?? {};
        return sum + unread(data, read[interaction]?.messages);
      }, 0),
  });
  const count = news + named + all.filter(({ doing }) => doing === "offered").length;
  useEffect(() => {
    const mark = () => {
      const title = document.title.replace(/^\(\d+\) /, "");
      const marked = count > 0 ? `(${count}) ${title}` : title;
      if (document.title !== marked) document.title = marked;
    };
    mark();
    // Pages name themselves as they are opened.
    const observer = new MutationObserver(mark);
    observer.observe(document.head, { childList: true, subtree: true, characterData: true });
    return () => observer.disconnect();
  }, [count]);
}
