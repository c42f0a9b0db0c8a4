// A layered layout by dagre, flat (its compound one fails on larger graphs): which column, and in which order.

import { Graph as DagreGraph, layout } from "@dagrejs/dagre";
import { layered } from "./layers";
import type { Seed } from "./slots";

/** What crosses to the worker. */
export interface Outline {
  readonly nodes: readonly string[];
  readonly edges: readonly (readonly [src: string, dst: string, weight: number])[];
}

/** Beyond, dagre takes more than a third of a second; it grows with the square of either. */
const MOST_NODES = 120;
const MOST_EDGES = 150;
const WIDTH = 100;
const GAP = 100;

/** Columns count from 0 at the left; orders only compare. Deterministic. */
export function seed(outline: Outline): Map<string, Seed> {
  const { nodes, edges } = outline;
  if (nodes.length > MOST_NODES || edges.length > MOST_EDGES) return layered(outline);
  const graph = new DagreGraph();
  graph.setGraph({ rankdir: "LR", nodesep: 10, ranksep: GAP, ranker: "network-simplex" });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) graph.setNode(node, { width: WIDTH, height: 20 });
  for (const [src, dst, weight] of edges) {
    if (src !== dst) graph.setEdge(src, dst, { weight });
  }
  layout(graph);
  const lefts = [...new Set(nodes.map((node) => Math.round(graph.node(node).x)))].sort((a, b) => a - b);
  const columns = new Map(lefts.map((left, index) => [left, index]));
  return new Map(
    nodes.map((node) => {
      const { x, y } = graph.node(node);
      return [node, { column: columns.get(Math.round(x)) ?? 0, order: y }];
    }),
  );
}
