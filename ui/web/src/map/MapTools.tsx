// What one does with the map: level, search, focus, noise, folding, tidying, export.

import { address } from "../api/client";
import { Menu } from "../app/Menu";
import { usePage } from "../app/page";
import { clean } from "../model/text";
import { adjust, go, useView } from "../state/store";
import { LEVELS, type Level } from "./graph";
import type { Scene } from "./useScene";
import type { Laid } from "./useSlots";

const EXPORTS = [
  ["svg", "SVG picture"],
  ["png", "PNG picture"],
  ["graphml", "GraphML (Gephi, yEd)"],
  ["dot", "DOT (Graphviz)"],
  ["mermaid", "Mermaid (Markdown)"],
  ["json", "JSON"],
  ["csv", "CSV"],
] as const;

export function MapTools({ laid, scene }: { laid: Laid; scene: Scene }) {
  const view = useView();
  const { map, range, node } = usePage();
  const focused = view.focus === null ? undefined : node(view.focus);
  return (
    <div className="map-tools">
      <select
        className="button"
        aria-label="What a node stands for"
        value={view.level}
        onChange={(event) => go({ level: event.target.value as Level, node: null, edge: null, focus: null })}
      >
        {LEVELS.map((level) => (
          <option key={level} value={level}>
            {level === "address" ? "addresses" : `${level}s`}
          </option>
        ))}
      </select>
      <input
        type="search"
        placeholder="Find a service"
        aria-label="Find a service on the map"
        value={view.find}
        onChange={(event) => adjust({ find: event.target.value })}
        onKeyDown={(event) => {
          const [first] = map.drawn.found ?? [];
          if (event.key === "Enter" && first !== undefined) go({ node: first, edge: null });
        }}
      />
      <button
        type="button"
        className="button"
        aria-pressed={view.quiet}
        title="Leaves out DNS, health checks and scrapes of metrics"
        onClick={() => go({ quiet: !view.quiet })}
      >
        Hide noise
      </button>
      {(map.drawn.folded || view.folded !== null || map.whole.nodes.size > 60) && (
        <button
          type="button"
          className="button"
          aria-pressed={map.drawn.folded}
          onClick={() => go({ folded: !map.drawn.folded, open: [] })}
        >
          By namespace
        </button>
      )}
      {focused && (
        <span className="button" aria-live="polite">
          around {clean(focused.name)}
          <button
            type="button"
            className="link"
            aria-label="One call less around it"
            disabled={view.depth <= 1}
            onClick={() => go({ depth: view.depth - 1 })}
          >
            −
          </button>
          {view.depth}
          <button
            type="button"
            className="link"
            aria-label="One call more around it"
            onClick={() => go({ depth: Math.min(view.depth + 1, 9) })}
          >
            +
          </button>
          <button type="button" className="link" onClick={() => go({ focus: null, depth: 1 })}>
            all
          </button>
        </span>
      )}
      <button
        type="button"
        className="button"
        title="Lays the map out anew; without this nothing moves"
        disabled={!scene.nodes.size}
        onClick={() => {
          go({ moved: {} });
          laid.tidy();
        }}
      >
        Tidy
      </button>
      <Menu label="Export" title="The map as a file">
        {EXPORTS.map(([format, words]) => (
          <a
            key={format}
            className="menu-item"
            download
            href={address(`/map/export/${format}`, { where: view.where, level: view.level, ...range })}
          >
            {words}
          </a>
        ))}
      </Menu>
    </div>
  );
}
