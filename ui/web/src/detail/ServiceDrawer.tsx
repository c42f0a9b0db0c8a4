// One service: who calls it, whom it calls, its versions and pods, its slowest requests.

import { useAnswer } from "../api/questions";
import { usePage } from "../app/page";
import { all, nodeTerm } from "../filter/terms";
import type { Edge, ServiceNode } from "../map/graph";
import { failedConnections, pain, slowness, traffic } from "../map/graph";
import { failedWord } from "../map/labels";
import { count, plural, rate, share } from "../model/figures";
import { clean } from "../model/text";
import { go, useView } from "../state/store";
import { Close, Figure, Latency } from "./parts";
import { RequestList } from "./RequestList";

export function ServiceDrawer({ node }: { node: ServiceNode }) {
  const view = useView();
  const { map } = usePage();
  const edges = map.drawn.graph.edges;
  const coming = edges.filter(({ dst }) => dst === node.key);
  const going = edges.filter(({ src }) => src === node.key);
  const calls = coming.reduce((sum, edge) => sum + edge.calls, 0);
  const errors = coming.reduce((sum, edge) => sum + edge.errors, 0);
  const served = all(view.where, nodeTerm(node, "dst"));
  return (
    <aside className="drawer" aria-label={`Service ${clean(node.name)}`}>
      <div className="drawer-head">
        <div className="grow">
          <h2>
            {node.namespace && <span className="faint">{clean(node.namespace)}/</span>}
            {clean(node.name)}
          </h2>
          <p className="faint">
            {node.kind}, named by {clean(node.nameSource)}
          </p>
        </div>
        <Close onClose={() => go({ node: null })} />
      </div>
      <div className="drawer-tools with-space">
        <button
          type="button"
          className="button small"
          aria-pressed={view.focus === node.key}
          onClick={() => go({ focus: view.focus === node.key ? null : node.key, depth: 1 })}
        >
          Focus on it
        </button>
        <button
          type="button"
          className="button small"
          onClick={() => go({ where: all(view.where, nodeTerm(node, "dst")), node: null })}
        >
          Filter: to it
        </button>
      </div>
      <div className="drawer-body">
        {calls > 0 && (
          <dl className="figures">
            <Figure name="calls in">{count(calls)}</Figure>
            <Figure name="rate">{rate(coming.reduce((sum, edge) => sum + edge.rate, 0))}</Figure>
            <Figure name="errors">
              <span className={errors ? "outcome-server" : ""}>{share(errors, calls)}</span>
            </Figure>
          </dl>
        )}
        <EdgeList title="Called by" edges={coming} end="src" />
        <EdgeList title="Calls" edges={going} end="dst" />
        {node.members.length > 0 ? (
          <>
            <h3>Stands for {plural(node.members.length, "host")}</h3>
            <p>{node.members.map((member) => clean(member.name)).join(", ")}</p>
          </>
        ) : (
          <Parts node={node} />
        )}
        {calls > 0 && (
          <>
            <h3>Slowest answers</h3>
            <RequestList where={served} order="latency_ns" />
          </>
        )}
      </div>
    </aside>
  );
}

function EdgeList({ title, edges, end }: { title: string; edges: readonly Edge[]; end: "src" | "dst" }) {
  const { node } = usePage();
  if (!edges.length) return null;
  const sorted = [...edges].sort((a, b) => pain(b) - pain(a) || traffic(b) - traffic(a));
  return (
    <>
      <h3>{title}</h3>
      <table className="plain-table">
        <tbody>
          {sorted.map((edge) => {
            const failed = failedConnections(edge);
            return (
              <tr key={edge.key} className="go" onClick={() => go({ edge: edge.key, node: null })}>
                <td>
                  <button type="button" className="link">
                    {clean(node(edge[end])?.name ?? edge[end])}
                  </button>
                </td>
                <td className="faint">{clean(edge.protocol)}</td>
                <td className="right">{edge.calls ? rate(edge.rate) : ""}</td>
                <td className={`right ${edge.errors ? "outcome-server" : failed ? "outcome-timeout" : "faint"}`}>
                  {failed ? `⊘ ${failedWord(edge)} ${count(failed)}` : edge.calls ? share(edge.errors, edge.calls) : ""}
                </td>
                <td>
                  <Latency ns={slowness(edge)} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </>
  );
}

/** Its pods and the addresses it has; each narrows the filter. */
function Parts({ node }: { node: ServiceNode }) {
  const view = useView();
  const { range } = usePage();
  const pods = useAnswer("/values", {
    column: "dst_pod",
    where: all(view.where, nodeTerm(node, "dst")),
    ...range,
    limit: 20,
  });
  const rows = (pods.data?.rows ?? []).filter(({ value }) => value !== null);
  return (
    <>
      {rows.length > 0 && (
        <>
          <h3>Pods that answered</h3>
          <table className="plain-table">
            <tbody>
              {rows.map(({ value, count: number }) => (
                <tr key={value}>
                  <td>
                    <button
                      type="button"
                      className="link"
                      onClick={() => go({ where: all(view.where, `dst.pod == ${JSON.stringify(value)}`) })}
                    >
                      {clean(value ?? "")}
                    </button>
                  </td>
                  <td className="right faint">{plural(number, "request")}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
      {node.addresses.length > 0 && (
        <>
          <h3>Addresses</h3>
          <p className="mono">{node.addresses.join(", ")}</p>
        </>
      )}
    </>
  );
}
