// The columns of the requests, as one table: what each shows, needs and sorts by.

import type { ReactNode } from "react";
import { Latency } from "../detail/parts";
import { size } from "../model/figures";
import { look } from "../model/outcomes";
import { clean } from "../model/text";
import { iso, timeOfDay } from "../model/time";
import { endName, type Row, requestText, statusText } from "./row";

export interface Column {
  readonly key: string;
  readonly title: string;
  readonly width: string;
  /** Where the table is narrow. */
  readonly tight?: string;
  readonly right?: boolean;
  /** Column of the API to order by. */
  readonly order?: string;
  /** Columns of the API that it is made of. */
  readonly needs: readonly string[];
  render(row: Row, utc: boolean): ReactNode;
}

const text = (key: string, title: string, width: string, name: keyof Row & string): Column => ({
  key,
  title,
  width,
  order: name,
  needs: [name],
  render: (row) => clean(String(row[name] ?? "")),
});

const end = (side: "src" | "dst", title: string): Column => ({
  key: side,
  title,
  width: "minmax(90px, 1fr)",
  tight: "minmax(76px, 1fr)",
  order: `${side}_name`,
  needs: [`${side}_name`, `${side}_ip`, `${side}_port`],
  render: (row) => endName(row[`${side}_name`], row[`${side}_ip`], row[`${side}_port`]),
});

export const COLUMNS: readonly Column[] = [
  {
    key: "time",
    title: "Time",
    width: "92px",
    order: "time",
    needs: ["time"],
    render: (row, utc) => (
      <span className="time" title={iso(row.time ?? "0")}>
        {timeOfDay(row.time ?? "0", utc)}
      </span>
    ),
  },
  { ...text("protocol", "Protocol", "62px", "protocol"), tight: "52px" },
  end("src", "From"),
  end("dst", "To"),
  {
    key: "request",
    title: "Request",
    width: "minmax(170px, 3fr)",
    tight: "minmax(116px, 3fr)",
    order: "target",
    needs: ["operation", "target"],
    render: (row) => {
      const [operation, target] = requestText(row);
      return (
        <span className="request" title={target}>
          <b>{operation}</b> {target}
        </span>
      );
    },
  },
  {
    key: "status",
    title: "Status",
    width: "108px",
    tight: "88px",
    order: "status",
    needs: ["status", "status_text", "outcome", "error"],
    render: (row) => (
      <span className={look(row.outcome ?? "")} title={row.error ?? row.outcome ?? ""}>
        {statusText(row)}
      </span>
    ),
  },
  {
    key: "latency",
    title: "Latency",
    width: "122px",
    tight: "64px",
    order: "latency_ns",
    needs: ["latency_ns"],
    render: (row) => <Latency ns={row.latency_ns ?? null} />,
  },
  {
    key: "size",
    title: "Size",
    width: "54px",
    right: true,
    order: "response_body_bytes",
    needs: ["response_body_bytes"],
    render: (row) => size(row.response_body_bytes ?? null),
  },
  text("authority", "Host", "minmax(90px, 1fr)", "authority"),
  text("outcome", "Outcome", "96px", "outcome"),
  text("content", "Content", "130px", "response_content_type"),
  text("view", "Seen at", "70px", "view"),
  text("src_pod", "From pod", "minmax(90px, 1fr)", "src_pod"),
  text("dst_pod", "To pod", "minmax(90px, 1fr)", "dst_pod"),
  text("dst_node", "To node", "90px", "dst_node"),
  text("trace", "Trace", "minmax(90px, 1fr)", "trace_id"),
  {
    key: "wait",
    title: "Waited",
    width: "122px",
    tight: "64px",
    order: "wait_ns",
    needs: ["wait_ns"],
    render: (row) => <Latency ns={row.wait_ns ?? null} />,
  },
  {
    key: "notes",
    title: "Notes",
    width: "minmax(90px, 1fr)",
    needs: ["notes"],
    render: (row) => row.notes?.join(", ") ?? "",
  },
];

const USUAL = ["time", "protocol", "src", "dst", "request", "status", "latency", "size"];

export function chosenColumns(keys: readonly string[]): readonly Column[] {
  const wanted = keys.length ? keys : USUAL;
  const chosen = COLUMNS.filter(({ key }) => wanted.includes(key));
  return chosen.length ? chosen : COLUMNS.filter(({ key }) => USUAL.includes(key));
}
