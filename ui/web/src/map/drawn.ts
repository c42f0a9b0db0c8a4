// From the whole map to the part that is drawn: without noise, around the focus, folded, bounded; what is left out is counted.

import { around, found, withoutNoise } from "./focus";
import { beginsFolded, foldNamespaces, foldOutside, largest } from "./fold";
import type { Graph } from "./graph";

export interface Wishes {
  readonly quiet: boolean;
  readonly focus: string | null;
  readonly depth: number;
  readonly folded: boolean | null;
  readonly open: readonly string[];
  readonly find: string;
}

export interface Drawn {
  readonly graph: Graph;
  readonly folded: boolean;
  /** Keys that the search finds; null: nothing is searched for. */
  readonly found: ReadonlySet<string> | null;
  readonly quietEdges: number;
  readonly hiddenNodes: number;
  readonly hiddenEdges: number;
  /** Services outside the focus. */
  readonly outside: number;
  /** Which slots it is laid out in: another folding has others. */
  readonly layout: string;
}

export function draw(whole: Graph, noise: ReadonlyMap<string, number>, level: string, wishes: Wishes): Drawn {
  const quiet = wishes.quiet ? withoutNoise(whole, noise) : { graph: whole, hiddenEdges: 0, hiddenNodes: 0 };
  const folded = wishes.folded ?? beginsFolded(quiet.graph);
  // A focus is on a service: its surroundings are few enough to be shown one by one.
  const focused = wishes.focus !== null && quiet.graph.nodes.has(wishes.focus);
  const near = focused ? around(quiet.graph, wishes.focus!, wishes.depth) : quiet.graph;
  const open = new Set(wishes.open);
  const shown = foldOutside(folded && !focused ? foldNamespaces(near, open) : near);
  const part = largest(shown);
  return {
    graph: part.graph,
    folded: folded && !focused,
    found: found(part.graph, wishes.find),
    quietEdges: quiet.hiddenEdges,
    hiddenNodes: part.hiddenNodes,
    hiddenEdges: part.hiddenEdges,
    outside: quiet.graph.nodes.size - near.nodes.size,
    layout: JSON.stringify([level, folded && !focused ? [...open].sort() : "all"]),
  };
}
