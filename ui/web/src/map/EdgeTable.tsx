// The edges as a table, what hurts first: the map for the keyboard, for screen readers, and for maps too large to draw.

import { useMemo, useState } from "react";
import { usePage } from "../app/page";
import { Latency } from "../detail/parts";
import { count, plural, rate, share } from "../model/figures";
import { clean } from "../model/text";
import { go, useView } from "../state/store";
import { type Edge, failedConnections, pain, slowness, traffic } from "./graph";
import { failedWord } from "./labels";

const MOST = 1_000;

type Order = "pain" | "rate" | "errors" | "slow";

const ORDERS: Record<Order, (a: Edge, b: Edge) => number> = {
  pain: (a, b) => Number(pain(b) >= 0.005) - Number(pain(a) >= 0.005) || pain(b) - pain(a) || traffic(b) - traffic(a),
  rate: (a, b) => b.rate - a.rate || traffic(b) - traffic(a),
  errors: (a, b) => b.errors + failedConnections(b) - a.errors - failedConnections(a),
  slow: (a, b) => (slowness(b) ?? -1) - (slowness(a) ?? -1),
};

export function EdgeTable() {
  const { map, node } = usePage();
  const view = useView();
  const [order, setOrder] = useState<Order>("pain");
  const edges = useMemo(
    () =>
      map.drawn.graph.edges
        .filter((edge) => view.node === null || edge.src === view.node || edge.dst === view.node)
        .sort(ORDERS[order]),
    [map.drawn.graph.edges, order, view.node],
  );
  const name = (key: string): string => clean(node(key)?.name ?? key);
  const heads: readonly (readonly [title: string, order: Order | null, look: string])[] = [
    ["From", null, ""],
    ["To", null, ""],
    ["Protocol", null, ""],
    ["Rate", "rate", "right"],
    ["Calls", null, "right"],
    ["Errors", "errors", "right"],
    ["p50", null, "right more"],
    ["p95 (max below 20 calls)", "slow", "right"],
    ["p99", null, "right more"],
    ["", "pain", ""],
  ];
  return (
    <div className="health">
      <table className="plain-table">
        <thead>
          <tr>
            {heads.map(([title, by, look]) => (
              <th key={title} className={look || undefined}>
                {by ? (
                  <button type="button" className="link" aria-pressed={order === by} onClick={() => setOrder(by)}>
                    {title || "What hurts first"}
                    {order === by ? " ↓" : ""}
                  </button>
                ) : (
                  title
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {edges.slice(0, MOST).map((edge) => {
            const failed = failedConnections(edge);
            return (
              <tr
                key={edge.key}
                className="go"
                onClick={() => go({ edge: edge.key, node: null, request: null })}
                aria-selected={edge.key === view.edge}
              >
                <td>
                  <button type="button" className="link">
                    {name(edge.src)}
                  </button>
                </td>
                <td>{name(edge.dst)}</td>
                <td>{clean(edge.protocol)}</td>
                <td className="right">{edge.calls ? rate(edge.rate) : "-"}</td>
                <td className="right">{edge.calls ? count(edge.calls) : "-"}</td>
                <td className={`right ${edge.errors ? "outcome-server" : ""}`}>
                  {edge.calls ? share(edge.errors, edge.calls) : "-"}
                </td>
                <td className="right more">
                  <Latency ns={edge.p50} />
                </td>
                <td className="right">
                  <Latency ns={slowness(edge)} />
                </td>
                <td className="right more">
                  <Latency ns={edge.calls >= 20 ? edge.p99 : null} />
                </td>
                <td className={failed ? "outcome-timeout" : "faint"}>
                  {failed
                    ? `⊘ ${failedWord(edge)} ${count(failed)} of ${plural(Math.max(edge.connections, failed), "connection")}`
                    : edge.streams
                      ? `${plural(edge.streams, "stream")}, ${plural(edge.messages, "message")}`
                      : edge.calls
                        ? ""
                        : plural(edge.connections, "connection")}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {edges.length > MOST && <p className="note">{plural(edges.length - MOST, "edge")} more: filter, or focus.</p>}
      {!edges.length && <p className="says-why">No edges in what is shown.</p>}
    </div>
  );
}
