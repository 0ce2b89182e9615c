import { Button } from "@mantine/core";
import { IconLock } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { firstPage, type Page } from "../api/may";
import { agency, session } from "../api/questions";
import { Empty } from "./empty";

/** What is closed to whoever came there: a page, an interaction, a part of what can be set. */
type Props = { page: Page | "interaction" | "section" };

/** Says why something cannot be seen, and where to go instead. */
export default function NotYours({ page }: Props) {
  const { t } = useTranslation();
  const { t: say } = useTranslation("closed");
  const { data: me } = useQuery(session);
  const { data: agent } = useQuery(agency(me?.user ?? ""));
  const first = agent == null ? firstPage(me) : "work";
  const [title, text] =
    page === "work" || page === "interaction" || page === "section"
      ? [say(`${page}Title`), say(`${page}Text`)]
      : [say("title", { page: t(`nav.${page}`) }), say("text")];
  useEffect(() => {
    document.title = `${title} · ${t("name")}`;
  }, [title, t]);
  return (
    <Empty icon={<IconLock size={40} stroke={1.3} />} title={title} text={text}>
      {first !== undefined && first !== page && (
        <Button variant="default" renderRoot={(props) => <Link to={`/${first}`} {...props} />}>
          {say("go", { page: t(`nav.${first}`) })}
        </Button>
      )}
    </Empty>
  );
}
