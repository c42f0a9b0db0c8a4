// Every TCP and UDP flow, parsed or not: what was refused, never answered, cut, and why a flow is no request.

import { useState } from "react";
import type { Schemas } from "../api/client";
import { useAnswer } from "../api/questions";
import { usePage } from "../app/page";
import { count, duration, size } from "../model/figures";
import { look, sign } from "../model/outcomes";
import { clean } from "../model/text";
import { timeOfDay } from "../model/time";
import { Grid, type GridColumn } from "../requests/Grid";
import { endName } from "../requests/row";
import { useWindows } from "../requests/useWindows";
import { adjust, useView } from "../state/store";
import { flowFilter } from "./filter";

type Row = Schemas["ConnectionRow"];

const COLUMNS: readonly GridColumn[] = [
  { key: "time", title: "Time", width: "92px", order: "time" },
  { key: "protocol", title: "Protocol", width: "96px", tight: "56px", order: "protocol" },
  { key: "src", title: "From", width: "minmax(110px, 1fr)", tight: "minmax(84px, 1fr)", order: "src_name" },
  { key: "dst", title: "To", width: "minmax(110px, 1fr)", tight: "minmax(84px, 1fr)", order: "dst_name" },
  { key: "state", title: "State", width: "108px", tight: "86px", order: "state" },
  { key: "handshake", title: "Handshake", width: "84px", tight: "70px", right: true, order: "handshake_ns" },
  { key: "sent", title: "Sent", width: "58px", tight: "46px", right: true, order: "bytes_sent" },
  { key: "received", title: "Received", width: "66px", tight: "60px", right: true, order: "bytes_received" },
  { key: "again", title: "Again", width: "54px", tight: "44px", right: true, order: "retransmits" },
  { key: "requests", title: "Requests", width: "66px", tight: "60px", right: true, order: "exchanges" },
  { key: "why", title: "Why", width: "minmax(150px, 2fr)", tight: "minmax(110px, 2fr)" },
];

function cell(row: Row, column: string, utc: boolean) {
  switch (column) {
    case "time":
      return <span className="time">{timeOfDay(row.time, utc)}</span>;
    case "protocol":
      return clean(row.protocol === "unknown" ? `${row.transport} ?` : row.protocol);
    case "src":
    case "dst": {
      const name = endName(row[`${column}_name`], row[`${column}_ip`], row[`${column}_port`]);
      return <span title={`${row[`${column}_ip`]}:${row[`${column}_port`]}`}>{name}</span>;
    }
    case "state":
      return (
        <span className={look(row.state)}>
          {row.state} {sign(row.state)}
        </span>
      );
    case "handshake":
      return duration(row.handshake_ns);
    case "sent":
      return size(row.bytes_sent);
    case "received":
      return size(row.bytes_received);
    case "again":
      return row.retransmits ? count(row.retransmits) : "";
    case "requests":
      return row.exchanges ? count(row.exchanges) : "";
    default: {
      const gaps = row.gaps ? `${count(row.gaps)} gaps (${size(row.gap_bytes)}B not captured)` : "";
      const tls = row.server_name ? `TLS to ${row.server_name}` : "";
      return <span className="faint">{clean([row.reason, tls, gaps].filter(Boolean).join("; "))}</span>;
    }
  }
}

/** How many flows are left by the selection, the range of time, and what the filter says that flows have too. */
export function useFlowCount() {
  const view = useView();
  const { range, selection } = usePage();
  const asks = view.where !== "";
  const check = useAnswer("/filter", { where: view.where, record: "connection" }, { when: asks, fresh: true });
  const filter = asks ? flowFilter(view.where, check.data) : { where: "", unfiltered: "" };
  const where = [filter?.where, selection]
    .filter(Boolean)
    .map((part) => `(${part})`)
    .join(" && ");
  const query = { where, ...range, failed_only: view.failedFirst || null };
  const counted = useAnswer("/connections/count", query, { when: filter !== null });
  const wrong = check.data && filter === null ? check.data.message : undefined;
  return {
    where,
    unfiltered: filter?.unfiltered ?? "",
    count: filter === null ? undefined : counted.data?.count,
    problem: wrong ?? check.error?.message ?? counted.error?.message,
  };
}

export function Flows() {
  const view = useView();
  const { range } = usePage();
  const [order, setOrder] = useState("time");
  const [descending, setDescending] = useState(false);
  const counted = useFlowCount();
  const { where, unfiltered } = counted;
  const total = counted.count ?? 0;
  const query = {
    where: where || null,
    ...range,
    failed_only: view.failedFirst || null,
    order,
    descending: descending || null,
  };
  const { length, row, onWindow, wrong } = useWindows<Row>("/connections", query, counted.problem ? 0 : total);
  const problem = counted.problem ?? wrong?.message;
  return (
    <div style={COLUMN}>
      <label className="flows-tools">
        <input
          type="checkbox"
          checked={view.failedFirst}
          onChange={(event) => adjust({ failedFirst: event.target.checked })}
        />
        failed only: refused, unanswered, reset{" "}
        <span className="faint">
          · {count(total)} flows{unfiltered && `, ${unfiltered}`}
        </span>
      </label>
      <Grid<Row>
        label="Flows"
        columns={COLUMNS}
        total={problem ? 0 : length}
        row={row}
        cell={(shown, column) => cell(shown, column, view.utc)}
        id={(shown) => shown.id}
        chosen={null}
        order={order}
        descending={descending}
        onOrder={(next) => {
          setDescending(next === order ? !descending : next !== "time" && !next.endsWith("name"));
          setOrder(next);
        }}
        onOpen={() => undefined}
        onWindow={onWindow}
        follows={false}
        question={JSON.stringify([where, range, order, descending, view.failedFirst])}
        empty={
          <div className="says-why">
            <p>{problem ? problem : counted.count !== undefined ? "No flows in what is shown." : "Asking …"}</p>
          </div>
        }
      />
    </div>
  );
}

const COLUMN = { display: "flex", flex: 1, flexDirection: "column", minWidth: 0, minHeight: 0 } as const;
