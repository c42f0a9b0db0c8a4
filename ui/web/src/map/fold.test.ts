import { describe, expect, it } from "vitest";
import { draw } from "./drawn";
import { around, found, withoutNoise } from "./focus";
import { beginsFolded, foldNamespaces, foldOutside, largest } from "./fold";
import { edgeKey } from "./graph";
import { edge, graph, large } from "./sample";

const WISHES = { quiet: false, focus: null, depth: 1, folded: null, open: [], find: "" };

describe("outside hosts", () => {
  const hosts = [1, 2, 3, 4].map((n) => edge("shop/web", `/h${n}.cdn.example`, { calls: n, p95: n * 1e6 }));

  it("that are called alike become one, with sums and the worst latency", () => {
    const folded = foldOutside(graph(...hosts));
    expect([...folded.nodes.values()].map(({ name }) => name)).toContain("*.cdn.example (4)");
    expect(folded.edges).toHaveLength(1);
    expect(folded.edges[0]).toMatchObject({ calls: 10, p95: 4e6 });
  });

  it("addresses that are called alike may be inside: only their number is said", () => {
    const calls = [1, 2, 3, 4].map((n) => edge("shop/web", `/10.0.0.${n}`));
    const seen = graph(...calls);
    const nodes = new Map([...seen.nodes].map(([key, node]) => [key, { ...node, kind: "address" as const }]));
    const folded = foldOutside({ ...seen, nodes });
    expect([...folded.nodes.values()].map(({ name }) => name)).toContain("4 addresses");
  });

  it("three are left as they are", () => {
    expect(foldOutside(graph(...hosts.slice(0, 3))).edges).toHaveLength(3);
  });

  it("that call someone, or are dead for one caller, are left out of it", () => {
    const dead = edge("shop/web", "/h4.cdn.example", { calls: 0, errors: 0, refused: 3 });
    expect(foldOutside(graph(...hosts.slice(0, 3), dead)).edges).toHaveLength(4);
    expect(foldOutside(graph(...hosts, edge("/h1.cdn.example", "shop/web"))).edges).toHaveLength(5);
  });
});

describe("namespaces", () => {
  const map = graph(["a/1", "a/2"], ["a/2", "b/1"], ["a/1", "b/2"], ["/out", "a/1"]);

  it("fold to one node each; calls inside them go", () => {
    const folded = foldNamespaces(map, new Set());
    expect([...folded.nodes.values()].map(({ name }) => name).sort()).toEqual(["a", "b", "out"]);
    expect(folded.edges.map(({ calls }) => calls).sort()).toEqual([100, 200]);
  });

  it("open one by one", () => {
    const folded = foldNamespaces(map, new Set(["a"]));
    expect([...folded.nodes.values()].map(({ name }) => name).sort()).toEqual(["1", "2", "b", "out"]);
  });

  it("a large map begins folded, a small one not", () => {
    expect(beginsFolded(map)).toBe(false);
    const whole = large(400, 1_000);
    expect(beginsFolded(whole)).toBe(true);
    expect(draw(whole, new Map(), "service", WISHES).graph.nodes.size).toBe(20);
    expect(draw(whole, new Map(), "service", { ...WISHES, folded: false }).graph.nodes.size).toBe(400);
  });
});

it("never draws more than can be drawn, and says what is hidden", () => {
  const { graph: part, hiddenNodes, hiddenEdges } = largest(large(900, 4_000), 500, 3_000);
  expect(part.nodes.size).toBeLessThanOrEqual(500);
  expect(part.edges.length).toBeLessThanOrEqual(3_000);
  expect(part.nodes.size + hiddenNodes).toBe(900);
  expect(part.edges.length + hiddenEdges).toBe(4_000);
  for (const { src, dst } of part.edges) expect(part.nodes.has(src) && part.nodes.has(dst)).toBe(true);
});

describe("focus and search", () => {
  const chain = graph(["a/1", "a/2"], ["a/2", "a/3"], ["a/3", "a/4"], ["a/9", "a/3"]);

  it("keeps callers and called, as deep as asked", () => {
    expect([...around(chain, "a/3", 1).nodes.keys()].sort()).toEqual(["a/2", "a/3", "a/4", "a/9"]);
    expect(around(chain, "a/3", 2).nodes.size).toBe(5);
  });

  it("finds by all words, in name and namespace", () => {
    expect(found(chain, "  ")).toBeNull();
    expect([...found(graph(["shop/orders", "shop/news"]), "SHOP ord")!]).toEqual(["shop/orders"]);
  });

  it("a focus that is no longer there shows everything", () => {
    expect(draw(chain, new Map(), "service", { ...WISHES, focus: "a/gone" }).graph.nodes.size).toBe(5);
  });
});

it("noise goes, and what had no other edge; what is mixed or dead stays", () => {
  const dns = edge("a/1", "sys/dns", { protocol: "dns" });
  const probes = edge("/kubelet", "a/1");
  const mixed = edge("a/1", "a/2");
  const dead = edge("a/1", "a/3", { calls: 0, refused: 9 });
  const noise = new Map([
    [edgeKey("/kubelet", "a/1", "http"), 100],
    [edgeKey("a/1", "a/2", "http"), 40],
  ]);
  const quiet = withoutNoise(graph(dns, probes, mixed, dead), noise);
  expect(quiet.graph.edges.map(({ dst }) => dst)).toEqual(["a/2", "a/3"]);
  expect([...quiet.graph.nodes.keys()].sort()).toEqual(["a/1", "a/2", "a/3"]);
  expect(quiet).toMatchObject({ hiddenEdges: 2, hiddenNodes: 2 });
});
