// The cases are those of the terminal: one table for both.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { count, duration, rate, share, size } from "./figures";
import { clean } from "./text";

// Parsed here: the bundler's own reader of JSON refuses half a surrogate pair, which is one of the cases.
const cases = JSON.parse(readFileSync("../../tests/ui/figures.json", "utf8")) as Record<string, [unknown, string][]>;

// biome-ignore lint/suspicious/noExplicitAny: the table has what each function takes
const shows: Record<string, (given: any) => string> = {
  duration,
  size,
  count,
  rate,
  share: ([part, whole]: [number, number]) => share(part, whole),
  clean,
};

describe.each(Object.entries(cases))("%s", (name, listed) => {
  it.each(listed)("%j is %j", (given, shown) => {
    expect(shows[name]!(given)).toBe(shown);
  });
});

it("every function of the table is here", () => {
  expect(Object.keys(cases).sort()).toEqual(Object.keys(shows).sort());
});
