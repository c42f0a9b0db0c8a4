// What a filter on requests says of flows. The words are those of the terminal UI.

import type { Schemas } from "../api/client";

export interface FlowFilter {
  readonly where: string;
  /** What flows are not filtered by; empty: they are filtered by all of it. */
  readonly unfiltered: string;
}

/** By what `/filter` answers of it for connections; null: it is not known yet, or can't be understood. */
export function flowFilter(where: string, check: Schemas["FilterCheck"] | undefined): FlowFilter | null {
  if (check?.ok) return { where, unfiltered: "" };
  if (check?.shared === undefined) return null;
  const unfiltered = check.shared
    ? "filtered in part: the rest is about requests"
    : "not filtered: the filter is about requests";
  return { where: check.shared, unfiltered };
}
