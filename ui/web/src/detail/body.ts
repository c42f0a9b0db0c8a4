// Ways to look at a body, as lines of text with classes: never markup. What is captured may be hostile and long.

import { clean, cleanLines } from "../model/text";

/** Bytes and lines that are shown: more makes a page slow, and nobody reads it. */
export const MOST_BYTES = 1 << 20;
const MOST_LINES = 5_000;
const MOST_LINE = 4_000;

export interface Span {
  readonly text: string;
  readonly kind?: "key" | "string" | "literal";
}

export interface Shown {
  readonly spans: readonly Span[];
  readonly notes: readonly string[];
}

export type BodyView = "json" | "form" | "text" | "image" | "hex";

export interface Body {
  /** As the API gives it. */
  readonly text: string;
  readonly encoding: "base64" | null;
  readonly type: string;
  readonly cut: boolean;
}

/** Pictures that hold no program. SVG does: it is shown as text. */
const IMAGES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"]);

export function bytesOf(body: Body): Uint8Array<ArrayBuffer> {
  if (body.encoding === "base64") return Uint8Array.from(atob(body.text), (char) => char.charCodeAt(0));
  return new TextEncoder().encode(body.text);
}

/** What suits it, best first; hex shows everything. */
export function views(body: Body): readonly BodyView[] {
  const found: BodyView[] = [];
  const media = body.type.split(";")[0]!.trim().toLowerCase();
  if (IMAGES.has(media)) found.push("image");
  if (body.encoding === null) {
    if (/[/+]json$/.test(media) || (/^(|text\/plain)$/.test(media) && /^\s*[[{]/.test(body.text))) found.push("json");
    if (media === "application/x-www-form-urlencoded") found.push("form");
    found.push("text");
  }
  return [...found, "hex"];
}

export function imageType(body: Body): string | null {
  const media = body.type.split(";")[0]!.trim().toLowerCase();
  return IMAGES.has(media) ? media : null;
}

export function show(body: Body, view: BodyView): Shown {
  const notes = body.cut ? ["the end of the body was not captured"] : [];
  if (view === "hex") return hex(bytesOf(body), notes);
  const text = body.text.slice(0, MOST_BYTES);
  if (text.length < body.text.length) notes.push("only the first 1 MiB is shown");
  if (view === "json") return json(text, notes);
  if (view === "form") return form(text, notes);
  return bounded(cleanLines(text).split("\n"), notes);
}

function bounded(lines: readonly string[], notes: readonly string[]): Shown {
  const kept = lines.slice(0, MOST_LINES);
  const more = lines.length > kept.length ? [`only the first ${MOST_LINES} lines are shown`] : [];
  const text = kept
    .map((line) =>
      line.length > MOST_LINE ? `${line.slice(0, MOST_LINE)}… (${line.length - MOST_LINE} characters more)` : line,
    )
    .join("\n");
  return { spans: [{ text }], notes: [...notes, ...more] };
}

const TOKEN = /\s+|"(?:[^"\\]|\\.)*"?|[[\]{},:]|-?\d[\d.eE+-]*|[A-Za-z]+|./gs;

/** Indented as sent: numbers keep their digits, names that are there twice stay; cut JSON goes as far as it goes. */
function json(text: string, notes: readonly string[]): Shown {
  const spans: Span[] = [];
  let plain = "";
  let depth = 0;
  let lines = 1;
  let previous = "";
  const flush = (): void => {
    if (plain) spans.push({ text: plain });
    plain = "";
  };
  const line = (): void => {
    plain += `\n${"  ".repeat(Math.min(depth, 40))}`;
    lines++;
  };
  const tokens = (text.match(TOKEN) ?? []).filter((token) => token.trim());
  for (const [index, token] of tokens.entries()) {
    if (lines > MOST_LINES) {
      flush();
      return { spans, notes: [...notes, `only the first ${MOST_LINES} lines are shown`] };
    }
    if (token === "}" || token === "]") {
      depth = Math.max(depth - 1, 0);
      if (previous !== "{" && previous !== "[") line();
      plain += token;
    } else {
      if (previous === "{" || previous === "[" || previous === ",") line();
      if (token === "{" || token === "[") {
        depth++;
        plain += token;
      } else if (token === ":") plain += ": ";
      else if (token === ",") plain += token;
      else {
        flush();
        const shown = clean(token.slice(0, MOST_LINE));
        const kind = tokens[index + 1] === ":" ? "key" : token.startsWith('"') ? "string" : "literal";
        spans.push({ text: token.length > MOST_LINE ? `${shown}…` : shown, kind });
      }
    }
    previous = token;
  }
  flush();
  return { spans, notes };
}

function form(text: string, notes: readonly string[]): Shown {
  const spans: Span[] = [];
  for (const [name, value] of [...new URLSearchParams(text)].slice(0, MOST_LINES)) {
    spans.push({ text: clean(name), kind: "key" }, { text: ` = ${clean(value.slice(0, MOST_LINE))}\n` });
  }
  return { spans, notes };
}

const MOST_HEX = 16 * 1024;

function hex(bytes: Uint8Array, notes: readonly string[]): Shown {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, MOST_HEX); at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const digits = row.map((byte) => byte.toString(16).padStart(2, "0"));
    const left = digits.slice(0, 8).join(" ").padEnd(23);
    const right = digits.slice(8).join(" ").padEnd(23);
    const text = row.map((byte) => (byte > 0x1f && byte < 0x7f ? String.fromCharCode(byte) : "·")).join("");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${left}  ${right}  ${text}`);
  }
  const more =
    bytes.length > MOST_HEX ? [`only the first ${MOST_HEX >> 10} KiB of ${bytes.length} bytes are shown`] : [];
  return { spans: [{ text: lines.join("\n") }], notes: [...notes, ...more] };
}
