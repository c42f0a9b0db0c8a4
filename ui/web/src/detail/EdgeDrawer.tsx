// One edge: how much, how slow, what fails; latency over time and its distribution; the slowest requests and the failed.

import { useAnswer } from "../api/questions";
import { usePage } from "../app/page";
import { all, edgeTerm, has, quoted, toggled } from "../filter/terms";
import { type Edge, ENOUGH, failedConnections, type ServiceNode } from "../map/graph";
import { failedWord } from "../map/labels";
import { count, duration, plural, rate, share, size } from "../model/figures";
import { clean } from "../model/text";
import { boundsOf } from "../state/range";
import { go, useView } from "../state/store";
import { Distribution, OverTime } from "./Charts";
import { Close, Figure } from "./parts";
import { RequestList } from "./RequestList";
import { useChange } from "./useChange";

/** Calls that a chart shows as dots. */
const DOTS = 600;
const COLUMNS = "id,time,latency_ns,outcome,operation,target,status,status_text,protocol" as never;

interface Props {
  readonly edge: Edge | undefined;
  readonly src: ServiceNode;
  readonly dst: ServiceNode;
}

export function EdgeDrawer({ edge, src, dst }: Props) {
  const change = useChange(edge?.key ?? null);
  return (
    <aside className="drawer" aria-label={`Calls from ${clean(src.name)} to ${clean(dst.name)}`}>
      <div className="drawer-head">
        <div className="grow">
          <h2>
            <button type="button" className="link" onClick={() => go({ node: src.key, edge: null })}>
              {clean(src.name)}
            </button>{" "}
            →{" "}
            <button type="button" className="link" onClick={() => go({ node: dst.key, edge: null })}>
              {clean(dst.name)}
            </button>
          </h2>
          {edge && <p className="faint">{clean(edge.protocol)}</p>}
          {change && (
            <p className="outcome-timeout">
              {change.kind.replace("_", " ")}: {change.why}
            </p>
          )}
        </div>
        <Close onClose={() => go({ edge: null })} />
      </div>
      <div className="drawer-body">
        {edge ? <Body edge={edge} src={src} dst={dst} /> : <p className="faint">No calls in what is shown.</p>}
      </div>
    </aside>
  );
}

function Body({ edge, src, dst }: { edge: Edge; src: ServiceNode; dst: ServiceNode }) {
  const failed = failedConnections(edge);
  return (
    <>
      <dl className="figures">
        {edge.calls > 0 && (
          <>
            <Figure name="rate" note={plural(edge.calls, "call")}>
              {rate(edge.rate)}
            </Figure>
            <Figure name="errors" note={edge.errors ? count(edge.errors) : undefined}>
              <span className={edge.errors ? "outcome-server" : ""}>{share(edge.errors, edge.calls)}</span>
            </Figure>
            {edge.clientErrors > 0 && (
              <Figure name="client errors" note={count(edge.clientErrors)}>
                <span className="outcome-client">{share(edge.clientErrors, edge.calls)}</span>
              </Figure>
            )}
            <Figure name="p50">{duration(edge.p50)}</Figure>
            {edge.calls >= ENOUGH && (
              <>
                <Figure name="p95">{duration(edge.p95)}</Figure>
                <Figure name="p99">{duration(edge.p99)}</Figure>
              </>
            )}
            <Figure name="maximum">{duration(edge.max)}</Figure>
          </>
        )}
        {edge.streams > 0 && (
          <Figure name="streams" note={edge.openStreams ? `${count(edge.openStreams)} open` : undefined}>
            {count(edge.streams)}
          </Figure>
        )}
        {edge.messages > 0 && <Figure name="messages">{count(edge.messages)}</Figure>}
        <Figure name="sent">{size(edge.bytesSent)}</Figure>
        <Figure name="received">{size(edge.bytesReceived)}</Figure>
        <Figure name="connections">{count(edge.connections)}</Figure>
      </dl>
      {failed > 0 && (
        <p className="outcome-timeout">
          ⊘ {count(failed)} of {plural(Math.max(edge.connections, failed), "connection")} {failedWord(edge)}
          {edge.refused > 0 && ": nothing listens there"}
          {edge.unanswered > 0 && ": dropped on the way, or no such host"}.{" "}
          <button type="button" className="link" onClick={() => go({ tab: "flows", failedFirst: true, panel: "half" })}>
            See them
          </button>
        </p>
      )}
      {edge.calls + edge.streams > 0 && <Calls edge={edge} src={src} dst={dst} />}
    </>
  );
}

