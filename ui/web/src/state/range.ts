// The range of time that is shown: as chosen, or the last minutes up to the newest record.

import type { Schemas } from "../api/client";
import { between, type Nanoseconds, nanoseconds, plus } from "../model/time";
import type { View } from "./view";

export interface Range {
  readonly start: Nanoseconds | null;
  readonly end: Nanoseconds | null;
}

export const EVERYTHING: Range = { start: null, end: null };

/** The start of the last minutes moves in steps, so that an answer is good for more than an instant. */
const STEPS = 60;

export function rangeOf(view: View, summary: Schemas["Summary"] | undefined, live: boolean): Range {
  if (view.last === null) return { start: view.start, end: view.end };
  const newest = live ? nanoseconds(Date.now()) : (summary?.last_ns ?? null);
  if (newest === null) return EVERYTHING;
  const step = BigInt(Math.max(Math.round((view.last * 1e9) / STEPS), 1));
  const start = BigInt(newest) - BigInt(view.last) * 1_000_000_000n;
  return { start: String((start / step) * step), end: null };
}

/** From where to where the range really goes. */
export function boundsOf(range: Range, summary: Schemas["Summary"] | undefined): [Nanoseconds, Nanoseconds] | null {
  if (!summary?.first_ns || !summary.last_ns) return null;
  return [range.start ?? summary.first_ns, range.end ?? plus(summary.last_ns, 1)];
}

/** What a range is compared with: as much time right before it; of all there is, its first half with its second. */
export function comparison(
  range: Range,
  summary: Schemas["Summary"] | undefined,
): { before: Required<Range>; after: Required<Range> } | null {
  const bounds = boundsOf(range, summary);
  if (!bounds) return null;
  const [start, end] = bounds;
  const length = between(start, end);
  if (range.start === null) {
    const middle = plus(start, Math.floor(length / 2));
    return { before: { start, end: middle }, after: { start: middle, end } };
  }
  return { before: { start: plus(start, -length), end: start }, after: { start, end } };
}
