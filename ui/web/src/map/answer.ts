// From the API's answer to the map as the page holds it.

import type { Schemas } from "../api/client";
import { type Edge, edgeKey, type Graph, nodeKey, type ServiceNode } from "./graph";

/** Kinds of nodes that may have a version; it can have no space, and is the last word of the name then. */
const NAMED = new Set(["workload", "service", "pod", "process"]);

type EdgeRow = Schemas["Edge"];

export function toGraph(answer: Pick<Schemas["Map"], "nodes" | "edges" | "level">): Graph {
  const nodes = new Map<string, ServiceNode>();
  const keys = new Map<number, string>();
  for (const row of answer.nodes) {
    const key = nodeKey(row.namespace, row.name);
    const known = nodes.get(key);
    keys.set(row.node, key);
    nodes.set(key, {
      key,
      name: row.name,
      namespace: row.namespace,
      kind: row.kind,
      addresses: row.addresses,
      nameSource: row.name_source,
      version: answer.level === "version" && NAMED.has(row.kind) ? (/ (\S+)$/.exec(row.name)?.[1] ?? null) : null,
      numbers: [...(known?.numbers ?? []), row.node],
      members: [],
    });
  }
  const edges = answer.edges.flatMap((row) => {
    const [src, dst] = [keys.get(row.src), keys.get(row.dst)];
    return src === undefined || dst === undefined ? [] : [edgeOf(row, src, dst)];
  });
  return { nodes, edges };
}

function edgeOf(row: EdgeRow, src: string, dst: string): Edge {
  return {
    key: edgeKey(src, dst, row.protocol),
    src,
    dst,
    protocol: row.protocol,
    calls: row.calls,
    rate: row.rate,
    errors: row.errors,
    clientErrors: row.client_errors,
    p50: row.p50_ns,
    p95: row.p95_ns,
    p99: row.p99_ns,
    max: row.max_ns,
    bytesSent: row.bytes_sent,
    bytesReceived: row.bytes_received,
    streams: row.streams,
    openStreams: row.open_streams,
    messages: row.stream_messages,
    connections: row.connections,
    refused: row.refused,
    unanswered: row.unanswered,
    reset: row.reset,
    first: row.first,
    last: row.last,
  };
}

/** Calls and streams of each edge, by key: what a map of the noise holds. */
export function amounts(graph: Graph): Map<string, number> {
  return new Map(graph.edges.map((edge) => [edge.key, edge.calls + edge.streams]));
}
