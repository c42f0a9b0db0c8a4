import { describe, expect, it } from "vitest";
import { comparison, rangeOf } from "./range";
import { decode, encode, INITIAL, type View } from "./view";

const OTHER: View = {
  where: 'dst.service == "orders" && latency > 200ms || target == "/ä?&#=%+"',
  start: "1700000000204999999",
  end: "1700000060000000001",
  last: 300,
  level: "pod",
  quiet: true,
  find: "web",
  focus: "shop/orders",
  depth: 2,
  open: ["shop", "kube-system"],
  folded: false,
  compare: true,
  edge: '["shop/web","shop/orders","http"]',
  node: "shop/web",
  request: "0197-abc",
  detail: "packets",
  tab: "flows",
  panel: "full",
  order: "latency_ns",
  descending: true,
  failedFirst: true,
  columns: ["time", "request"],
  facets: true,
  moved: { "shop/web": { x: -12, y: 40 } },
  utc: true,
};

describe("the URL", () => {
  it("is empty for what is seen at first", () => {
    expect(encode(INITIAL)).toBe("");
    expect(decode("")).toEqual(INITIAL);
  });

  it("holds every part of the view", () => {
    for (const key of Object.keys(INITIAL) as (keyof View)[]) expect(OTHER[key], key).not.toEqual(INITIAL[key]);
    expect(decode(encode(OTHER))).toEqual(OTHER);
  });

  it("each part alone, too", () => {
    for (const key of Object.keys(INITIAL) as (keyof View)[]) {
      const view = { ...INITIAL, [key]: OTHER[key] };
      expect(decode(encode(view)), key).toEqual(view);
    }
  });

  it.each([
    "?start=now",
    "?level=planet",
    "?depth=1e9",
    "?moved={",
    "?moved=[[1,2,3]]",
    '?moved=[["a",null,"x"]]',
    "?last=-1",
    "?panel=__proto__",
  ])("%s is as if it were not there", (query) => {
    const view = decode(query);
    expect({ ...view, moved: {} }).toEqual(INITIAL);
  });

  it("has bounds", () => {
    expect(decode(`?where=${"a".repeat(100_000)}`).where).toHaveLength(8192);
  });
});

describe("time", () => {
  const summary = { first_ns: "1000000000000", last_ns: "1100000000000" } as Parameters<typeof rangeOf>[1];

  it("the last minute ends at the newest record of a session", () => {
    const range = rangeOf({ ...INITIAL, last: 60 }, summary, false);
    expect(range).toEqual({ start: "1040000000000", end: null });
  });

  it("all of it is compared half with half; a range with as much before it", () => {
    expect(comparison({ start: null, end: null }, summary)).toMatchObject({
      before: { start: "1000000000000", end: "1050000000000" },
      after: { start: "1050000000000", end: "1100000000001" },
    });
    expect(comparison({ start: "1080000000000", end: "1090000000000" }, summary)).toMatchObject({
      before: { start: "1070000000000", end: "1080000000000" },
    });
  });
});
