// What a request says in one line.

import type { Schemas } from "../api/client";
import { sign } from "../model/outcomes";
import { clean } from "../model/text";

export type Row = Schemas["ExchangeRow"];

export function statusText(row: Pick<Row, "status" | "status_text" | "protocol" | "outcome">): string {
  const named = row.status_text && row.protocol !== "http" ? row.status_text : null;
  const text = named ?? (row.status == null ? "-" : String(row.status));
  const mark = sign(row.outcome ?? "");
  return mark ? `${clean(text)} ${mark}` : clean(text);
}

/** What was asked; a question mark where that was not seen. */
export function requestText(row: Pick<Row, "operation" | "target">): [operation: string, target: string] {
  return [clean(row.operation || "?"), clean(row.target ?? "")];
}

export function endName(name: string | undefined, ip: string | undefined, port: number | undefined): string {
  return name === undefined || name === ip ? `${ip ?? ""}:${port ?? ""}` : clean(name);
}
