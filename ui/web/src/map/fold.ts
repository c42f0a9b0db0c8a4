// Makes a large map readable: namespaces as one node each, like outside hosts as one, the busiest part of the rest.

import {
  type Edge,
  edgeKey,
  type Figures,
  type Graph,
  isDead,
  neighbours,
  nodeKey,
  type ServiceNode,
  traffic,
} from "./graph";

/** Fewer outside hosts are easier to read than a group. */
export const ENOUGH_ALIKE = 4;
/** Nodes up to which all of them are drawn at first. */
export const MOST_AT_FIRST = 150;
/** Nodes and edges that are ever drawn. */
export const MOST_NODES = 500;
export const MOST_EDGES = 3_000;

const OUTSIDE = new Set(["external", "address"]);

const worst = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : Math.max(a, b));

/** Counts are summed; of latencies the worst is kept, since percentiles can't be added. */
export function summed<F extends Figures>(a: F, b: Figures): F {
  return {
    ...a,
    calls: a.calls + b.calls,
    rate: a.rate + b.rate,
    errors: a.errors + b.errors,
    clientErrors: a.clientErrors + b.clientErrors,
    p50: worst(a.p50, b.p50),
    p95: worst(a.p95, b.p95),
    p99: worst(a.p99, b.p99),
    max: worst(a.max, b.max),
    bytesSent: a.bytesSent + b.bytesSent,
    bytesReceived: a.bytesReceived + b.bytesReceived,
    streams: a.streams + b.streams,
    openStreams: a.openStreams + b.openStreams,
    messages: a.messages + b.messages,
    connections: a.connections + b.connections,
    refused: a.refused + b.refused,
    unanswered: a.unanswered + b.unanswered,
    reset: a.reset + b.reset,
    first: BigInt(a.first) < BigInt(b.first) ? a.first : b.first,
    last: BigInt(a.last) > BigInt(b.last) ? a.last : b.last,
  };
}

/** The graph with nodes replaced by the groups they are in; edges inside a group go. */
function grouped(graph: Graph, group: ReadonlyMap<string, ServiceNode>): Graph {
  if (!group.size) return graph;
  const nodes = new Map<string, ServiceNode>();
  for (const [key, node] of graph.nodes) {
    const shown = group.get(key) ?? node;
    nodes.set(shown.key, shown);
  }
  const edges = new Map<string, Edge>();
  for (const edge of graph.edges) {
    const [src, dst] = [group.get(edge.src)?.key ?? edge.src, group.get(edge.dst)?.key ?? edge.dst];
    if (src === dst && src !== edge.src) continue;
    const key = edgeKey(src, dst, edge.protocol);
    const known = edges.get(key);
    edges.set(key, known ? summed(known, edge) : { ...edge, key, src, dst });
  }
  return { nodes, edges: [...edges.values()] };
}

function groupOf(key: string, name: string, kind: string, members: readonly ServiceNode[]): ServiceNode {
  return {
    key,
    name,
    kind,
    namespace: members[0]!.namespace,
    nameSource: members[0]!.nameSource,
    version: null,
    addresses: members.flatMap((member) => member.addresses).slice(0, 16),
    numbers: members.flatMap((member) => member.numbers),
    members,
  };
}

/** Outside hosts that call nobody and that the same callers call over the same protocols become one node. */
export function foldOutside(graph: Graph, enough = ENOUGH_ALIKE): Graph {
  const near = neighbours(graph);
  const incoming = new Map<string, string[]>();
  for (const edge of graph.edges) {
    const calls = incoming.get(edge.dst) ?? [];
    calls.push(JSON.stringify([edge.src, edge.protocol, isDead(edge)]));
    incoming.set(edge.dst, calls);
  }
  const alike = new Map<string, ServiceNode[]>();
  for (const [key, node] of graph.nodes) {
    const calls = incoming.get(key);
    if (!OUTSIDE.has(node.kind) || !calls || near.get(key)?.called.size) continue;
    const same = JSON.stringify([node.namespace, node.kind, calls.sort()]);
    alike.set(same, [...(alike.get(same) ?? []), node]);
  }
  const group = new Map<string, ServiceNode>();
  for (const [same, members] of alike) {
    if (members.length < enough) continue;
    const node = groupOf(`group:${same}`, outsideName(members), "group", members);
    for (const member of members) group.set(member.key, node);
  }
  return grouped(graph, group);
}

function outsideName(members: readonly ServiceNode[]): string {
  // Whose address is not known may be inside as well.
  if (members[0]!.kind === "address") return `${members.length} addresses`;
  const labels = members.map((member) => member.name.split(".").reverse());
  const common: string[] = [];
  for (const [index, part] of labels[0]!.entries()) {
    if (!labels.every((label) => label[index] === part)) break;
    common.unshift(part);
  }
  return common.length > 1 ? `*.${common.join(".")} (${members.length})` : `${members.length} outside hosts`;
}

/** Each namespace but the open ones becomes one node; nodes without a namespace stay. */
export function foldNamespaces(graph: Graph, open: ReadonlySet<string>): Graph {
  const spaces = new Map<string, ServiceNode[]>();
  for (const node of graph.nodes.values()) {
    if (node.namespace === null || open.has(node.namespace)) continue;
    spaces.set(node.namespace, [...(spaces.get(node.namespace) ?? []), node]);
  }
  const group = new Map<string, ServiceNode>();
  for (const [space, members] of spaces) {
    const node = groupOf(`ns:${nodeKey(space, "")}`, space, "namespace", members);
    for (const member of members) group.set(member.key, node);
  }
  return grouped(graph, group);
}

/** Whether a map begins with its namespaces folded: it is large, and there are some to fold. */
export function beginsFolded(graph: Graph): boolean {
  if (graph.nodes.size <= MOST_AT_FIRST) return false;
  const spaces = new Set([...graph.nodes.values()].map((node) => node.namespace));
  spaces.delete(null);
  return spaces.size > 1;
}

export interface Part {
  readonly graph: Graph;
  readonly hiddenNodes: number;
  readonly hiddenEdges: number;
}

/** The part of a map that can be drawn: its busiest edges, failing ones first, and the nodes at their ends. */
export function largest(graph: Graph, nodes = MOST_NODES, edges = MOST_EDGES): Part {
  if (graph.nodes.size <= nodes && graph.edges.length <= edges) return { graph, hiddenNodes: 0, hiddenEdges: 0 };
  const ranked = [...graph.edges].sort(
    (a, b) => Number(isDead(b)) - Number(isDead(a)) || traffic(b) - traffic(a) || (a.key < b.key ? -1 : 1),
  );
  const kept = new Set<string>();
  const chosen = new Set<string>();
  for (const edge of ranked) {
    if (chosen.size >= edges) break;
    const added = new Set([edge.src, edge.dst].filter((key) => !kept.has(key)));
    if (kept.size + added.size > nodes) continue;
    for (const key of added) kept.add(key);
    chosen.add(edge.key);
  }
  for (const key of graph.nodes.keys()) {
    if (kept.size >= nodes) break;
    kept.add(key);
  }
  return {
    graph: {
      nodes: new Map([...graph.nodes].filter(([key]) => kept.has(key))),
      edges: graph.edges.filter((edge) => chosen.has(edge.key)),
    },
    hiddenNodes: graph.nodes.size - kept.size,
    hiddenEdges: graph.edges.length - chosen.size,
  };
}
