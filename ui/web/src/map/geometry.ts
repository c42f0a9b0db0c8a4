// From slots to the drawing: boxes of nodes and namespaces, curves of edges and the places of their labels.

import type { Edge, Graph } from "./graph";
import type { Slot, Slots } from "./slots";

export const NODE_WIDTH = 172;
export const NODE_HEIGHT = 44;
export const COLUMN = 340;
export const ROW = 84;

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Where people dragged nodes to, over the slots. */
export type Moved = ReadonlyMap<string, Point>;

export function position(slot: Slot): Point {
  return { x: slot.column * COLUMN, y: slot.row * ROW };
}

export function positions(slots: Slots, moved: Moved): Map<string, Point> {
  return new Map([...slots].map(([key, slot]) => [key, moved.get(key) ?? position(slot)]));
}

export interface Box {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const PADDING = 16;
const TITLE = 20;

/** Boxes around the nodes of each namespace, after the layout. */
export function namespaceBoxes(graph: Graph, where: ReadonlyMap<string, Point>): Box[] {
  const spaces = new Map<string, Point[]>();
  for (const [key, node] of graph.nodes) {
    const at = where.get(key);
    if (!at || node.namespace === null || node.kind === "namespace") continue;
    spaces.set(node.namespace, [...(spaces.get(node.namespace) ?? []), at]);
  }
  return [...spaces].map(([name, points]) => {
    const left = Math.min(...points.map((point) => point.x)) - PADDING;
    const top = Math.min(...points.map((point) => point.y)) - PADDING - TITLE;
    const right = Math.max(...points.map((point) => point.x)) + NODE_WIDTH + PADDING;
    const bottom = Math.max(...points.map((point) => point.y)) + NODE_HEIGHT + PADDING;
    return { name, x: left, y: top, width: right - left, height: bottom - top };
  });
}

export interface Curve {
  readonly from: Point;
  readonly c1: Point;
  readonly c2: Point;
  readonly to: Point;
}

export function at({ from, c1, c2, to }: Curve, t: number): Point {
  const s = 1 - t;
  const [a, b, c, d] = [s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t];
  return { x: a * from.x + b * c1.x + c * c2.x + d * to.x, y: a * from.y + b * c1.y + c * c2.y + d * to.y };
}

export function path({ from, c1, c2, to }: Curve): string {
  const p = ({ x, y }: Point): string => `${x.toFixed(1)} ${y.toFixed(1)}`;
  return `M${p(from)}C${p(c1)} ${p(c2)} ${p(to)}`;
}

/** Curves of all edges. They leave at the right and come in at the left, in the order of their other ends. */
export function curves(edges: readonly Edge[], where: ReadonlyMap<string, Point>): Map<string, Curve> {
  const leaving = ports(edges, where, "src", "dst");
  const coming = ports(edges, where, "dst", "src");
  const made = new Map<string, Curve>();
  for (const edge of edges) {
    const [src, dst] = [where.get(edge.src), where.get(edge.dst)];
    if (!src || !dst) continue;
    const from = { x: src.x + NODE_WIDTH, y: src.y + NODE_HEIGHT / 2 + (leaving.get(edge.key) ?? 0) };
    const to = { x: dst.x, y: dst.y + NODE_HEIGHT / 2 + (coming.get(edge.key) ?? 0) };
    made.set(edge.key, edge.src === edge.dst ? loop(src) : curve(from, to));
  }
  return made;
}

function curve(from: Point, to: Point): Curve {
  const gap = to.x - from.x;
  if (gap > 24) {
    const reach = Math.min(gap / 2, 160);
    return { from, c1: { x: from.x + reach, y: from.y }, c2: { x: to.x - reach, y: to.y }, to };
  }
  // Back to an earlier column: around, above or below what is between.
  const side = to.y > from.y + NODE_HEIGHT ? 0 : -1;
  const lift = side * (NODE_HEIGHT + 30);
  const reach = 90 + Math.min(Math.abs(gap) / 3, 220);
  return { from, c1: { x: from.x + reach, y: from.y + lift }, c2: { x: to.x - reach, y: to.y + lift }, to };
}

function loop(at: Point): Curve {
  const from = { x: at.x + NODE_WIDTH - 30, y: at.y };
  const to = { x: at.x + NODE_WIDTH, y: at.y + 14 };
  return { from, c1: { x: from.x, y: from.y - 44 }, c2: { x: to.x + 44, y: to.y - 14 }, to };
}

function ports(
  edges: readonly Edge[],
  where: ReadonlyMap<string, Point>,
  end: "src" | "dst",
  other: "src" | "dst",
): Map<string, number> {
  const byNode = new Map<string, Edge[]>();
  for (const edge of edges) {
    const listed = byNode.get(edge[end]);
    if (listed) listed.push(edge);
    else byNode.set(edge[end], [edge]);
  }
  const offsets = new Map<string, number>();
  for (const listed of byNode.values()) {
    listed.sort((a, b) => (where.get(a[other])?.y ?? 0) - (where.get(b[other])?.y ?? 0) || (a.key < b.key ? -1 : 1));
    const step = Math.min(10, (NODE_HEIGHT - 12) / Math.max(listed.length - 1, 1));
    for (const [index, edge] of listed.entries()) offsets.set(edge.key, (index - (listed.length - 1) / 2) * step);
  }
  return offsets;
}

export interface Place extends Point {
  readonly key: string;
}

const LABEL_HEIGHT = 30;
const STEPS = [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74];

/** Middles for labels of these widths, on their curves, away from nodes and from each other where there is room. */
export function labelPlaces(
  labels: readonly { key: string; width: number }[],
  lines: ReadonlyMap<string, Curve>,
  where: ReadonlyMap<string, Point>,
): Place[] {
  const taken: Box[] = [...where.values()].map((point) => ({
    name: "",
    ...point,
    width: NODE_WIDTH,
    height: NODE_HEIGHT,
  }));
  const made: Place[] = [];
  for (const { key, width } of labels) {
    const line = lines.get(key);
    if (!line) continue;
    let best: { box: Box; overlap: number; point: Point } | null = null;
    for (const step of STEPS) {
      const point = at(line, step);
      const box = { name: key, x: point.x - width / 2, y: point.y - LABEL_HEIGHT / 2, width, height: LABEL_HEIGHT };
      const overlap = taken.reduce((sum, other) => sum + shared(box, other), 0);
      if (!best || overlap < best.overlap) best = { box, overlap, point };
      if (overlap === 0) break;
    }
    taken.push(best!.box);
    made.push({ key, ...best!.point });
  }
  return made;
}

function shared(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return width > 0 && height > 0 ? width * height : 0;
}
