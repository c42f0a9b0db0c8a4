// The requests that filter, range and selection leave, with facets at their left.

import { useLive } from "../api/live";
import { useAnswer } from "../api/questions";
import { usePage } from "../app/page";
import { WhyEmpty } from "../app/WhyEmpty";
import { go, useView } from "../state/store";
import { chosenColumns } from "./columns";
import { Facets, useFacets } from "./Facets";
import { Grid } from "./Grid";
import type { Row } from "./row";
import { useWindows } from "./useWindows";

const ALWAYS = ["id", "outcome", "protocol"];

export function Requests() {
  const view = useView();
  const page = usePage();
  const { paused } = useLive();
  const columns = chosenColumns(view.columns);
  const { listWhere: where, range } = page;
  const counted = useAnswer("/exchanges/count", { where, ...range });
  const total = counted.data?.count ?? 0;
  const query = {
    where: where || null,
    ...range,
    order: view.order,
    descending: view.descending || null,
    columns: [...new Set([...ALWAYS, ...columns.flatMap(({ needs }) => needs)])],
  };
  const { length, row, onWindow, wrong } = useWindows<Row>("/exchanges", query, total);
  const follows = page.live && !paused && view.order === "time" && !view.descending && view.end === null;
  const problem = counted.error ?? wrong;
  const facets = useFacets();
  return (
    <>
      {facets && <Facets />}
      <Grid<Row>
        label="Requests"
        columns={columns}
        total={length}
        row={row}
        cell={(shown, key) => columns.find((column) => column.key === key)?.render(shown, view.utc)}
        id={(shown) => shown.id ?? ""}
        chosen={view.request}
        order={view.order}
        descending={view.descending}
        onOrder={(order) => {
          const same = order === view.order;
          // Of latency and size the largest first is what one wants; of all else the smallest.
          const large = order.endsWith("_ns") || order.endsWith("_bytes");
          go({ order, descending: same ? !view.descending : large });
        }}
        onOpen={(shown) => go({ request: shown.id ?? null })}
        onWindow={onWindow}
        follows={follows}
        question={JSON.stringify([where, range, view.order, view.descending])}
        empty={
          <div className="says-why">
            {problem ? (
              <p>{problem.message}</p>
            ) : counted.data && page.summary ? (
              <WhyEmpty where={where} />
            ) : (
              <p>Asking …</p>
            )}
          </div>
        }
      />
    </>
  );
}
