import { expect, it } from "vitest";
import { histogram } from "./Charts";

it("every call is in one bin, the failed counted apart", () => {
  const rows = [1e6, 2e6, 1e9, 1e9].map((latency_ns, n) => ({ latency_ns, outcome: n === 3 ? "timeout" : "ok" }));
  const made = histogram(rows as never)!;
  expect(made.counts.reduce((sum, { all }) => sum + all, 0)).toBe(4);
  expect(made.counts.at(-1)).toEqual({ all: 2, bad: 1 });
  expect(histogram([])).toBeNull();
  expect(histogram([rows[0]] as never)!.counts[0]!.all).toBe(1);
});
