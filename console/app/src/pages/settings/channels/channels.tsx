import { IconTopologyStar3 } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Empty } from "../../../parts/empty";
import { MediumIcon, known as medium } from "../../../parts/medium";
import { channels, flows, numbers } from "../kept";
import { Failed, Loading } from "../parts/list";
import { Head } from "../parts/page";
import parts from "../parts/parts.module.css";
import { all } from "../parts/resource";
import { services } from "../services/resource";
import css from "./channels.module.css";
import { lackOfNumber } from "./lack";
import { Ready } from "./ready";
import { ChannelState } from "./state";

const KINDS = [
  { kind: "phone", section: "numbers" },
  { kind: "whatsapp", section: "whatsapp" },
  { kind: "email", section: "email" },
  { kind: "generic", section: "generic" },
  { kind: "webchat", section: "webchat" },
] as const;

/** Every way by which customers come: what there is, how it stands, and where one sets it up. */
export function Channels() {
  const { t } = useTranslation("settings");
  return (
    <div className={parts.page}>
      <Head title={t("section.channels")} text={t("channels.text")} />
      <ul className={css.kinds}>
        {KINDS.map(({ kind, section }) => (
          <li key={kind}>
            <Link to="/settings/$section" params={{ section }}>
              <MediumIcon kind={kind} size={22} />
              <strong>{t(section === "numbers" ? "phone.title" : `section.${section}`)}</strong>
              <span>{t(`channels.about.${kind}`)}</span>
            </Link>
          </li>
        ))}
      </ul>
      <All />
    </div>
  );
}

function All() {
  const { t } = useTranslation("settings");
  const { t: say } = useTranslation();
  const ways = useQuery(all(channels));
  const called = useQuery(all(numbers));
  const followed = useQuery(all(flows));
  const served = useQuery(all(services));
  const error = ways.error ?? called.error;
  if (error !== null) {
    return (
      <Failed
        error={error}
        again={() => {
          void ways.refetch();
          void called.refetch();
        }}
      />
    );
  }
  if (ways.data === undefined || called.data === undefined) return <Loading />;
  if (ways.data.length + called.data.length === 0) {
    return (
      <Empty
        icon={<IconTopologyStar3 size={36} stroke={1.4} />}
        title={t("channels.none")}
        text={t("channels.noneText")}
      />
    );
  }
  const serviceOf = (id: string) => served.data?.find((one) => one.id === id)?.name ?? "–";
  return (
    <table className={parts.table}>
      <thead>
        <tr>
          <th scope="col">{t("name")}</th>
          <th scope="col">{t("channels.kind")}</th>
          <th scope="col" data-narrow="true">
            {t("channels.goes")}
          </th>
          <th scope="col">{t("state")}</th>
        </tr>
      </thead>
      <tbody>
        {called.data.map((number) => (
          <tr key={number.id}>
            <th scope="row">
              <Link
                className={parts.open}
                to="/settings/$section/$id"
                params={{ section: "numbers", id: number.id }}
              >
                {number.number} · {number.name}
              </Link>
            </th>
            <td>
              <span className={parts.who}>
                <MediumIcon kind="phone" />
                <span className={css.kind}>{t("phone.title")}</span>
              </span>
            </td>
            <td data-narrow="true">
              {followed.data?.find((flow) => flow.id === number.flow)?.name ?? "–"}
            </td>
            <td>
              <Ready lack={lackOfNumber(number, followed.data)} />
            </td>
          </tr>
        ))}
        {ways.data.map((channel) => (
          <tr key={channel.id}>
            <th scope="row">
              <Link
                className={parts.open}
                to="/settings/$section/$id"
                params={{ section: channel.kind, id: channel.id }}
              >
                {channel.name}
              </Link>
            </th>
            <td>
              <span className={parts.who}>
                <MediumIcon kind={channel.kind} />
                <span className={css.kind}>{say(`medium.${medium(channel.kind)}`)}</span>
              </span>
            </td>
            <td data-narrow="true">{serviceOf(channel.service)}</td>
            <td>
              <ChannelState channel={channel} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
