import { Skeleton } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import WaveSurfer from "wavesurfer.js";
import RegionsPlugin, { type Region } from "wavesurfer.js/dist/plugins/regions.js";
import css from "./prompts.module.css";

export type Span = { readonly from: number; readonly to: number };

type Props = {
  source: string | Blob;
  /** What is kept; without it nothing can be cut. */
  span?: Span | undefined;
  choose?: (span: Span) => void;
  /** How long it is, in seconds, once that is known. */
  read?: (seconds: number) => void;
};

/** What a recording looks like; where it is cut, the part that is kept is dragged by its ends. */
export default function Wave({ source, span, choose, read }: Props) {
  const { t } = useTranslation("ura");
  const place = useRef<HTMLDivElement>(null);
  const region = useRef<Region>(undefined);
  const [is, setIs] = useState<"coming" | "there" | "broken">("coming");
  const told = useRef({ choose, read });
  told.current = { choose, read };
  const isCut = choose !== undefined;

  useEffect(() => {
    const container = place.current;
    if (container === null) return;
    const nonce = document.querySelector('meta[name="csp-nonce"]')?.getAttribute("content");
    const regions = RegionsPlugin.create();
    const wave = WaveSurfer.create({
      container,
      height: 88,
      waveColor: probe(container, "--ink-soft"),
      progressColor: probe(container, "--accent"),
      cursorColor: probe(container, "--accent"),
      barWidth: 2,
      barGap: 1,
      barRadius: 2,
      normalize: true,
      plugins: isCut ? [regions] : [],
      ...(nonce ? { cspNonce: nonce } : {}),
    });
    wave.on("ready", (seconds) => {
      setIs("there");
      told.current.read?.(seconds);
      if (!isCut) return;
      region.current = regions.addRegion({
        start: 0,
        end: seconds,
        drag: false,
        minLength: 0.1,
        color: "rgb(79 191 177 / 22%)",
      });
    });
    regions.on("region-update", ({ start, end }) =>
      told.current.choose?.({ from: start, to: end }),
    );
    wave.on("error", () => setIs("broken"));
    const coming = typeof source === "string" ? wave.load(source) : wave.loadBlob(source);
    // What broke has been told as an error.
    coming.catch(() => undefined);
    return () => wave.destroy();
  }, [source, isCut]);

  useEffect(() => {
    const shown = region.current;
    if (span === undefined || shown === undefined) return;
    if (shown.start !== span.from || shown.end !== span.to) {
      shown.setOptions({ start: span.from, end: span.to });
    }
  }, [span]);

  return (
    <div className={css.wave}>
      {is === "coming" && <Skeleton height={88} className={css.waveComing ?? ""} />}
      {is === "broken" && <p className={css.waveBroken}>{t("prompts.noWave")}</p>}
      <div ref={place} aria-hidden="true" />
    </div>
  );
}

/** A colour as the canvas needs it: the one that holds by day or by night where it is drawn. */
function probe(near: HTMLElement, name: string): string {
  const one = document.createElement("span");
  one.style.color = `var(${name})`;
  near.append(one);
  const found = getComputedStyle(one).color;
  one.remove();
  return found;
}
