// Puts filters together from parts: the text of the box, what is selected, facets.

import type { Edge, ServiceNode } from "../map/graph";

export type Side = "src" | "dst";

/** A string of the filter language. */
export function quoted(value: string): string {
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (char) =>
    char < "\u00a0" || /[\p{C}\p{Z}]/u.test(char) ? `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}` : char,
  );
}

/** All of them; those without text say nothing. */
export function all(...parts: readonly string[]): string {
  const said = parts.map((part) => part.trim()).filter(Boolean);
  if (said.length < 2) return said[0] ?? "";
  return said.map((part) => (/\|\||\?|^!\(/.test(part) ? `(${part})` : part)).join(" && ");
}

export function not(part: string): string {
  return part ? `!(${part})` : "";
}

/** The filter with a term added, or without it if it has it. */
export function toggled(where: string, term: string): string {
  const terms = splitTerms(where);
  if (terms.includes(term)) return terms.filter((one) => one !== term).join(" && ");
  return all(where, term);
}

export function has(where: string, term: string): boolean {
  return splitTerms(where).includes(term);
}

/** The parts between the outermost `&&`. */
function splitTerms(where: string): string[] {
  const terms: string[] = [];
  let depth = 0;
  let quote = "";
  let from = 0;
  for (let at = 0; at < where.length; at++) {
    const char = where[at]!;
    if (quote) {
      if (char === "\\") at++;
      else if (char === quote) quote = "";
    } else if (char === '"' || char === "'") quote = char;
    else if ("([".includes(char)) depth++;
    else if (")]".includes(char)) depth--;
    else if (depth === 0 && where.startsWith("&&", at)) {
      terms.push(where.slice(from, at).trim());
      from = at + 2;
      at++;
    }
  }
  terms.push(where.slice(from).trim());
  return terms.filter(Boolean);
}

const FIELDS: Record<string, string> = { workload: "workload", pod: "pod", process: "process", address: "ip" };

function one(node: ServiceNode, side: Side): string {
  const { kind } = node;
  // At the level of services a name may come from anything: the best name is what the node has.
  const field = kind === "address" && node.nameSource !== "address" ? "name" : (FIELDS[kind] ?? "name");
  const named = node.version === null ? node.name : node.name.slice(0, -node.version.length - 1);
  const version = node.version === null ? "" : ` && ${side}.version == ${quoted(node.version)}`;
  const name = `${side}.${field} == ${quoted(named)}${version}`;
  return node.namespace === null ? name : `${name} && ${side}.namespace == ${quoted(node.namespace)}`;
}

/** What a filter says of a node of the map as an end. */
export function nodeTerm(node: ServiceNode, side: Side): string {
  if (node.kind === "namespace") return `${side}.namespace == ${quoted(node.namespace ?? "")}`;
  if (node.members.length) return `${side}.name in [${node.members.map((member) => quoted(member.name)).join(", ")}]`;
  return one(node, side);
}

/** Requests of an edge. */
export function edgeTerm(edge: Pick<Edge, "protocol">, src: ServiceNode, dst: ServiceNode): string {
  return all(nodeTerm(src, "src"), nodeTerm(dst, "dst"), `protocol == ${quoted(edge.protocol)}`);
}

/** Requests to and from a node. */
export function aroundTerm(node: ServiceNode): string {
  const either = (["src", "dst"] as const).map((side) => {
    const term = nodeTerm(node, side);
    return term.includes("&&") ? `(${term})` : term;
  });
  return either.join(" || ");
}
