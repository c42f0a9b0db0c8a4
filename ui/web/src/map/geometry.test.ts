import { expect, it } from "vitest";
import { at, curves, labelPlaces, NODE_HEIGHT, NODE_WIDTH, namespaceBoxes, positions } from "./geometry";
import { nextNode } from "./neighbour";
import { edge, graph } from "./sample";

const MAP = graph(["a/1", "a/2"], ["a/1", "a/3"], ["a/2", "a/2"]);
const WHERE = positions(
  new Map([
    ["a/1", { column: 0, row: 0 }],
    ["a/2", { column: 1, row: 0 }],
    ["a/3", { column: 1, row: 1 }],
  ]),
  new Map([["a/3", { x: 500, y: 300 }]]),
);

it("what was dragged is where it was dragged to", () => {
  expect(WHERE.get("a/3")).toEqual({ x: 500, y: 300 });
});

it("edges go from the right side of one box to the left side of the other", () => {
  const line = curves(MAP.edges, WHERE).get(MAP.edges[0]!.key)!;
  expect(at(line, 0).x).toBe(NODE_WIDTH);
  expect(at(line, 1).x).toBe(WHERE.get("a/2")!.x);
});

it("two protocols between the same ends are two lines", () => {
  const both = graph(edge("a/1", "a/2"), edge("a/1", "a/2", { protocol: "grpc" }));
  const [one, other] = [...curves(both.edges, WHERE).values()];
  expect(at(one!, 0.5)).not.toEqual(at(other!, 0.5));
});

it("labels keep off the boxes, and off each other", () => {
  const lines = curves(MAP.edges, WHERE);
  const places = labelPlaces(
    MAP.edges.slice(0, 2).map(({ key }) => ({ key, width: 90 })),
    lines,
    WHERE,
  );
  for (const { x } of places) expect(x).toBeGreaterThan(NODE_WIDTH);
  expect(Math.abs(places[0]!.y - places[1]!.y) > 29 || Math.abs(places[0]!.x - places[1]!.x) > 89).toBe(true);
});

it("the box of a namespace holds its nodes", () => {
  const [box] = namespaceBoxes(MAP, WHERE);
  for (const { x, y } of WHERE.values()) {
    expect(x).toBeGreaterThan(box!.x);
    expect(x + NODE_WIDTH).toBeLessThan(box!.x + box!.width);
    expect(y + NODE_HEIGHT).toBeLessThan(box!.y + box!.height);
  }
});

it("the arrow keys go along the calls", () => {
  expect(nextNode(MAP, WHERE, "a/1", "ArrowRight")).toBe("a/2");
  expect(nextNode(MAP, WHERE, "a/2", "ArrowLeft")).toBe("a/1");
  expect(nextNode(MAP, WHERE, "a/2", "ArrowDown")).toBe("a/3");
  expect(nextNode(MAP, WHERE, "a/1", "ArrowUp")).toBeNull();
});
