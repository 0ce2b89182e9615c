import {
  IconBrandWhatsapp,
  IconMail,
  IconMessageCircle,
  IconPhone,
  IconPlugConnected,
} from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

const MEDIA = {
  phone: IconPhone,
  whatsapp: IconBrandWhatsapp,
  webchat: IconMessageCircle,
  email: IconMail,
  generic: IconPlugConnected,
  chat: IconMessageCircle,
  other: IconMessageCircle,
} as const;

type Known = keyof typeof MEDIA;

/** What the customer uses: the kind of the channel where it is written, else the medium. */
export function known(kind: string): Known {
  return kind in MEDIA ? (kind as Known) : "other";
}

export function MediumIcon({ kind, size = 16 }: { kind: string; size?: number }) {
  const { t } = useTranslation();
  const Icon = MEDIA[known(kind)];
  return <Icon size={size} stroke={1.7} role="img" aria-label={t(`medium.${known(kind)}`)} />;
}
