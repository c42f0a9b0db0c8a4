// The one log scale of latency: lengths of bars (1 ms to 10 s) and colours (0.25 ms to 10 s).

const BAR_FROM = 1e6;
const BAR_DECADES = 4;
const FROM = 250_000;
const TO = 10e9;

type Colour = readonly [number, number, number];

/** Fast to slow. On light paper it darkens all the way, on dark it brightens: it reads in any colour vision. */
const SCALES: Record<"light" | "dark", readonly Colour[]> = {
  light: [
    [0x8f, 0xb8, 0xd8],
    [0x5f, 0x93, 0xd0],
    [0x7a, 0x62, 0xc4],
    [0xa1, 0x32, 0x8f],
    [0x7a, 0x0b, 0x2e],
  ],
  dark: [
    [0x3f, 0x5f, 0x80],
    [0x4f, 0x86, 0xc9],
    [0x9b, 0x8a, 0xec],
    [0xf0, 0x8f, 0xd0],
    [0xff, 0xd0, 0xa8],
  ],
};

/** Share of a full bar: a sliver at 1 ms, full at 10 s. */
export function barShare(ns: number | null): number {
  if (ns === null) return 0;
  return Math.min(Math.max(Math.log10(Math.max(ns, 1) / BAR_FROM) / BAR_DECADES, 0.03), 1);
}

/** Place on the colour scale, 0 to 1. */
export function place(ns: number): number {
  return Math.log(Math.min(Math.max(ns, FROM), TO) / FROM) / Math.log(TO / FROM);
}

export function latencyColour(ns: number | null, theme: "light" | "dark"): string {
  if (ns === null) return theme === "light" ? "#8a949c" : "#75828d";
  const scale = SCALES[theme];
  const at = place(ns) * (scale.length - 1);
  const index = Math.min(Math.floor(at), scale.length - 2);
  const [a, b] = [scale[index]!, scale[index + 1]!];
  const mixed = a.map((part, channel) => Math.round(part + (b[channel]! - part) * (at - index)));
  return `#${mixed.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}
