// Captured text for one line of the page: React never makes markup of it; this makes what has no shape visible.

/** Text in one line that hides nothing: controls as their pictures (`␛`), others as `\u202e` (tapper.model.text.clean). */
export function clean(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, visible);
}

function visible(char: string): string {
  const code = char.codePointAt(0)!;
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return "␡";
  if (/\p{Zs}/u.test(char)) return " ";
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}

/** The same for text of several lines: line ends and tabs stay. */
export function cleanLines(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => clean(line.replaceAll("\t", "    ")))
    .join("\n");
}
