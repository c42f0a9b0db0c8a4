import { describe, expect, it } from "vitest";
import { layered } from "./layers";
import { graph, large } from "./sample";
import { seed } from "./seed";
import { seeded } from "./slots";

function outline(map: ReturnType<typeof graph>) {
  return { nodes: [...map.nodes.keys()], edges: map.edges.map(({ src, dst }) => [src, dst, 1] as const) };
}

describe("the layout of large maps", () => {
  it("puts callers left of whom they call", () => {
    const map = graph(["/visitor", "a/web"], ["a/web", "a/orders"], ["a/orders", "a/users"], ["a/web", "a/users"]);
    const columns = Object.fromEntries([...layered(outline(map))].map(([key, { column }]) => [key, column]));
    expect(columns).toEqual({ "/visitor": 0, "a/web": 1, "a/orders": 2, "a/users": 3 });
  });

  it("puts who only calls right before whom it calls", () => {
    const map = graph(["/visitor", "a/web"], ["a/web", "a/orders"], ["a/orders", "a/users"], ["a/probe", "a/users"]);
    expect(layered(outline(map)).get("a/probe")!.column).toBe(2);
  });

  it("comes to an end with calls in circles, to oneself, and none", () => {
    const map = graph(["a/1", "a/2"], ["a/2", "a/3"], ["a/3", "a/1"], ["a/1", "a/1"]);
    expect([...layered(outline(map)).values()].map(({ column }) => column)).toEqual([0, 1, 2]);
    expect(layered({ nodes: ["a/1"], edges: [] }).get("a/1")).toEqual({ column: 0, order: 0 });
    expect(layered({ nodes: [], edges: [] }).size).toBe(0);
  });

  it("orders columns so that neighbours stand side by side", () => {
    const pairs = Array.from({ length: 8 }, (_, n) => [`a/caller-${n}`, `a/called-${(n * 5) % 8}`] as const);
    const places = layered(outline(graph(...pairs)));
    const crossings = pairs.flatMap(([src, dst]) =>
      pairs.filter(
        ([other, to]) =>
          places.get(src)!.order < places.get(other)!.order && places.get(dst)!.order > places.get(to)!.order,
      ),
    );
    expect(crossings).toEqual([]);
  });

  it("takes less than a second for 500 services with 3,000 edges, is the same each time, and not much higher than wide", () => {
    const map = large(500, 3_000);
    const begun = performance.now();
    const slots = seeded(map, seed(outline(map)));
    expect(performance.now() - begun).toBeLessThan(1_000);
    expect([...seeded(map, seed(outline(map)))]).toEqual([...slots]);
    const places = new Set([...slots.values()].map(({ column, row }) => `${column} ${row}`));
    expect(places.size).toBe(500);
  });
});
