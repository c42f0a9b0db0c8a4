// What is drawn where: places of nodes, curves, boxes, which labels are shown. Pure of what React Flow does with it.

import { useMemo } from "react";
import type { Schemas } from "../api/client";
import type { View } from "../state/view";
import type { Drawn } from "./drawn";
import { type Curve, curves, labelPlaces, namespaceBoxes, type Place, type Point, positions } from "./geometry";
import { type Edge, type Graph, isDead, isUnhealthy, neighbours, nodeKey, type ServiceNode, traffic } from "./graph";
import { edgeLines } from "./labels";
import type { Laid } from "./useSlots";

/** Nodes up to which every edge has its label; up to MOST_HOVER those of what is pointed at or selected. */
const MOST_LABELLED = 60;
/** Labels at once. */
const MOST_LABELS = 120;
/** Lost nodes that are still drawn. */
const MOST_LOST = 60;
const LETTER = 6.4;

export interface Scene {
  readonly where: ReadonlyMap<string, Point>;
  readonly nodes: ReadonlyMap<string, ServiceNode>;
  readonly lost: ReadonlySet<string>;
  readonly lines: ReadonlyMap<string, Curve>;
  readonly boxes: ReturnType<typeof namespaceBoxes>;
  readonly labels: readonly (Place & { edge: Edge; lines: ReturnType<typeof edgeLines> })[];
  /** Nodes that stay bright; null: all. */
  readonly bright: ReadonlySet<string> | null;
  readonly ill: ReadonlySet<string>;
  /** Kind of change by edge, when two ranges are compared. */
  readonly changed: ReadonlyMap<string, Schemas["Change"]>;
}

export function useScene(
  drawn: Drawn,
  whole: Graph,
  laid: Laid,
  moved: Readonly<Record<string, Point>>,
  view: View,
  hovered: string | null,
  changes: Schemas["Difference"] | undefined,
): Scene {
  const { graph } = drawn;
  const { slots, known } = laid;
  const where = useMemo(() => positions(slots, new Map(Object.entries(moved))), [slots, moved]);
  const [nodes, lost] = useMemo(() => {
    // Lost: was here, and is nowhere on the map any more. What is folded, hidden or out of focus is not lost.
    const gone = [...known].filter(
      ([key]) => !graph.nodes.has(key) && !whole.nodes.has(key) && !/^(group|ns):/.test(key),
    );
    const shown = view.focus === null ? gone.slice(0, MOST_LOST) : [];
    return [new Map([...graph.nodes, ...shown]), new Set(shown.map(([key]) => key))] as const;
  }, [known, graph, whole, view.focus]);
  const lines = useMemo(() => curves(graph.edges, where), [graph.edges, where]);
  const boxes = useMemo(() => namespaceBoxes({ nodes, edges: [] }, where), [nodes, where]);
  const ill = useMemo(() => new Set(graph.edges.filter(isUnhealthy).map((edge) => edge.dst)), [graph.edges]);
  const bright = useMemo(() => brightOf(graph, view, drawn), [graph, view, drawn]);
  const changed = useMemo(() => byEdge(changes), [changes]);
  const labels = useMemo(() => {
    const all = graph.nodes.size <= MOST_LABELLED;
    const chosen = (edge: Edge): boolean =>
      edge.key === hovered ||
      edge.key === view.edge ||
      (view.node !== null && (edge.src === view.node || edge.dst === view.node));
    const rank = (edge: Edge): number => (chosen(edge) ? 4 : 0) + (isDead(edge) ? 2 : edge.errors ? 1 : 0);
    const shown = graph.edges
      .filter((edge) => all || chosen(edge))
      .sort((a, b) => rank(b) - rank(a) || traffic(b) - traffic(a))
      .slice(0, MOST_LABELS);
    const texts = new Map(shown.map((edge) => [edge.key, { edge, lines: edgeLines(edge) }]));
    const sizes = shown.map(({ key }) => {
      const { head, figures, problem } = texts.get(key)!.lines;
      return { key, width: LETTER * Math.max(head.length, figures.length + problem.length + 1) + 12 };
    });
    const visible = new Map([...where].filter(([key]) => nodes.has(key)));
    return labelPlaces(sizes, lines, visible).map((place) => ({ ...place, ...texts.get(place.key)! }));
  }, [graph, hovered, view.edge, view.node, where, lines, nodes]);
  return { where, nodes, lost, lines, boxes, labels, bright, ill, changed };
}

function brightOf(graph: Graph, view: View, drawn: Drawn): Set<string> | null {
  if (view.node !== null && graph.nodes.has(view.node)) {
    const near = neighbours(graph).get(view.node)!;
    return new Set([view.node, ...near.callers, ...near.called]);
  }
  if (view.edge !== null) {
    const edge = graph.edges.find(({ key }) => key === view.edge);
    if (edge) return new Set([edge.src, edge.dst]);
  }
  return drawn.found === null ? null : new Set(drawn.found);
}

function byEdge(changes: Schemas["Difference"] | undefined): Map<string, Schemas["Change"]> {
  const found = new Map<string, Schemas["Change"]>();
  for (const change of changes?.changes ?? []) found.set(changeKey(change), change);
  return found;
}

export function changeKey({ src, dst, protocol }: Schemas["Change"]): string {
  return JSON.stringify([nodeKey(src.namespace, src.name), nodeKey(dst.namespace, dst.name), protocol]);
}
