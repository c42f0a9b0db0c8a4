// Figures as people read them: the same forms as in the terminal (tapper/model/text.py). tests/ui/figures.json has the
// cases that both are held to. A figure that is not known is null and shown as "-".

export const UNKNOWN = "-";

const SECOND = 1_000_000_000;

/** Decimals as Python's format has them: exact ties go to the even digit, where toFixed goes up. */
function fixed(value: number, digits: number): string {
  const scaled = value * 10 ** digits;
  const tie = Number.isInteger(value * 2 ** (digits + 1)) && Math.abs(scaled % 1) === 0.5;
  return (tie ? (2 * Math.round(scaled / 2)) / 10 ** digits : value).toFixed(digits);
}

function grouped(value: number, digits = 0): string {
  const [whole = "", rest] = fixed(value, digits).split(".");
  const text = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return rest === undefined ? text : `${text}.${rest}`;
}

function short(value: number, digits: number): string {
  return fixed(value, digits).replace(/\.?0+$/, "");
}

/** Three significant digits of a value from 0.995 to 999.5. */
function three(value: number): string {
  if (value < 9.995) return fixed(value, 2);
  return fixed(value, value < 99.95 ? 1 : 0);
}

const two = (value: number): string => String(value).padStart(2, "0");

/** Three digits and a unit: `12.4 ms`, `1.80 s`; under 1 ms two decimals; from 100 s on, minutes and more. */
export function duration(ns: number | null | undefined): string {
  if (ns === null || ns === undefined) return UNKNOWN;
  if (ns < 0) return `-${duration(-ns)}`;
  if (ns < 5_000) return `${short(ns / 1e6, 3)} ms`;
  if (ns < 995_000) return `${short(ns / 1e6, 2)} ms`;
  if (ns < 999.5e6) return `${three(ns / 1e6)} ms`;
  if (ns < 99.95 * SECOND) return `${three(ns / SECOND)} s`;
  const seconds = Math.floor((ns + SECOND / 2) / SECOND);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  return `${Math.floor(minutes / 1440)} d ${two(Math.floor((minutes % 1440) / 60))} h`;
}

/** Bytes with 1024 as base: `420`, `1.1K`, `12K`, `3.4M`. */
export function size(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return UNKNOWN;
  if (bytes < 1024) return String(bytes);
  let value = bytes;
  for (const unit of "KMGTPE") {
    value /= 1024;
    if (value < 9.95) return `${fixed(value, 1)}${unit}`;
    if (value < 1023.5) return `${fixed(value, 0)}${unit}`;
  }
  return `${fixed(value, 0)}E`;
}

/** A number of things: `1,482`, from a million on `1.2 M`, `3.4 G`. */
export function count(number: number | null | undefined): string {
  if (number === null || number === undefined) return UNKNOWN;
  if (number < 1_000_000) return grouped(number);
  if (number < 999_950_000) return `${fixed(number / 1e6, 1)} M`;
  return `${grouped(number / 1e9, 1)} G`;
}

/** Things per second: `2,113/s`, `4.2/s`, `0.05/s`. */
export function rate(perSecond: number | null | undefined): string {
  if (perSecond === null || perSecond === undefined || Number.isNaN(perSecond)) return UNKNOWN;
  if (perSecond === 0) return "0/s";
  if (perSecond < 0.01) return "<0.01/s";
  if (perSecond < 0.995) return `${short(perSecond, 2)}/s`;
  if (perSecond < 9.95) return `${short(perSecond, 1)}/s`;
  if (perSecond < 99_999.5) return `${grouped(perSecond)}/s`;
  return perSecond < 999_500 ? `${grouped(perSecond / 1e3)}k/s` : `${fixed(perSecond / 1e6, 1)}M/s`;
}

/** A part as per cent of a whole: `2.1 %`, `43 %`; only none is `0 %` and only all is `100 %`. */
export function share(part: number, whole: number): string {
  if (whole <= 0) return UNKNOWN;
  const percent = (100 * part) / whole;
  if (part === 0 || part === whole) return `${fixed(percent, 0)} %`;
  if (percent < 0.1) return "<0.1 %";
  if (percent > 99) return ">99 %";
  return `${fixed(percent, percent < 9.95 ? 1 : 0)} %`;
}

/** `1 request`, `2 requests`. */
export function plural(number: number, word: string, several = `${word}s`): string {
  return `${count(number)} ${number === 1 ? word : several}`;
}
