import { describe, expect, it } from "vitest";
import type { Graph } from "./graph";
import { edge, graph, large, node } from "./sample";
import { seed } from "./seed";
import { placed, type Slots, seeded } from "./slots";

function laid(map: Graph): Slots {
  return seeded(map, seed({ nodes: [...map.nodes.keys()], edges: map.edges.map(({ src, dst }) => [src, dst, 1]) }));
}

const SHOP = graph(
  ["/visitor", "shop/web"],
  ["shop/web", "shop/gateway"],
  ["shop/gateway", "shop/orders"],
  ["shop/gateway", "shop/news"],
  ["shop/orders", "shop/payments"],
  ["shop/orders", "kube-system/kube-dns"],
);

function withEdge(map: Graph, src: string, dst: string): Graph {
  return {
    nodes: new Map([...map.nodes, [src, map.nodes.get(src) ?? node(src)], [dst, map.nodes.get(dst) ?? node(dst)]]),
    edges: [...map.edges, edge(src, dst)],
  };
}

function expectApart(slots: Slots): void {
  const listed = [...slots];
  for (const [index, [a, one]] of listed.entries()) {
    for (const [b, other] of listed.slice(index + 1)) {
      if (one.column === other.column) expect(Math.abs(one.row - other.row), `${a} and ${b}`).toBeGreaterThanOrEqual(1);
    }
  }
}

describe("the first layout", () => {
  it("has callers left of those they call", () => {
    const slots = laid(SHOP);
    for (const { src, dst } of SHOP.edges) expect(slots.get(src)!.column).toBeLessThan(slots.get(dst)!.column);
  });

  it("gives every namespace rows of its own", () => {
    const slots = laid(SHOP);
    const rows = ["web", "gateway", "orders", "news", "payments"].map((name) => slots.get(`shop/${name}`)!.row);
    const dns = slots.get("kube-system/kube-dns")!.row;
    expect(dns < Math.min(...rows) || dns > Math.max(...rows)).toBe(true);
  });

  it("puts no two nodes in one place, even of 500", () => {
    const map = large(500, 800);
    const slots = laid(map);
    expect(slots.size).toBe(500);
    expectApart(slots);
  });

  it("comes to an end with calls in circles, to oneself, and between all", () => {
    const circle = graph(["a/1", "a/2"], ["a/2", "a/3"], ["a/3", "a/1"], ["a/1", "a/1"]);
    expectApart(laid(circle));
    expect(laid(circle).size).toBe(3);
  });

  it("is the same each time", () => {
    expect([...laid(SHOP)]).toEqual([...laid(SHOP)]);
  });
});

describe("what comes later", () => {
  it("moves nothing, and stands right of its caller", () => {
    const before = laid(SHOP);
    const after = placed(withEdge(SHOP, "shop/orders", "shop/audit"), before);
    for (const [key, slot] of before) expect(after.get(key)).toEqual(slot);
    expect(after.get("shop/audit")!.column).toBe(before.get("shop/orders")!.column + 1);
    expectApart(after);
  });

  it("a new caller stands left of whom it calls", () => {
    const before = laid(SHOP);
    const after = placed(withEdge(SHOP, "/newcomer", "shop/web"), before);
    expect(after.get("/newcomer")!.column).toBe(before.get("shop/web")!.column - 1);
    expectApart(after);
  });

  it("many at once find places, one by one, and none in another namespace's box", () => {
    let map = SHOP;
    for (let n = 0; n < 30; n++) map = withEdge(map, n % 2 ? "shop/orders" : `shop/new-${n - 2}`, `shop/new-${n}`);
    const before = laid(SHOP);
    const after = placed(map, before);
    expectApart(after);
    for (const [key, slot] of before) expect(after.get(key)).toEqual(slot);
  });

  it("a node that is lost keeps its slot until it is there again", () => {
    const before = laid(SHOP);
    const without: Graph = {
      nodes: new Map([...SHOP.nodes].filter(([key]) => key !== "shop/news")),
      edges: SHOP.edges.filter(({ dst }) => dst !== "shop/news"),
    };
    const between = placed(without, before);
    expect(between.get("shop/news")).toEqual(before.get("shop/news"));
    expect(placed(SHOP, between)).toBe(between);
  });
});
