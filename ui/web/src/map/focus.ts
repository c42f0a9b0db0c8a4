// Parts of a map: what is around one service, what a search finds, what is left without the noise.

import { type Edge, type Graph, neighbours } from "./graph";

/** The node, and those within so many calls of it, callers and called alike. */
export function around(graph: Graph, key: string, depth: number): Graph {
  const near = neighbours(graph);
  const kept = new Set([key]);
  for (const pick of ["callers", "called"] as const) {
    let edge = [key];
    for (let step = 0; step < depth; step++) {
      const next = edge.flatMap((at) => [...(near.get(at)?.[pick] ?? [])]).filter((at) => at !== key);
      for (const at of next) kept.add(at);
      edge = [...new Set(next)];
    }
  }
  return {
    nodes: new Map([...graph.nodes].filter(([at]) => kept.has(at))),
    edges: graph.edges.filter((edge) => kept.has(edge.src) && kept.has(edge.dst)),
  };
}

/** Keys of nodes whose name, namespace or address holds all the words; null: nothing is searched for. */
export function found(graph: Graph, text: string): Set<string> | null {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return null;
  const keys = new Set<string>();
  for (const [key, node] of graph.nodes) {
    const names = node.members.length ? node.members : [node];
    const hay = names.map((one) => `${one.namespace ?? ""}/${one.name} ${one.addresses.join(" ")}`).join(" ");
    if (words.every((word) => `${node.name} ${hay}`.toLowerCase().includes(word))) keys.add(key);
  }
  return keys;
}

export interface Quiet {
  readonly graph: Graph;
  readonly hiddenEdges: number;
  readonly hiddenNodes: number;
}

/** What the filter of the requests leaves out when noise is hidden: DNS, health checks, scrapes of metrics. */
export const NOISE =
  'protocol == "dns" || "health" in notes || "reflection" in notes || path in ["/metrics", "/healthz", "/livez", "/readyz"]';

/** The map without noise: edges all of whose calls are noise go, and nodes that had no other edge. */
export function withoutNoise(graph: Graph, noise: ReadonlyMap<string, number>): Quiet {
  const isNoise = (edge: Edge): boolean =>
    edge.protocol === "dns" ||
    (edge.calls + edge.streams > 0 && (noise.get(edge.key) ?? 0) >= edge.calls + edge.streams);
  const edges = graph.edges.filter((edge) => !isNoise(edge));
  if (edges.length === graph.edges.length) return { graph, hiddenEdges: 0, hiddenNodes: 0 };
  const had = new Set(graph.edges.flatMap((edge) => [edge.src, edge.dst]));
  const have = new Set(edges.flatMap((edge) => [edge.src, edge.dst]));
  const nodes = new Map([...graph.nodes].filter(([key]) => have.has(key) || !had.has(key)));
  return {
    graph: { nodes, edges },
    hiddenEdges: graph.edges.length - edges.length,
    hiddenNodes: graph.nodes.size - nodes.size,
  };
}
