// A few requests, each a step to its detail.

import { useAnswer } from "../api/questions";
import { usePage } from "../app/page";
import { look } from "../model/outcomes";
import { timeOfDay } from "../model/time";
import { requestText, statusText } from "../requests/row";
import { go, useView } from "../state/store";
import { Latency } from "./parts";

const COLUMNS = "id,time,operation,target,status,status_text,protocol,outcome,latency_ns" as never;
const SHOWN = 6;

export function RequestList({ where, order }: { where: string; order: "latency_ns" | "time" }) {
  const { range } = usePage();
  const { utc } = useView();
  const answer = useAnswer("/exchanges", { where, ...range, order, descending: true, limit: SHOWN, columns: COLUMNS });
  const rows = answer.data?.rows ?? [];
  return (
    <table className="plain-table request-list">
      <tbody>
        {rows.map((row) => {
          const [operation, target] = requestText(row);
          return (
            <tr key={row.id} className="go" onClick={() => go({ request: row.id ?? null })}>
              <td className="cut">
                <button type="button" className="link mono cut" title={target}>
                  {operation} {target}
                </button>
              </td>
              <td className={`narrow ${look(row.outcome ?? "")}`}>{statusText(row)}</td>
              <td className="narrow">
                <Latency ns={row.latency_ns ?? null} />
              </td>
              <td className="narrow faint">{timeOfDay(row.time ?? "0", utc)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
