// What a node or an edge says on the map and to a screen reader (as tapper/servicemap/labels.py has it for pictures).

import { count, duration, plural, rate, share, size } from "../model/figures";
import { clean } from "../model/text";
import { type Edge, ENOUGH, type Figures, failedConnections, isDead, type ServiceNode, slowness } from "./graph";

/** Width of an edge's line by the logarithm of its rate. */
export function lineWidth(edge: Figures): number {
  return Math.min(1.2 + 1.2 * Math.log10(1 + Math.max(edge.rate, 0)), 6);
}

/** Two short lines: protocol and how much; how slow and what fails. */
export function edgeLines(edge: Edge): { head: string; figures: string; problem: string } {
  const head = [clean(edge.protocol)];
  const figures: string[] = [];
  const problem: string[] = [];
  if (edge.calls) {
    head.push(rate(edge.rate));
    if (edge.max !== null) figures.push(`${edge.calls >= ENOUGH ? "p95" : "max"} ${duration(slowness(edge))}`);
    if (edge.errors) problem.push(`✗ ${share(edge.errors, edge.calls)}`);
  }
  if (edge.streams) head.push(plural(edge.streams, "stream"));
  const failed = failedConnections(edge);
  if (failed) problem.push(`⊘ ${failedWord(edge)} ${count(failed)} of ${count(Math.max(edge.connections, failed))}`);
  else if (!edge.calls && !edge.streams) head.push(`${count(edge.connections)} conn.`);
  return { head: head.join(" · "), figures: figures.join(", "), problem: problem.join(", ") };
}

export function failedWord(edge: Figures): string {
  return edge.unanswered ? (edge.refused ? "failed" : "unanswered") : "refused";
}

/** The edge in a sentence. */
export function edgeSentence(edge: Edge, src: string, dst: string): string {
  const parts = [`${clean(src)} calls ${clean(dst)} over ${clean(edge.protocol)}`];
  if (edge.calls) {
    parts.push(`${plural(edge.calls, "call")}, ${rate(edge.rate)}`);
    if (edge.max !== null) parts.push(`${edge.calls >= ENOUGH ? "p95" : "maximum"} ${duration(slowness(edge))}`);
    parts.push(edge.errors ? `${share(edge.errors, edge.calls)} errors` : "no errors");
  }
  if (edge.streams) parts.push(`${plural(edge.streams, "stream")}, ${plural(edge.messages, "message")}`);
  const failed = failedConnections(edge);
  if (failed) {
    parts.push(`${count(failed)} of ${plural(Math.max(edge.connections, failed), "connection")} ${failedWord(edge)}`);
  } else if (!edge.calls && !edge.streams) {
    parts.push(`${plural(edge.connections, "connection")}, ${size(edge.bytesSent + edge.bytesReceived)}B`);
  }
  if (isDead(edge)) parts.push("nothing comes through");
  return parts.join(", ");
}

export function nodeTitle(node: ServiceNode): string {
  const lines = [node.namespace === null ? clean(node.name) : `${clean(node.namespace)}/${clean(node.name)}`];
  lines.push(`${clean(node.kind)}, named by ${clean(node.nameSource)}`);
  if (node.members.length)
    lines.push(
      node.members
        .map((member) => clean(member.name))
        .slice(0, 30)
        .join("\n"),
    );
  else if (node.addresses.length) lines.push(clean(node.addresses.join(", ")));
  return lines.join("\n");
}
