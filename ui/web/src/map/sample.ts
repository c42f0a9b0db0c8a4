// Small maps for tests, in a few words.

import { type Edge, edgeKey, type Graph, nodeKey, type ServiceNode } from "./graph";

export function node(key: string, kind = "service"): ServiceNode {
  const [namespace = "", name = ""] = key.split("/");
  const space = namespace || null;
  return {
    key: nodeKey(space, name),
    name,
    namespace: space,
    kind,
    addresses: [],
    nameSource: "file",
    version: null,
    numbers: [],
    members: [],
  };
}

export function edge(src: string, dst: string, more: Partial<Edge> = {}): Edge {
  const protocol = more.protocol ?? "http";
  return {
    key: edgeKey(src, dst, protocol),
    src,
    dst,
    protocol,
    calls: 100,
    rate: 1,
    errors: 0,
    clientErrors: 0,
    p50: 1e6,
    p95: 2e6,
    p99: 3e6,
    max: 4e6,
    bytesSent: 0,
    bytesReceived: 0,
    streams: 0,
    openStreams: 0,
    messages: 0,
    connections: 1,
    refused: 0,
    unanswered: 0,
    reset: 0,
    first: "1",
    last: "2",
    ...more,
  };
}

/** `graph(["shop/web", "shop/orders"], ["/visitor", "shop/web"])`: nodes are those that the edges name. */
export function graph(...calls: (readonly [string, string] | Edge)[]): Graph {
  const edges = calls.map((call) => ("key" in call ? call : edge(...(call as [string, string]))));
  const nodes = new Map<string, ServiceNode>();
  for (const { src, dst } of edges) {
    for (const key of [src, dst]) nodes.set(key, node(key, key.startsWith("/") ? "external" : "service"));
  }
  return { nodes, edges };
}

/** Services in namespaces, each calling some of those after it. */
export function large(services: number, edges: number, spaces = 20): Graph {
  const name = (index: number): string => `ns${index % spaces}/service-${index}`;
  const made: Edge[] = [];
  const seen = new Set<string>();
  for (let number = 0; made.length < edges; number++) {
    const src = (number * 7) % (services - 1);
    const dst = src + 1 + ((number * 31 + Math.floor(number / services) * 17) % (services - src - 1));
    const key = `${src} ${dst}`;
    if (seen.has(key)) continue;
    seen.add(key);
    made.push(edge(name(src), name(dst)));
  }
  const whole = graph(...made);
  const nodes = new Map(whole.nodes);
  for (let index = 0; index < services; index++) nodes.set(name(index), node(name(index)));
  return { nodes, edges: whole.edges };
}
