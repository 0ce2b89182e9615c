import { Button } from "@mantine/core";
import { IconPhone, IconPhoneOff } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { api, asked } from "../../../api/client";
import { useRing } from "../../ura/ring";
import parts from "../parts/parts.module.css";

/** Calls a number from here: what callers will hear is heard by whoever set it up. */
export default function Call({ number }: { number: string }) {
  const { t } = useTranslation("ura");
  const call = useRing(() => asked(api.POST("/api/v1/calls", { body: { to: number } })));
  return (
    <>
      {call.isUp ? (
        <Button
          variant="default"
          leftSection={<IconPhoneOff size={17} aria-hidden="true" />}
          onClick={call.hangUp}
        >
          {t("hear.hangUp")}
        </Button>
      ) : (
        <Button
          leftSection={<IconPhone size={17} aria-hidden="true" />}
          loading={call.isPlacing}
          onClick={call.ring}
        >
          {t("hear.number", { number })}
        </Button>
      )}
      {call.why !== "" && (
        <p className={parts.wrong} role="alert">
          {call.why}
        </p>
      )}
    </>
  );
}
