// Times are strings of ns since the epoch, as the API gives them: a JavaScript number can't hold one.

/** ns since the epoch, in decimal. */
export type Nanoseconds = string;

/** For axes and clocks, where a fraction of a microsecond doesn't matter. */
export function milliseconds(time: Nanoseconds): number {
  return Number(time) / 1e6;
}

export function nanoseconds(ms: number): Nanoseconds {
  const whole = Math.floor(ms);
  return String(BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1e6)));
}

/** b - a in ns; of times less than 100 days apart it is exact. */
export function between(a: Nanoseconds, b: Nanoseconds): number {
  return Number(BigInt(b) - BigInt(a));
}

export function plus(time: Nanoseconds, ns: number): Nanoseconds {
  return String(BigInt(time) + BigInt(Math.round(ns)));
}

const pad = (value: number, digits = 2): string => String(value).padStart(digits, "0");

/** `12:04:31.204`; milliseconds are cut, not rounded, so that order stays visible. */
export function timeOfDay(time: Nanoseconds, utc = false): string {
  const ms = Number(BigInt(time) / 1_000_000n);
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return "-";
  return utc
    ? `${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}:${pad(date.getUTCSeconds())}.${pad(date.getUTCMilliseconds(), 3)}`
    : `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
}

/** `12:04:31`, for axes. */
export function clock(time: Nanoseconds, utc = false): string {
  return timeOfDay(time, utc).slice(0, 8);
}

/** `2026-01-31`. */
export function dateOf(time: Nanoseconds, utc = false): string {
  const date = new Date(Number(BigInt(time) / 1_000_000n));
  return utc
    ? `${date.getUTCFullYear()}-${pad(date.getUTCMonth() + 1)}-${pad(date.getUTCDate())}`
    : `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

/** ISO 8601 in UTC with all its nanoseconds. */
export function iso(time: Nanoseconds): string {
  const value = BigInt(time);
  const seconds = new Date(Number(value / 1_000_000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(value % 1_000_000_000n).padStart(9, "0")}Z`;
}
