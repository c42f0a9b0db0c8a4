// What the page shows, all of it in the URL: a link shows the same thing to a colleague.

import type { Point } from "../map/geometry";
import { LEVELS, type Level } from "../map/graph";
import type { Nanoseconds } from "../model/time";

export const TABS = ["requests", "edges", "flows", "health"] as const;
export type Tab = (typeof TABS)[number];
export const PANELS = ["low", "half", "full"] as const;
export type Panel = (typeof PANELS)[number];
export const DETAILS = ["timing", "request", "response", "messages", "connection", "packets"] as const;
export type Detail = (typeof DETAILS)[number];

export interface View {
  readonly where: string;
  readonly start: Nanoseconds | null;
  readonly end: Nanoseconds | null;
  /** Seconds up to now instead of start and end. */
  readonly last: number | null;
  readonly level: Level;
  readonly quiet: boolean;
  readonly find: string;
  readonly focus: string | null;
  readonly depth: number;
  /** Namespaces opened while the others are folded. */
  readonly open: readonly string[];
  /** Folded by namespace; null: as the size of the map says. */
  readonly folded: boolean | null;
  readonly compare: boolean;
  readonly edge: string | null;
  readonly node: string | null;
  readonly request: string | null;
  readonly detail: Detail;
  readonly tab: Tab;
  readonly panel: Panel;
  readonly order: string;
  readonly descending: boolean;
  readonly failedFirst: boolean;
  readonly columns: readonly string[];
  /** Values with counts beside the requests; null: where there is room. */
  readonly facets: boolean | null;
  readonly moved: Readonly<Record<string, Point>>;
  readonly utc: boolean;
}

export const INITIAL: View = {
  where: "",
  start: null,
  end: null,
  last: null,
  level: "service",
  quiet: false,
  find: "",
  focus: null,
  depth: 1,
  open: [],
  folded: null,
  compare: false,
  edge: null,
  node: null,
  request: null,
  detail: "timing",
  tab: "requests",
  panel: "half",
  order: "time",
  descending: false,
  failedFirst: false,
  columns: [],
  facets: null,
  moved: {},
  utc: false,
};

/** A filter may have so many characters (the API refuses more). */
const LONGEST = 8192;
/** Dragged nodes that a URL has room for. */
const MOST_MOVED = 100;

interface Codec<T> {
  write(value: T): string;
  read(text: string): T | undefined;
}

const text: Codec<string> = { write: (value) => value, read: (given) => given.slice(0, LONGEST) };
const textOrNull: Codec<string | null> = { write: (value) => value ?? "", read: (given) => given.slice(0, LONGEST) };
const flag: Codec<boolean> = { write: (value) => (value ? "1" : "0"), read: (given) => given === "1" };
const flagOrNull: Codec<boolean | null> = {
  write: (value) => (value ? "1" : "0"),
  read: (given) => (given === "1" ? true : given === "0" ? false : undefined),
};
const names: Codec<readonly string[]> = {
  write: (value) => value.join(","),
  read: (given) => given.split(",").filter(Boolean).slice(0, 50),
};
const time: Codec<Nanoseconds | null> = {
  write: (value) => value ?? "",
  read: (given) => (/^\d{1,19}$/.test(given) ? given : undefined),
};

function whole(least: number, most: number): Codec<number> {
  return {
    write: String,
    read: (given) => {
      const value = Number(given);
      return Number.isInteger(value) && value >= least && value <= most ? value : undefined;
    },
  };
}

function choice<T extends string>(known: readonly T[]): Codec<T> {
  return { write: (value) => value, read: (given) => known.find((one) => one === given) };
}

const points: Codec<Readonly<Record<string, Point>>> = {
  write: (value) =>
    JSON.stringify(
      Object.entries(value)
        .slice(0, MOST_MOVED)
        .map(([key, { x, y }]) => [key, Math.round(x), Math.round(y)]),
    ),
  read: (given) => {
    try {
      const listed: unknown = JSON.parse(given);
      if (!Array.isArray(listed)) return undefined;
      const read: Record<string, Point> = {};
      for (const [key, x, y] of listed.slice(0, MOST_MOVED) as [unknown, unknown, unknown][]) {
        if (typeof key === "string" && Number.isFinite(x) && Number.isFinite(y)) {
          read[key] = { x: x as number, y: y as number };
        }
      }
      return read;
    } catch {
      return undefined;
    }
  },
};

/** Name in the URL and form of each part, in the order in which a URL has them. */
const CODECS: { readonly [K in keyof View]: readonly [name: string, codec: Codec<View[K]>] } = {
  where: ["where", text],
  start: ["start", time],
  end: ["end", time],
  last: ["last", whole(1, 365 * 86_400) as Codec<number | null>],
  level: ["level", choice(LEVELS)],
  quiet: ["quiet", flag],
  find: ["find", text],
  focus: ["focus", textOrNull],
  depth: ["depth", whole(1, 9)],
  open: ["open", names],
  folded: ["folded", flagOrNull],
  compare: ["compare", flag],
  edge: ["edge", textOrNull],
  node: ["node", textOrNull],
  request: ["request", textOrNull],
  detail: ["detail", choice(DETAILS)],
  tab: ["tab", choice(TABS)],
  panel: ["panel", choice(PANELS)],
  order: ["order", text],
  descending: ["desc", flag],
  failedFirst: ["failed", flag],
  columns: ["columns", names],
  facets: ["facets", flagOrNull],
  moved: ["moved", points],
  utc: ["utc", flag],
};

/** The query of the URL; what is as at the beginning is left out. */
export function encode(view: View): string {
  const search = new URLSearchParams();
  const put = <K extends keyof View>(key: K): void => {
    const [name, codec] = CODECS[key];
    const written = codec.write(view[key]);
    if (view[key] !== null && written !== codec.write(INITIAL[key])) search.set(name, written);
    else if (INITIAL[key] === null && view[key] !== null) search.set(name, written);
  };
  for (const key of Object.keys(CODECS) as (keyof View)[]) put(key);
  const made = search.toString();
  return made ? `?${made}` : "";
}

/** The view of a URL's query; parts that can't be are as at the beginning. */
export function decode(query: string): View {
  const search = new URLSearchParams(query);
  const view: { -readonly [K in keyof View]: View[K] } = { ...INITIAL };
  const take = <K extends keyof View>(key: K): void => {
    const [name, codec] = CODECS[key];
    const given = search.get(name);
    const read = given === null ? undefined : codec.read(given);
    if (read !== undefined) view[key] = read;
  };
  for (const key of Object.keys(CODECS) as (keyof View)[]) take(key);
  return view;
}
