// The table below the map: requests, edges, flows, health. It can be pulled up to full height, or down out of the way.

import { address } from "../api/client";
import { Flows, useFlowCount } from "../flows/Flows";
import { HealthView } from "../health/HealthView";
import { EdgeTable } from "../map/EdgeTable";
import { count } from "../model/figures";
import { clean } from "../model/text";
import { COLUMNS, chosenColumns } from "../requests/columns";
import { useFacets } from "../requests/Facets";
import { Requests } from "../requests/Requests";
import { go, useView } from "../state/store";
import { type Panel, TABS, type Tab } from "../state/view";
import { Menu } from "./Menu";
import { usePage } from "./page";

const NAMES: Record<Tab, string> = { requests: "Requests", edges: "Edges", flows: "Flows", health: "Health" };
const EXPORTS = [
  ["har", "HAR (browsers' developer tools)"],
  ["jsonl", "JSON lines"],
  ["json", "JSON"],
  ["csv", "CSV"],
  ["parquet", "Parquet"],
  ["yaml", "YAML"],
] as const;

export function BottomPanel() {
  const view = useView();
  const { map, selection } = usePage();
  const flows = useFlowCount();
  const next: Record<Panel, Panel> = { low: "half", half: "full", full: "half" };
  const counts: Partial<Record<Tab, number>> = {
    edges: map.drawn.graph.edges.length,
    ...(flows.count !== undefined && !flows.problem ? { flows: flows.count } : {}),
  };
  return (
    <section className={`panel ${view.panel}`} aria-label="Lists">
      <div className="panel-head">
        <div className="tabs" role="tablist" aria-label="Lists">
          {TABS.map((tab, index) => (
            <button
              key={tab}
              type="button"
              role="tab"
              id={`tab-${tab}`}
              className="tab"
              aria-selected={view.tab === tab}
              aria-controls={view.panel === "low" ? undefined : "panel"}
              title={`${NAMES[tab]} (${index + 1})`}
              onClick={() => go({ tab, ...(view.panel === "low" ? { panel: "half" as const } : {}) })}
            >
              {NAMES[tab]} {counts[tab] !== undefined && <span className="faint">{count(counts[tab])}</span>}
            </button>
          ))}
        </div>
        {selection && (
          <span className="button small" style={CHIP}>
            <span className="cut" title={selection}>
              of the selection
            </span>
            <button
              type="button"
              className="link"
              aria-label="Show all, not of the selection only"
              onClick={() => go({ edge: null, node: null })}
            >
              ✕
            </button>
          </span>
        )}
        <span className="grow" />
        {view.tab === "requests" && view.panel !== "low" && <RequestTools />}
        <button
          type="button"
          className="button plain"
          aria-label={view.panel === "full" ? "Show the map again" : "Pull the table up"}
          title={view.panel === "full" ? "Show the map again" : "Pull the table up"}
          onClick={() => go({ panel: next[view.panel] })}
        >
          {view.panel === "full" ? "▾" : "▴"}
        </button>
        <button
          type="button"
          className="button plain"
          aria-label="Put the table out of the way"
          title="Put the table out of the way"
          disabled={view.panel === "low"}
          onClick={() => go({ panel: "low" })}
        >
          ▁
        </button>
      </div>
      {view.panel !== "low" && (
        <div className="panel-body" role="tabpanel" id="panel" aria-labelledby={`tab-${view.tab}`}>
          {view.tab === "requests" && <Requests />}
          {view.tab === "edges" && <EdgeTable />}
          {view.tab === "flows" && <Flows />}
          {view.tab === "health" && <HealthView />}
        </div>
      )}
    </section>
  );
}

const CHIP = { maxWidth: 300, marginLeft: 6 } as const;

function RequestTools() {
  const view = useView();
  const { listWhere, range } = usePage();
  const chosen = chosenColumns(view.columns).map(({ key }) => key);
  const facets = useFacets();
  return (
    <>
      <button
        type="button"
        className="button"
        aria-pressed={facets}
        title="How many requests have which service, status, method and protocol"
        onClick={() => go({ facets: !facets })}
      >
        Counts
      </button>
      <Menu label="Columns" stays up={view.panel !== "full"}>
        {COLUMNS.map(({ key, title }) => (
          <label key={key} className="menu-item">
            <input
              type="checkbox"
              checked={chosen.includes(key)}
              onChange={() =>
                go({ columns: chosen.includes(key) ? chosen.filter((one) => one !== key) : [...chosen, key] })
              }
            />
            {title}
          </label>
        ))}
      </Menu>
      <Menu label="Export" title="These requests as a file, with heads and bodies" up={view.panel !== "full"}>
        {listWhere && <h3 className="cut">{clean(listWhere)}</h3>}
        {EXPORTS.map(([format, words]) => (
          <a
            key={format}
            className="menu-item"
            download
            href={address(`/export/${format}`, {
              where: listWhere,
              ...range,
              order: view.order === "time" ? null : view.order,
              descending: view.descending,
            })}
          >
            {words}
          </a>
        ))}
      </Menu>
    </>
  );
}
