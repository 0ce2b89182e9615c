import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Empty } from "./empty";

/** What stands where a page met an error. */
export function Broken() {
  const { t } = useTranslation();
  return (
    <Empty title={t("failed.crash")} text={t("failed.unknown")}>
      <Button onClick={() => location.reload()}>{t("failed.reload")}</Button>
    </Empty>
  );
}
