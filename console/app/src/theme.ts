// How it looks: one accent, much room, the fonts that the machine has.

import { createTheme, type MantineColorsTuple, Menu, Modal, Tooltip } from "@mantine/core";

/** The accent. White on the sixth of these, and the sixth on white, has a contrast beyond 4.5:1. */
const teal: MantineColorsTuple = [
  "#effaf8",
  "#d9f2ee",
  "#b0e4dc",
  "#82d4c9",
  "#4fbfb1",
  "#24998c",
  "#0f766e",
  "#0c635d",
  "#0a514c",
  "#073d39",
];

/** Greys that are a little warm in the light and a little blue at night. */
const dark: MantineColorsTuple = [
  "#e6e9ec",
  "#c3c9cf",
  "#a0a8b0",
  "#7c858e",
  "#3a424b",
  "#2b323a",
  "#21272e",
  "#181d23",
  "#12161b",
  "#0c0f13",
];

export const theme = createTheme({
  primaryColor: "teal",
  primaryShade: { light: 6, dark: 6 },
  colors: { teal, dark },
  defaultRadius: "md",
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Modal: Modal.extend({
      defaultProps: { radius: "lg", padding: "lg", overlayProps: { backgroundOpacity: 0.35 } },
    }),
    Menu: Menu.extend({ defaultProps: { radius: "md", shadow: "md" } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 500, withArrow: true } }),
  },
});
