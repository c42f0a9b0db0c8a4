// The line below the map: how to read it, and what is left out of it.

import { usePage } from "../app/page";
import { useTheme } from "../app/theme";
import { plural } from "../model/figures";
import { latencyColour } from "../model/latency";
import { go, useView } from "../state/store";
import { failedConnections } from "./graph";

const STOPS = [250e3, 2e6, 20e6, 200e6, 10e9];

export function MapNotes() {
  const { map } = usePage();
  const { drawn, whole } = map;
  const view = useView();
  const theme = useTheme();
  if (!drawn.graph.nodes.size) return null;
  const dead = drawn.graph.edges.some((edge) => failedConnections(edge) > 0);
  const errors = drawn.graph.edges.some((edge) => edge.errors > 0);
  const streams = drawn.graph.edges.some((edge) => edge.streams > 0 && edge.calls === 0);
  const colours = STOPS.map((ns) => latencyColour(ns, theme)).join(", ");
  const groups = drawn.folded ? [...drawn.graph.nodes.values()].filter((node) => node.kind === "namespace").length : 0;
  return (
    <p className="map-notes">
      <span>
        0.25 ms
        <i className="scale" style={{ background: `linear-gradient(90deg, ${colours})` }} />
        10 s
      </span>
      <span>width: rate</span>
      {errors && (
        <span>
          <i className="key-line errors" />
          errors
        </span>
      )}
      {dead && (
        <span>
          <i className="key-line" />
          nothing comes through
        </span>
      )}
      {streams && (
        <span>
          <i className="key-line stream" />
          streams
        </span>
      )}
      {drawn.folded && groups > 0 && (
        <span>
          {plural(whole.nodes.size, "service")}; {plural(groups, "namespace group")} shown. Open one with a click.
        </span>
      )}
      {view.open.length > 0 && (
        <button type="button" className="link" onClick={() => go({ open: [] })}>
          close all namespaces
        </button>
      )}
      {view.quiet && <span>{plural(drawn.quietEdges, "edge")} of noise hidden</span>}
      {drawn.outside > 0 && <span>{plural(drawn.outside, "service")} outside the focus hidden</span>}
      {(drawn.hiddenNodes > 0 || drawn.hiddenEdges > 0) && (
        <span>
          {plural(drawn.hiddenNodes, "node")} and {plural(drawn.hiddenEdges, "edge")} hidden, the least busy
        </span>
      )}
      {map.approximate && <span>percentiles up to 0.5 % too high</span>}
    </p>
  );
}
