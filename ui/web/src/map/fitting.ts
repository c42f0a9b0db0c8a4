// Names cut to the width of a box by measuring them. CSS could cut them, but every clip is a layer of its own to the
// browser: with 500 boxes over 3,000 edges each frame of a pan then took 60 ms of layering.

const MOST_KEPT = 4_096;
const known = new Map<string, string>();
let context: CanvasRenderingContext2D | null = null;

/** The text, or as much of its beginning as is that wide in the page's font, with an ellipsis. */
export function fitting(text: string, width: number, weight: number, size: number): string {
  const key = `${weight} ${size} ${width} ${text}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  context ??= document.createElement("canvas").getContext("2d")!;
  context.font = `${weight} ${size}px ${getComputedStyle(document.body).fontFamily}`;
  const made = cut(text, (part) => context!.measureText(part).width <= width);
  if (known.size >= MOST_KEPT) known.clear();
  known.set(key, made);
  return made;
}

/** The longest beginning that fits with an ellipsis; all of it if that fits. */
export function cut(text: string, fits: (part: string) => boolean): string {
  if (fits(text)) return text;
  const letters = [...text];
  let [least, most] = [0, letters.length - 1];
  while (least < most) {
    const middle = Math.ceil((least + most) / 2);
    if (fits(`${letters.slice(0, middle).join("")}…`)) least = middle;
    else most = middle - 1;
  }
  return `${letters.slice(0, least).join("")}…`;
}
