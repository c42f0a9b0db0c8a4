// Where the arrow keys lead: right to those called, left to callers, up and down to the nearest box.

import type { Point } from "./geometry";
import { type Graph, neighbours } from "./graph";

const SIDES: Record<string, readonly [x: number, y: number]> = {
  ArrowRight: [1, 0],
  ArrowLeft: [-1, 0],
  ArrowDown: [0, 1],
  ArrowUp: [0, -1],
};

export function nextNode(graph: Graph, where: ReadonlyMap<string, Point>, from: string, key: string): string | null {
  const here = where.get(from);
  const side = SIDES[key];
  if (!here || !side) return null;
  const around = neighbours(graph).get(from);
  const linked = side[0] > 0 ? around?.called : side[0] < 0 ? around?.callers : undefined;
  const nearest = (keys: Iterable<string>): string | null => {
    let best: [string, number] | null = null;
    for (const other of keys) {
      const there = where.get(other);
      if (!there || other === from) continue;
      const [dx, dy] = [there.x - here.x, there.y - here.y];
      const along = dx * side[0] + dy * side[1];
      const across = Math.abs(dx * side[1]) + Math.abs(dy * side[0]);
      if (along <= 0) continue;
      const distance = along + 2 * across;
      if (!best || distance < best[1]) best = [other, distance];
    }
    return best?.[0] ?? null;
  };
  return (linked && nearest(linked)) ?? nearest(graph.nodes.keys());
}
