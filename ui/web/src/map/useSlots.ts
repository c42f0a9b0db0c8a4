// Keeps the slots of each layout for the life of the page. dagre runs in a worker, once; then only new nodes are placed.

import { useEffect, useRef, useState } from "react";
import type { Drawn } from "./drawn";
import type { ServiceNode } from "./graph";
import type { Outline } from "./seed";
import { placed, type Seed, type Slots, seeded } from "./slots";

/** Nodes that are no longer there keep their slot; beyond so many they are forgotten. */
const MOST_KNOWN = 1_000;

interface Layout {
  slots: Slots;
  readonly known: Map<string, ServiceNode>;
}

export interface Laid {
  readonly slots: Slots;
  /** Nodes that were drawn in this layout before. */
  readonly known: ReadonlyMap<string, ServiceNode>;
  readonly ready: boolean;
  /** Counts the layouts made on wish. */
  readonly tidied: number;
  tidy(): void;
}

const NOWHERE: Slots = new Map();

export function useSlots(drawn: Drawn): Laid {
  const layouts = useRef(new Map<string, Layout>());
  const worker = useRef<Worker | null>(null);
  const asked = useRef<string | null>(null);
  const latest = useRef(drawn);
  latest.current = drawn;
  const [, redraw] = useState(0);
  const [tidied, setTidied] = useState(0);

  function ask(layout: string): void {
    asked.current = layout;
    const { graph } = latest.current;
    worker.current!.onmessage = ({ data }: MessageEvent<Map<string, Seed>>) => {
      if (asked.current !== layout) return;
      asked.current = null;
      if (latest.current.layout !== layout) return;
      const slots = seeded(latest.current.graph, data);
      layouts.current.set(layout, { slots, known: new Map(latest.current.graph.nodes) });
      redraw((count) => count + 1);
    };
    const outline: Outline = {
      nodes: [...graph.nodes.keys()],
      edges: graph.edges.map((edge) => [edge.src, edge.dst, 1]),
    };
    worker.current!.postMessage(outline);
  }

  // It starts at once: until there is a map to lay out it is ready.
  useEffect(() => {
    const started = new Worker(new URL("./seed.worker.ts", import.meta.url), { type: "module" });
    worker.current = started;
    return () => started.terminate();
  }, []);

  const layout = layouts.current.get(drawn.layout);
  const wanted = layout === undefined && drawn.graph.nodes.size > 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is asked once for a layout, whatever changes meanwhile
  useEffect(() => {
    if (wanted && asked.current !== drawn.layout) ask(drawn.layout);
  }, [wanted, drawn.layout]);

  if (layout) {
    layout.slots = placed(drawn.graph, layout.slots);
    for (const [key, node] of drawn.graph.nodes) layout.known.set(key, node);
    if (layout.known.size > MOST_KNOWN + drawn.graph.nodes.size) forget(layout, drawn);
  }
  return {
    slots: layout?.slots ?? NOWHERE,
    known: layout?.known ?? new Map(),
    ready: layout !== undefined,
    tidied,
    tidy: () => {
      ask(drawn.layout);
      setTidied((count) => count + 1);
    },
  };
}

function forget(layout: Layout, drawn: Drawn): void {
  const kept = new Map(layout.slots);
  for (const key of layout.known.keys()) {
    if (drawn.graph.nodes.has(key)) continue;
    layout.known.delete(key);
    kept.delete(key);
  }
  layout.slots = kept;
}
