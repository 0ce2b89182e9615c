import { ActionIcon, Button, NativeSelect, TextInput, UnstyledButton } from "@mantine/core";
import { IconGripVertical, IconX } from "@tabler/icons-react";
import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { type Form, keysOf, moved, type Offer, servicesMax } from "./document";
import css from "./order.module.css";

type Props = {
  form: Form;
  change: (services: Offer[]) => void;
  /** The services of the company. */
  all: readonly { id: string; name: string }[];
  /** What is wrong with the service at a place. */
  fault: (place: number) => string | undefined;
  isFixed: boolean;
};

/** The services in the order of their keys: dragged, or moved by the arrow keys. */
export function Order({ form, change, all, fault, isFixed }: Props) {
  const { t } = useTranslation("ura");
  const [said, setSaid] = useState("");
  const list = useRef<HTMLOListElement>(null);
  const keys = keysOf(form);
  const services = form.services;
  const left = all.filter((one) => !services.some(({ service }) => service === one.id));

  const move = (from: number, to: number) => {
    const one = services[from];
    if (one === undefined || to < 0 || to >= services.length) return;
    const next = moved(services, from, to);
    change(next);
    const key = keysOf({ ...form, services: next })[to] ?? "";
    setSaid(t("services.moved", { name: one.name, key }));
  };
  const drag = useDrag(list, services.length, move);
  const pressed = (event: KeyboardEvent, place: number) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    move(place, place + step);
  };
  const put = (place: number, offer: Offer) =>
    change(services.map((one, at) => (at === place ? offer : one)));

  return (
    <>
      <ol ref={list} className={css.order}>
        {services.map((one, place) => (
          <li key={one.service} data-dragged={drag.dragged === place}>
            {!isFixed && (
              <UnstyledButton
                className={css.grip}
                aria-label={t("services.move", { name: one.name })}
                onKeyDown={(event) => pressed(event, place)}
                {...drag.handle(place)}
              >
                <IconGripVertical size={18} stroke={1.6} aria-hidden="true" />
              </UnstyledButton>
            )}
            <kbd className={css.key}>{keys[place] === "" ? "–" : keys[place]}</kbd>
            <TextInput
              className={css.name}
              aria-label={t("services.name", {
                name: all.find(({ id }) => id === one.service)?.name ?? one.name,
              })}
              value={one.name}
              maxLength={100}
              readOnly={isFixed}
              error={fault(place)}
              onChange={({ currentTarget: { value: name } }) => put(place, { ...one, name })}
            />
            {!isFixed && (
              <ActionIcon
                variant="subtle"
                color="gray"
                size={36}
                aria-label={t("services.remove", { name: one.name })}
                onClick={() => change(services.filter((_, at) => at !== place))}
              >
                <IconX size={16} aria-hidden="true" />
              </ActionIcon>
            )}
          </li>
        ))}
      </ol>
      <p className="unseen" role="status">
        {said}
      </p>
      {!isFixed && left.length > 0 && services.length < servicesMax(form) && (
        <Add left={left} add={({ id, name }) => change([...services, { service: id, name }])} />
      )}
    </>
  );
}

type Named = { id: string; name: string };

function Add({ left, add }: { left: readonly Named[]; add: (service: Named) => void }) {
  const { t } = useTranslation("ura");
  if (left.length <= 4) {
    return (
      <div className={css.add}>
        {left.map((one) => (
          <Button key={one.id} variant="default" size="xs" onClick={() => add(one)}>
            + {one.name}
          </Button>
        ))}
      </div>
    );
  }
  return (
    <NativeSelect
      className={css.more ?? ""}
      aria-label={t("services.add")}
      value=""
      onChange={(event) => {
        const one = left.find(({ id }) => id === event.currentTarget.value);
        if (one !== undefined) add(one);
      }}
    >
      <option value="">{t("services.add")}</option>
      {left.map((one) => (
        <option key={one.id} value={one.id}>
          {one.name}
        </option>
      ))}
    </NativeSelect>
  );
}

/** Lines that follow the pointer: the one dragged goes up or down when the pointer has left it. */
function useDrag(
  list: React.RefObject<HTMLOListElement | null>,
  count: number,
  move: (from: number, to: number) => void,
) {
  const [dragged, setDragged] = useState<number>();
  const handle = (place: number) => ({
    onPointerDown: (event: PointerEvent) => {
      event.currentTarget.setPointerCapture(event.pointerId);
      setDragged(place);
    },
    onPointerMove: (event: PointerEvent) => {
      const line = dragged === undefined ? undefined : list.current?.children[dragged];
      if (dragged === undefined || line === undefined) return;
      const { top, bottom } = line.getBoundingClientRect();
      const step = event.clientY < top ? -1 : event.clientY > bottom ? 1 : 0;
      const to = dragged + step;
      if (step === 0 || to < 0 || to >= count) return;
      move(dragged, to);
      setDragged(to);
    },
    onPointerUp: () => setDragged(undefined),
    onPointerCancel: () => setDragged(undefined),
  });
  return { dragged, handle };
}
