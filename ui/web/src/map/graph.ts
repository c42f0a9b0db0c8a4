// The service map as the page holds it: nodes by a key that stays the same from one answer to the next.

import type { Nanoseconds } from "../model/time";

export type Level = "service" | "workload" | "version" | "pod" | "address";
export const LEVELS: readonly Level[] = ["service", "workload", "version", "pod", "address"];

/** Below so many calls a percentile says little: the maximum is shown (tapper.servicemap.graph.ENOUGH). */
export const ENOUGH = 20;

export interface ServiceNode {
  readonly key: string;
  readonly name: string;
  readonly namespace: string | null;
  readonly kind: string;
  readonly addresses: readonly string[];
  readonly nameSource: string;
  /** Of a workload, where each version is a node of its own; its name ends with it. */
  readonly version: string | null;
  /** Numbers of the API's nodes that this one stands for; several if it is a group. */
  readonly numbers: readonly number[];
  /** Of a group: how many it stands for, and which. */
  readonly members: readonly ServiceNode[];
}

export interface Figures {
  readonly calls: number;
  readonly rate: number;
  readonly errors: number;
  readonly clientErrors: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly max: number | null;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly streams: number;
  readonly openStreams: number;
  readonly messages: number;
  readonly connections: number;
  readonly refused: number;
  readonly unanswered: number;
  readonly reset: number;
  readonly first: Nanoseconds;
  readonly last: Nanoseconds;
}

export interface Edge extends Figures {
  readonly key: string;
  readonly src: string;
  readonly dst: string;
  readonly protocol: string;
}

export interface Graph {
  readonly nodes: ReadonlyMap<string, ServiceNode>;
  readonly edges: readonly Edge[];
}

export const EMPTY: Graph = { nodes: new Map(), edges: [] };

/** Namespace and name are what makes a node the same in two maps. A slash can't be in a namespace. */
export function nodeKey(namespace: string | null, name: string): string {
  return `${namespace ?? ""}/${name}`;
}

export function edgeKey(src: string, dst: string, protocol: string): string {
  return JSON.stringify([src, dst, protocol]);
}

export function edgeOfKey(key: string): [src: string, dst: string, protocol: string] | null {
  try {
    const parts: unknown = JSON.parse(key);
    return Array.isArray(parts) && parts.length === 3 && parts.every((part) => typeof part === "string")
      ? (parts as [string, string, string])
      : null;
  } catch {
    return null;
  }
}

export function failedConnections(edge: Figures): number {
  return edge.refused + edge.unanswered;
}

/** Nothing came through: connections fail and no call was answered. */
export function isDead(edge: Figures): boolean {
  return failedConnections(edge) > 0 && edge.calls === edge.errors && edge.streams === 0;
}

/** How much there is of an edge, of whatever kind. */
export function traffic(edge: Figures): number {
  return Math.max(edge.calls + edge.streams, edge.connections);
}

/** The latency that an edge is judged by: p95, of few calls the maximum. */
export function slowness(edge: Figures): number | null {
  return edge.calls >= ENOUGH ? edge.p95 : edge.max;
}

export function isUnhealthy(edge: Figures): boolean {
  return edge.errors > 0 || failedConnections(edge) > 0;
}

/** Of what there is, the share that fails; calls and connections alike. */
export function pain(edge: Figures): number {
  if (isDead(edge)) return 2;
  return edge.calls ? edge.errors / edge.calls : failedConnections(edge) / Math.max(edge.connections, 1);
}

/** Callers and those called, by key. */
export function neighbours(graph: Graph): Map<string, { callers: Set<string>; called: Set<string> }> {
  const found = new Map<string, { callers: Set<string>; called: Set<string> }>();
  for (const key of graph.nodes.keys()) found.set(key, { callers: new Set(), called: new Set() });
  for (const edge of graph.edges) {
    if (edge.src === edge.dst) continue;
    found.get(edge.src)?.called.add(edge.dst);
    found.get(edge.dst)?.callers.add(edge.src);
  }
  return found;
}
