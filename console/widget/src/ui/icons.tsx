// The drawings of the widget. Each says nothing: the words are beside it, or in its button's label.

function Icon({ path, size = 20 }: { path: string; size?: number }) {
  return (
    <svg
      aria-hidden="true"
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.8"
      stroke-linecap="round"
      stroke-linejoin="round"
    >
      <path d={path} />
    </svg>
  );
}

export const Close = () => <Icon path="M6 6l12 12M18 6L6 18" />;
export const More = () => (
  <svg
    aria-hidden="true"
    class="icon"
    width="20"
    height="20"
    viewBox="0 0 24 24"
    fill="currentColor"
  >
    <circle cx="12" cy="5" r="1.9" />
    <circle cx="12" cy="12" r="1.9" />
    <circle cx="12" cy="19" r="1.9" />
  </svg>
);
export const Send = () => <Icon path="M12 19V5M5.5 11.5L12 5l6.5 6.5" />;
export const Clip = () => (
  <Icon path="M20 11.5l-8.3 8.3a5.2 5.2 0 0 1-7.4-7.4l8.6-8.6a3.5 3.5 0 0 1 5 5L9.4 17.3a1.8 1.8 0 0 1-2.5-2.5l7.7-7.7" />
);
export const Down = () => <Icon path="M12 5v14M5.5 12.5L12 19l6.5-6.5" size={18} />;
export const Document = () => (
  <Icon
    path="M14 3H7a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V8zM14 3v5h5M9 13h6M9 17h4"
    size={24}
  />
);
export const Pin = () => (
  <Icon
    path="M12 21s7-6.1 7-11a7 7 0 1 0-14 0c0 4.9 7 11 7 11zM12 12.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z"
    size={24}
  />
);
export const SoundOn = () => (
  <Icon path="M11 5L6.5 9H3v6h3.5L11 19zM15 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11" />
);
export const SoundOff = () => <Icon path="M11 5L6.5 9H3v6h3.5L11 19zM16 9.5l5 5M21 9.5l-5 5" />;
export const Mail = () => <Icon path="M4 6h16v12H4zM4 7l8 6 8-6" />;
export const End = () => (
  <Icon path="M15 4h3a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-3M10 8l-4 4 4 4M6 12h9" />
);
export const Clock = () => (
  <Icon path="M12 7.5V12l3 2M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17z" size={14} />
);
export const Check = () => <Icon path="M5 12.5l4.5 4.5L19 7.5" size={14} />;
export const Checks = () => <Icon path="M2 12.5l4.5 4.5L16 7.5M11 16l1 1 9.5-9.5" size={14} />;
export const Warning = () => (
  <Icon
    path="M12 8.5v4.5M12 16.5v.01M10.6 4.2L2.9 17.5A1.6 1.6 0 0 0 4.3 20h15.4a1.6 1.6 0 0 0 1.4-2.5L13.4 4.2a1.6 1.6 0 0 0-2.8 0z"
    size={16}
  />
);
export const Done = () => (
  <Icon path="M8 12.2l2.8 2.8L16 9.5M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17z" size={28} />
);
export const Star = ({ isFull }: { isFull: boolean }) => (
  <svg aria-hidden="true" class="icon" width="32" height="32" viewBox="0 0 24 24">
    <path
      d="M12 3.2l2.7 5.5 6 .9-4.4 4.2 1.1 6-5.4-2.8-5.4 2.8 1.1-6L3.300 9.6l6-.9z"
      fill={isFull ? "currentColor" : "none"}
      stroke="currentColor"
      stroke-width="1.6"
      stroke-linejoin="round"
    />
  </svg>
);
