// All edges in one drawing below the nodes, over the boxes of namespaces: width by rate, colour by latency, dashed where nothing comes through.
// For the mouse; the keyboard has the table of edges and the lists in the drawer.

import { memo, type PointerEvent } from "react";
import { latencyColour } from "../model/latency";
import { clean } from "../model/text";
import { type Box, type Curve, path } from "./geometry";
import { type Edge, isDead, slowness } from "./graph";
import { lineWidth } from "./labels";

export interface Looks {
  readonly chosen: boolean;
  readonly dim: boolean;
}

/** With more edges than this arrows are too small to be seen and take most of the time to draw; all calls go right. */
const MOST_ARROWS = 600;

interface Props {
  readonly edges: readonly Edge[];
  readonly lines: ReadonlyMap<string, Curve>;
  readonly spaces: readonly Box[];
  readonly theme: "light" | "dark";
  looks(edge: Edge): Looks;
  onChoose(key: string): void;
  onHover(key: string | null): void;
}

function keyAt(event: PointerEvent | React.MouseEvent): string | null {
  return (event.target as Element).getAttribute("data-edge");
}

export function EdgeLayer({ edges, lines, spaces, theme, looks, onChoose, onHover }: Props) {
  return (
    <svg
      className="edges"
      aria-hidden="true"
      onClick={(event) => {
        const key = keyAt(event);
        if (key !== null) onChoose(key);
      }}
      onPointerOver={(event) => onHover(keyAt(event))}
      onPointerLeave={() => onHover(null)}
    >
      <defs>
        <marker
          id="arrow"
          viewBox="0 0 8 8"
          refX="7"
          refY="4"
          markerWidth="9"
          markerHeight="9"
          markerUnits="userSpaceOnUse"
          orient="auto"
        >
          <path d="M0 0.5L8 4L0 7.5z" style={{ fill: "context-stroke" }} />
        </marker>
      </defs>
      {spaces.map(({ name, x, y, width, height }) => (
        <g key={name} className="space" transform={`translate(${x} ${y})`}>
          <rect width={width} height={height} rx="14" />
          <text x="14" y="19">
            {clean(name)}
          </text>
        </g>
      ))}
      {edges.map((edge) => {
        const line = lines.get(edge.key);
        if (!line) return null;
        const { chosen, dim } = looks(edge);
        return (
          <EdgePath
            key={edge.key}
            arrow={chosen || edges.length <= MOST_ARROWS}
            id={edge.key}
            d={path(line)}
            width={Math.round(lineWidth(edge) * 10) / 10}
            colour={latencyColour(slowness(edge), theme)}
            dead={isDead(edge)}
            errors={edge.calls ? edge.errors / edge.calls : 0}
            streaming={edge.streams > 0 && edge.calls === 0}
            chosen={chosen}
            dim={dim}
          />
        );
      })}
    </svg>
  );
}

interface PathProps {
  readonly id: string;
  readonly d: string;
  readonly width: number;
  readonly colour: string;
  readonly dead: boolean;
  /** Share of the calls. */
  readonly errors: number;
  readonly streaming: boolean;
  readonly chosen: boolean;
  readonly dim: boolean;
  readonly arrow: boolean;
}

/** A red border of the line, the stronger the more fails; from a fifth on it is as strong as it gets. */
const errorOpacity = (share: number): number => 0.3 + 0.7 * Math.min(share * 5, 1);

const EdgePath = memo(function EdgePath(props: PathProps) {
  const { id, d, width, colour, dead, errors, streaming, chosen, dim, arrow } = props;
  const state = `${dead ? " dead" : ""}${streaming ? " streaming" : ""}${dim ? " dim" : ""}`;
  return (
    <g>
      {chosen && <path d={d} className="halo" strokeWidth={width + 9} />}
      {errors > 0 && (
        <path d={d} className={`errors${state}`} strokeWidth={width + 2.6} strokeOpacity={errorOpacity(errors)} />
      )}
      <path
        d={d}
        className={`line${state}`}
        stroke={dead ? "var(--ink-timeout)" : colour}
        strokeWidth={width}
        markerEnd={arrow ? "url(#arrow)" : undefined}
      />
      <path d={d} className="hit" data-edge={id} />
    </g>
  );
});