function Calls({ edge, src, dst }: { edge: Edge; src: ServiceNode; dst: ServiceNode }) {
  const view = useView();
  const { summary, range, map } = usePage();
  const where = all(view.where, edgeTerm(edge, src, dst));
  const bounds = boundsOf(range, summary);
  const newest = useAnswer("/exchanges", {
    where,
    ...range,
    order: "time",
    descending: true,
    limit: DOTS,
    columns: COLUMNS,
  });
  const one = src.numbers.length === 1 && dst.numbers.length === 1;
  const timeline = useAnswer(
    "/timeline",
    {
      where: view.where,
      level: view.level,
      start: bounds?.[0],
      end: bounds?.[1],
      buckets: 40,
      src: src.numbers[0],
      dst: dst.numbers[0],
    },
    { when: one && bounds !== null },
  );
  const statuses = useAnswer("/values", { column: "status", where, ...range, limit: 12 });
  const targets = useAnswer("/values", { column: "target", where, ...range, limit: 6 });
  const rows = newest.data?.rows ?? [];
  const line = (timeline.data?.rows ?? [])
    .filter((row) => row.protocol === edge.protocol && row.p95_ns !== null)
    .map((row) => ({ time: row.time, p95: row.p95_ns! }));
  const seen =
    rows.length < edge.calls + edge.streams
      ? `the newest ${count(rows.length)} of ${count(edge.calls + edge.streams)}`
      : `n = ${count(rows.length)}`;
  return (
    <>
      <h3>Latency over time</h3>
      {bounds && rows.length > 0 && (
        <OverTime rows={rows} bounds={bounds} line={line} utc={view.utc} onOpen={(id) => go({ request: id })} />
      )}
      <p className="note">
        First request byte to last response byte; {seen}; {duration(Math.round(map.seconds * 1e9))}. A dot is a request
        {line.length > 1 ? "; the line is p95" : ""}.
      </p>
      <h3>Distribution</h3>
      <Distribution rows={rows} />
      {(statuses.data?.rows.length ?? 0) > 0 && (
        <>
          <h3>Status</h3>
          <p className="statuses">
            {statuses.data!.rows.map(({ value, count: number }) => {
              if (value === null) return null;
              const term = `status == ${value}`;
              return (
                <button
                  key={value}
                  type="button"
                  className={`chip ${/^5/.test(value) ? "outcome-server" : /^4/.test(value) ? "outcome-client" : ""}`}
                  aria-pressed={has(view.where, term)}
                  onClick={() => go({ where: toggled(view.where, term) })}
                >
                  {value} <span className="faint">{count(number)}</span>
                </button>
              );
            })}
          </p>
        </>
      )}
      {(targets.data?.rows.length ?? 0) > 1 && (
        <>
          <h3>Asked for most</h3>
          <p className="statuses">
            {targets.data!.rows.map(
              ({ value, count: number }) =>
                value !== null && (
                  <button
                    key={value}
                    type="button"
                    className="chip cut mono"
                    title={clean(value)}
                    onClick={() => go({ where: toggled(view.where, `target == ${quoted(value)}`) })}
                  >
                    {clean(value).slice(0, 40)} <span className="faint">{count(number)}</span>
                  </button>
                ),
            )}
          </p>
        </>
      )}
      <h3>Slowest</h3>
      <RequestList where={where} order="latency_ns" />
      {edge.errors > 0 && (
        <>
          <h3>Failed last</h3>
          <RequestList where={all(where, "failed")} order="time" />
        </>
      )}
    </>
  );
}
