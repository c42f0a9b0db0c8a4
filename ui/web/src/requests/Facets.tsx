// How many requests have which value: a click on one narrows the filter to it, another undoes that.

import { useSyncExternalStore } from "react";
import { useAnswer } from "../api/questions";
import { usePage } from "../app/page";
import { has, quoted, toggled } from "../filter/terms";
import { count } from "../model/figures";
import { look, sign, words } from "../model/outcomes";
import { clean } from "../model/text";
import { go, useView } from "../state/store";

interface Facet {
  readonly title: string;
  readonly column: "dst_name" | "src_name" | "status" | "operation" | "protocol" | "outcome";
  term(value: string): string;
}

const equals =
  (field: string) =>
  (value: string): string =>
    `${field} == ${quoted(value)}`;

const FACETS: readonly Facet[] = [
  { title: "Outcome", column: "outcome", term: equals("outcome") },
  { title: "Status", column: "status", term: (value) => `status == ${value}` },
  { title: "To", column: "dst_name", term: equals("dst.name") },
  { title: "From", column: "src_name", term: equals("src.name") },
  { title: "Method", column: "operation", term: equals("operation") },
  { title: "Protocol", column: "protocol", term: equals("protocol") },
];

const SHOWN = 8;

/** Beside a drawer the columns of the table are worth more than the counts, unless the page is as wide as this. */
const ROOMY = "(min-width: 1700px)";
const ENOUGH = "(min-width: 900px)";

function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const media = matchMedia(query);
      media.addEventListener("change", listener);
      return () => media.removeEventListener("change", listener);
    },
    () => matchMedia(query).matches,
  );
}

/** Whether they are shown: as chosen, or where there is room. */
export function useFacets(): boolean {
  const { facets, panel, request, edge, node, compare } = useView();
  const roomy = useMedia(ROOMY);
  const enough = useMedia(ENOUGH);
  const drawer = request !== null || edge !== null || node !== null || compare;
  return facets ?? (panel === "full" && enough && (roomy || !drawer));
}

export function Facets() {
  return (
    <aside className="facets" aria-label="Values and how many requests have them">
      {FACETS.map((facet) => (
        <Values key={facet.column} facet={facet} />
      ))}
    </aside>
  );
}

function Values({ facet }: { facet: Facet }) {
  const { where } = useView();
  const { listWhere, range } = usePage();
  const answer = useAnswer("/values", { column: facet.column, where: listWhere, ...range, limit: SHOWN });
  const rows = answer.data?.rows ?? [];
  if (!rows.length) return null;
  return (
    <>
      <h3>{facet.title}</h3>
      {rows.map(({ value, count: number }) => {
        if (value === null) return null;
        const term = facet.term(value);
        const isOutcome = facet.column === "outcome";
        return (
          <button
            key={value}
            type="button"
            className="facet"
            aria-pressed={has(where, term)}
            title={term}
            onClick={() => go({ where: toggled(where, term) })}
          >
            <span className={`cut ${isOutcome ? look(value) : ""}`}>
              {isOutcome ? `${words(value)} ${sign(value)}` : clean(value)}
            </span>
            <span className="faint">{count(number)}</span>
          </button>
        );
      })}
    </>
  );
}
