// What is different from the range before: slower, failing more, new, gone; each leads to its edge.

import { usePage } from "../app/page";
import { changeKey } from "../map/useScene";
import { count, plural } from "../model/figures";
import { clean } from "../model/text";
import { clock } from "../model/time";
import { comparison } from "../state/range";
import { go, useView } from "../state/store";
import { Close } from "./parts";

const LOOKS: Record<string, string> = {
  slower: "outcome-timeout",
  more_errors: "outcome-server",
  new: "outcome-open",
  gone: "outcome-incomplete",
};
const ORDER = ["slower", "more_errors", "new", "gone"];

export function ChangesDrawer() {
  const view = useView();
  const { changes, summary, map } = usePage();
  const compared = comparison({ start: view.start, end: view.end }, summary);
  const sorted = [...(changes?.changes ?? [])].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
  const drawn = new Set(map.drawn.graph.edges.map(({ key }) => key));
  return (
    <aside className="drawer" aria-label="What changed">
      <div className="drawer-head">
        <div className="grow">
          <h2>What changed</h2>
          {compared && (
            <p className="faint">
              {clock(compared.after.start!, view.utc)} to {clock(compared.after.end!, view.utc)}, compared with{" "}
              {clock(compared.before.start!, view.utc)} to {clock(compared.before.end!, view.utc)}
            </p>
          )}
        </div>
        <Close onClose={() => go({ compare: false })} />
      </div>
      <div className="drawer-body">
        {!changes ? (
          <p className="faint">Asking …</p>
        ) : (
          <>
            <ul className="changes">
              {sorted.map((change) => {
                const key = changeKey(change);
                return (
                  <li key={`${change.kind} ${key}`}>
                    <span className={`kind ${LOOKS[change.kind] ?? ""}`}>{change.kind.replace("_", " ")}</span>
                    {drawn.has(key) ? (
                      <button type="button" className="link" onClick={() => go({ edge: key, node: null })}>
                        {clean(change.src.name)} → {clean(change.dst.name)}
                      </button>
                    ) : (
                      <span>
                        {clean(change.src.name)} → {clean(change.dst.name)}
                      </span>
                    )}{" "}
                    <span className="faint">{clean(change.protocol)}</span>
                    <br />
                    <span className="faint">{change.why}</span>
                  </li>
                );
              })}
            </ul>
            <p className="note">
              {sorted.length ? "" : "No difference that is large enough to matter. "}
              {plural(changes.compared, "edge")} in both
              {changes.unjudged ? `; ${count(changes.unjudged)} with too few calls to compare latencies` : ""}.
            </p>
          </>
        )}
      </div>
    </aside>
  );
}
