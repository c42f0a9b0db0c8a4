// Where the time went, and what the server was likely waiting for meanwhile.

import type { Schemas } from "../api/client";
import { useAnswer } from "../api/questions";
import { all, quoted } from "../filter/terms";
import { duration } from "../model/figures";
import { look } from "../model/outcomes";
import { clean } from "../model/text";
import { between, plus } from "../model/time";
import { endName, type Row, requestText, statusText } from "../requests/row";
import { go } from "../state/store";

type Exchange = Schemas["Exchange"];

interface Phase {
  readonly name: string;
  readonly from: number;
  readonly ns: number;
  readonly soft?: boolean;
}

/** The phases that are known, one after the other. A call seen from both ends shows the network apart. */
function phases(exchange: Exchange): Phase[] {
  const { send_ns: send, wait_ns: wait, receive_ns: receive } = exchange;
  const made: Phase[] = [];
  let at = 0;
  const add = (name: string, ns: number | null, soft = false): void => {
    if (ns === null) return;
    made.push({ name, from: at, ns, soft });
    at += ns;
  };
  add("request sent", send, true);
  add(`${clean(exchange.dst.name)} worked`, wait);
  add("response received", receive, true);
  return made;
}

const MEANINGS: Record<string, string> = {
  client: "the client's view",
  server: "the server's view",
  both: "the client's view; the server was seen, too",
  loopback: "seen on loopback",
};

export function Timing({ exchange }: { exchange: Exchange }) {
  const shown = phases(exchange);
  const whole = Math.max(...shown.map(({ from, ns }) => from + ns), 1);
  const until = exchange.notes.includes("stream")
    ? "first request byte to first response byte: it is a stream"
    : "first request byte to last response byte";
  const view = exchange.view === null ? "" : `${MEANINGS[exchange.view] ?? exchange.view}: `;
  return (
    <>
      {shown.length ? (
        <div className="waterfall">
          {shown.map(({ name, from, ns, soft }) => (
            <div key={name} style={CONTENTS}>
              <span>{name}</span>
              <span className="track">
                <i
                  className={soft ? "soft" : undefined}
                  style={{ left: `${(100 * from) / whole}%`, width: `${(100 * ns) / whole}%` }}
                />
              </span>
              <span className="right">{duration(ns)}</span>
            </div>
          ))}
        </div>
      ) : (
        <p className="faint">Its timing is not known: too little of it was seen.</p>
      )}
      <p className="note">
        Latency {duration(exchange.latency_ns)}; {view}
        {until}.
      </p>
      <Waiting exchange={exchange} />
    </>
  );
}

const CONTENTS = { display: "contents" } as const;
const SHOWN = 8;
const SLACK_NS = 1_000_000;

/** Calls that the server made inside this call's time: likely, unless a trace proves it. */
function Waiting({ exchange }: { exchange: Exchange }) {
  const { trace_id: trace, latency_ns: latency } = exchange;
  const answer = useAnswer(
    "/exchanges",
    {
      where: trace
        ? all(`trace_id == ${quoted(trace)}`, `id != ${quoted(exchange.id)}`)
        : `src.ip == ${quoted(exchange.dst.ip)}`,
      ...(trace
        ? { order: "time" as const }
        : {
            start: exchange.time_ns,
            end: plus(exchange.time_ns, (latency ?? 0) + SLACK_NS),
            order: "latency_ns" as const,
            descending: true,
          }),
      limit: trace ? 40 : SHOWN * 3,
      columns: WAITING as never,
    },
    { when: latency !== null, fresh: true },
  );
  if (!answer.data || latency === null) return null;
  const inside = answer.data.rows.filter((row) => {
    const from = between(exchange.time_ns, row.time ?? "0");
    return (
      from >= 0 && row.id !== exchange.id && (trace !== null || from + (row.latency_ns ?? 0) <= latency + SLACK_NS)
    );
  });
  if (!inside.length) return null;
  const listed = inside.sort((a, b) => between(b.time ?? "0", a.time ?? "0")).slice(0, trace ? 40 : SHOWN);
  return (
    <section className="waiting">
      <h3>
        {trace ? "Its trace, after it" : `Meanwhile ${clean(exchange.dst.name)} waited for (likely: the times fit)`}
      </h3>
      <div className="waterfall">
        {listed.map((row) => (
          <Call key={row.id} row={row} from={between(exchange.time_ns, row.time ?? "0")} whole={latency} />
        ))}
      </div>
    </section>
  );
}

const WAITING = "id,time,protocol,operation,target,status,status_text,outcome,latency_ns,dst_name,dst_ip,dst_port";

function Call({ row, from, whole }: { row: Row; from: number; whole: number }) {
  const [operation, target] = requestText(row);
  const left = Math.min((100 * from) / Math.max(whole, 1), 100);
  const width = Math.min((100 * (row.latency_ns ?? 0)) / Math.max(whole, 1), 100 - left);
  return (
    <div style={CONTENTS}>
      <button type="button" className="link cut" style={NAME} onClick={() => go({ request: row.id ?? null })}>
        {endName(row.dst_name, row.dst_ip, row.dst_port)} {operation} {target}
      </button>
      <span className="track">
        <i style={{ left: `${left}%`, width: `${width}%` }} />
      </span>
      <span className={`right ${look(row.outcome ?? "")}`}>
        {statusText(row)} {duration(row.latency_ns)}
      </span>
    </div>
  );
}

const NAME = { maxWidth: 210 } as const;
