// What several parts of the page share: facts of the whole, the range of time, the map, the filter of the lists.

import { createContext, type ReactNode, useContext, useMemo } from "react";
import type { Schemas } from "../api/client";
import { useLive } from "../api/live";
import { useAnswer } from "../api/questions";
import { all, aroundTerm, edgeTerm, not } from "../filter/terms";
import { amounts, toGraph } from "../map/answer";
import { type Drawn, draw } from "../map/drawn";
import { NOISE } from "../map/focus";
import { EMPTY, edgeOfKey, type Graph, type ServiceNode } from "../map/graph";
import { comparison, type Range, rangeOf } from "../state/range";
import { useView } from "../state/store";

interface Page {
  readonly summary: Schemas["Summary"] | undefined;
  readonly health: Schemas["Health"] | undefined;
  /** More can come. */
  readonly live: boolean;
  readonly range: Range;
  readonly map: {
    readonly whole: Graph;
    readonly drawn: Drawn;
    readonly approximate: boolean;
    readonly loaded: boolean;
    readonly wrong: string | null;
    /** What the rates refer to. */
    readonly seconds: number;
  };
  readonly changes: Schemas["Difference"] | undefined;
  /** A node of the map by its key, whether it is drawn, in a group, or a group. */
  node(key: string): ServiceNode | undefined;
  /** The filter of the lists: the box, what is selected, no noise if so wished. */
  readonly listWhere: string;
  /** The selection's part of it. */
  readonly selection: string;
}

const PageContext = createContext<Page | null>(null);
const NONE: ReadonlyMap<string, number> = new Map();

export function usePage(): Page {
  return useContext(PageContext)!;
}

export function PageProvider({ children }: { children: ReactNode }) {
  const view = useView();
  const { where, level, quiet } = view;
  const summary = useAnswer("/summary", {}).data;
  const health = useAnswer("/health", {}).data;
  const { state } = useLive();
  const live = health?.live === true && state !== "ended";
  const range = rangeOf(view, summary, live);
  const compared = view.compare ? comparison(range, summary) : null;
  const shown = compared?.after ?? range;

  const map = useAnswer("/map", { where, level, ...shown });
  const noise = useAnswer("/map", { where: all(where, NOISE), level, ...shown }, { when: quiet });
  const changes = useAnswer(
    "/map/diff",
    {
      where,
      level,
      ...compared?.after,
      before_start: compared?.before.start ?? null,
      before_end: compared?.before.end ?? null,
    },
    { when: compared !== null },
  );
  const whole = useMemo(() => (map.data ? toGraph(map.data) : EMPTY), [map.data]);
  const quietened = useMemo(() => (noise.data ? amounts(toGraph(noise.data)) : NONE), [noise.data]);
  const { focus, depth, folded, open, find } = view;
  const drawn = useMemo(
    () => draw(whole, quietened, level, { quiet, focus, depth, folded, open, find }),
    [whole, quietened, level, quiet, focus, depth, folded, open, find],
  );
  const node = (key: string): ServiceNode | undefined => drawn.graph.nodes.get(key) ?? whole.nodes.get(key);
  const selection = selectionTerm(view, node);
  const span = map.data?.span;
  const page: Page = {
    summary,
    health,
    live,
    range: shown,
    map: {
      whole,
      drawn,
      approximate: map.data?.approximate ?? false,
      loaded: map.data !== undefined,
      wrong: map.error?.message ?? null,
      seconds: span?.start && span.end ? Number(BigInt(span.end) - BigInt(span.start)) / 1e9 : 1,
    },
    changes: compared ? changes.data : undefined,
    node,
    listWhere: all(where, selection, quiet ? not(NOISE) : ""),
    selection,
  };
  return <PageContext value={page}>{children}</PageContext>;
}

function selectionTerm(
  view: { edge: string | null; node: string | null },
  node: (key: string) => ServiceNode | undefined,
): string {
  if (view.edge !== null) {
    const [src = "", dst = "", protocol = ""] = edgeOfKey(view.edge) ?? [];
    const [from, to] = [node(src), node(dst)];
    return from && to ? edgeTerm({ protocol }, from, to) : "";
  }
  const chosen = view.node === null ? undefined : node(view.node);
  return chosen ? aroundTerm(chosen) : "";
}
