import { ActionIcon, Button, NativeSelect, Skeleton } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import {
  IconAlignCenter,
  IconAlignLeft,
  IconAlignRight,
  IconBold,
  IconItalic,
  IconLink,
  IconPhotoPlus,
  IconUnderline,
} from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import {
  type Content,
  type Editor,
  EditorContent,
  Mark,
  mergeAttributes,
  Node,
  useEditor,
  useEditorState,
} from "@tiptap/react";
import StarterKit from "@tiptap/starter-kit";
import { type ReactNode, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { api, asked, type Schemas } from "../../../api/client";
import { notice, useWhy } from "../../../parts/notices";
import type { Part } from "../parts/form";
import css from "./editor.module.css";
import type { Mail } from "./mail";
import { shown, signature, type Written, written } from "./signature";

const nonce = document.querySelector('meta[name="csp-nonce"]')?.getAttribute("content") ?? "";

/** A paragraph, whose lines stand somewhere. */
const Paragraph = Node.create({
  name: "paragraph",
  group: "block",
  content: "inline*",
  addAttributes: () => ({ align: { default: "left" } }),
  parseHTML: () => [{ tag: "p" }],
  renderHTML: ({ HTMLAttributes }) => ["p", mergeAttributes(HTMLAttributes), 0],
});

/** How high words are and in which colour. */
const Look = Mark.create({
  name: "look",
  addAttributes: () => ({ size: { default: null }, color: { default: null } }),
  renderHTML: ({ HTMLAttributes: { size, color } }) => {
    const style = [size && `font-size: ${size}px`, color && `color: ${color}`];
    return ["span", { style: style.filter(Boolean).join("; ") }, 0];
  },
});

/** A picture, by the name under which its bytes are kept beside the signature. */
const Picture = Node.create<{ url: (media: string) => string }>({
  name: "picture",
  group: "inline",
  inline: true,
  draggable: true,
  addOptions: () => ({ url: () => "" }),
  addAttributes: () => ({
    media: { default: "" },
    alt: { default: "" },
    width: { default: null },
  }),
  renderHTML({ HTMLAttributes: { media, alt, width } }) {
    return ["img", { src: this.options.url(media), alt, ...(width ? { width } : {}) }];
  },
});

/** A mail grows by each picture a third more than its bytes. */
const PICTURE_BYTES_MAX = 200_000;

type Props = { of: Part<Mail> };

/** The signature below each answer, written as it looks, and the mail that the customer will get. */
export default function SignatureEditor({ of }: Props) {
  const { t } = useTranslation("settings");
  // Where a picture's bytes are, whenever it is drawn.
  const pictures = useRef(of.value.pictures ?? {});
  pictures.current = of.value.pictures ?? {};
  const change = useRef((_: Written) => {});
  change.current = (doc) => {
    const wanted = shown(doc);
    const kept = Object.entries(pictures.current).filter(([media]) => wanted.has(media));
    of.set({
      signature: signature(doc) as unknown as NonNullable<Mail["signature"]>,
      pictures: Object.fromEntries(kept),
    });
  };
  const editor = useEditor({
    extensions: [
      StarterKit.configure({
        paragraph: false,
        heading: false,
        blockquote: false,
        bulletList: false,
        orderedList: false,
        listItem: false,
        listKeymap: false,
        code: false,
        codeBlock: false,
        horizontalRule: false,
        strike: false,
        trailingNode: false,
        link: { openOnClick: false, protocols: ["mailto", "tel"] },
      }),
      Paragraph,
      Look,
      Picture.configure({
        url: (media) => `data:image/*;base64,${pictures.current[media]?.data ?? ""}`,
      }),
    ],
    content: written(of.value.signature) as Content,
    injectNonce: nonce,
    editorProps: { attributes: { "aria-label": t("email.signature"), class: css.text ?? "" } },
    onUpdate: ({ editor }) => change.current(editor.getJSON() as Written),
  });
  // Who discards what they changed sees again what is kept.
  const kept = JSON.stringify(signature(written(of.value.signature)));
  useEffect(() => {
    const is = JSON.stringify(signature(editor.getJSON() as Written));
    if (is !== kept)
      editor.commands.setContent(written(JSON.parse(kept)) as Content, { emitUpdate: false });
  }, [editor, kept]);
  const add = async (file: File | undefined) => {
    if (file === undefined) return;
    if (file.size > PICTURE_BYTES_MAX) {
      notice(t("email.pictureLarge"));
      return;
    }
    const media = `p${crypto.randomUUID().slice(0, 8)}`;
    pictures.current = {
      ...pictures.current,
      [media]: { name: file.name, data: await base64(file) },
    };
    const attrs = { media, alt: file.name.replace(/\.\w+$/, "") };
    editor.chain().focus().insertContent({ type: "picture", attrs }).run();
  };
  return (
    <>
      <div className={css.editor} data-wrong={of.why("signature") !== undefined}>
        <Tools editor={editor} add={(file) => void add(file)} />
        <EditorContent editor={editor} />
      </div>
      {of.why("signature") !== undefined && <p className={css.bad}>{of.why("signature")}</p>}
      <Shown mail={of.value} />
    </>
  );
}

async function base64(file: Blob): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

const SIZES = [12, 14, 16, 18, 24, 32] as const;

const ALIGNS = [
  { align: "left", Icon: IconAlignLeft },
  { align: "center", Icon: IconAlignCenter },
  { align: "right", Icon: IconAlignRight },
] as const;

function Tools({ editor, add }: { editor: Editor; add: (file: File | undefined) => void }) {
  const { t } = useTranslation("settings");
  const is = useEditorState({
    editor,
    selector: ({ editor }) => ({
      bold: editor.isActive("bold"),
      italic: editor.isActive("italic"),
      underline: editor.isActive("underline"),
      link: editor.isActive("link"),
      align: editor.getAttributes("paragraph").align as string | undefined,
      size: editor.getAttributes("look").size as number | null | undefined,
      color: editor.getAttributes("look").color as string | null | undefined,
    }),
  });
  const look = (changed: { size?: number | null; color?: string }) => {
    const attrs = { size: is.size ?? null, color: is.color ?? null, ...changed };
    editor.chain().focus().setMark("look", attrs).run();
  };
  const link = () => {
    if (is.link) return editor.chain().focus().unsetMark("link").run();
    const href = window.prompt(t("email.linkTo"), "https://");
    if (href) editor.chain().focus().setMark("link", { href }).run();
    return true;
  };
  return (
    <div className={css.tools} role="toolbar" aria-label={t("email.signature")}>
      <Tool
        label={t("email.bold")}
        on={is.bold}
        does={() => editor.chain().focus().toggleBold().run()}
      >
        <IconBold size={17} />
      </Tool>
      <Tool
        label={t("email.italic")}
        on={is.italic}
        does={() => editor.chain().focus().toggleItalic().run()}
      >
        <IconItalic size={17} />
      </Tool>
      <Tool
        label={t("email.underline")}
        on={is.underline}
        does={() => editor.chain().focus().toggleUnderline().run()}
      >
        <IconUnderline size={17} />
      </Tool>
      <Tool label={t("email.link")} on={is.link} does={link}>
        <IconLink size={17} />
      </Tool>
      {ALIGNS.map(({ align, Icon }) => (
        <Tool
          key={align}
          label={t(`email.aligns.${align}`)}
          on={is.align === align}
          does={() => editor.chain().focus().updateAttributes("paragraph", { align }).run()}
        >
          <Icon size={17} />
        </Tool>
      ))}
      <NativeSelect
        size="xs"
        aria-label={t("email.size")}
        value={is.size ?? ""}
        onChange={({ currentTarget: { value } }) =>
          look({ size: value === "" ? null : Number(value) })
        }
      >
        <option value="">{t("email.size")}</option>
        {SIZES.map((size) => (
          <option key={size} value={size}>
            {size} px
          </option>
        ))}
      </NativeSelect>
      <input
        type="color"
        className={css.color}
        aria-label={t("email.color")}
        value={is.color ?? "#1f2933"}
        onChange={({ currentTarget: { value } }) => look({ color: value })}
      />
      <Button
        component="label"
        size="compact-sm"
        variant="subtle"
        leftSection={<IconPhotoPlus size={16} aria-hidden="true" />}
      >
        {t("email.picture")}
        <input
          type="file"
          className="unseen"
          accept="image/png,image/jpeg,image/gif"
          onChange={({ currentTarget }) => {
            add(currentTarget.files?.[0]);
            currentTarget.value = "";
          }}
        />
      </Button>
    </div>
  );
}

type ToolProps = { label: string; on: boolean; does: () => unknown; children: ReactNode };

function Tool({ label, on, does, children }: ToolProps) {
  return (
    <ActionIcon
      variant={on ? "light" : "subtle"}
      color={on ? "teal" : "gray"}
      size={30}
      title={label}
      aria-label={label}
      aria-pressed={on}
      onClick={does}
    >
      {children}
    </ActionIcon>
  );
}

/** How long nobody writes before the mail is made, in milliseconds. */
const RESTS_MS = 500;

/** An answer as its customer gets it: made by what makes the mails themselves. */
function Shown({ mail }: { mail: Mail }) {
  const { t } = useTranslation("settings");
  const why = useWhy();
  // Only what is seen in a mail: how it is sent may be incomplete yet.
  const settings = {
    address: mail.address.includes("@") ? mail.address : "sac@exemplo.com",
    login: "google",
    protocol: "imap",
    sender_name: mail.sender_name ?? null,
    signature: mail.signature ?? { paragraphs: [] },
    pictures: mail.pictures ?? {},
  };
  const [asks] = useDebouncedValue(JSON.stringify(settings), RESTS_MS);
  const { data, error } = useQuery({
    queryKey: ["signature", asks],
    placeholderData: keepPreviousData,
    queryFn: () => {
      const body = { settings: JSON.parse(asks) } as Schemas["PreviewRequest"];
      return asked(api.POST("/api/v1/email/preview", { body }));
    },
  });
  return (
    <figure className={css.preview}>
      <figcaption>{t("email.preview")}</figcaption>
      {error !== null && <p className={css.bad}>{why(error)}</p>}
      {data === undefined ? (
        error === null && <Skeleton height={160} />
      ) : (
        <iframe
          className={css.frame}
          title={t("email.preview")}
          // Nothing in it runs; it is ours, so that its styles can be given to it.
          sandbox="allow-same-origin"
          srcDoc={data.page.replaceAll("<style", `<style nonce="${nonce}"`)}
          onLoad={({ currentTarget }) => dress(currentTarget.contentDocument)}
        />
      )}
    </figure>
  );
}

/** A frame within the page has the page's policy, by which styles that stand in a text are none: they are set. */
function dress(page: Document | null): void {
  for (const one of page?.querySelectorAll<HTMLElement>("[style]") ?? []) {
    one.style.cssText = one.getAttribute("style") ?? "";
  }
}
