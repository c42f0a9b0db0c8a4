// All edges in one drawing below the nodes: width by rate, colour by latency, dashed where nothing comes through.
// For the mouse; the keyboard has the table of edges and the lists in the drawer.

import { memo, type PointerEvent } from "react";
import { latencyColour } from "../model/latency";
import type { Curve } from "./geometry";
import { path } from "./geometry";
import { type Edge, isDead, slowness } from "./graph";
import { lineWidth } from "./labels";

export interface Looks {
  readonly chosen: boolean;
  readonly dim: boolean;
}

interface Props {
  readonly edges: readonly Edge[];
  readonly lines: ReadonlyMap<string, Curve>;
  readonly theme: "light" | "dark";
  looks(edge: Edge): Looks;
  onChoose(key: string): void;
  onHover(key: string | null): void;
}

function keyAt(event: PointerEvent | React.MouseEvent): string | null {
  return (event.target as Element).getAttribute("data-edge");
}

export function EdgeLayer({ edges, lines, theme, looks, onChoose, onHover }: Props) {
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
      {edges.map((edge) => {
        const line = lines.get(edge.key);
        if (!line) return null;
        const { chosen, dim } = looks(edge);
        return (
          <EdgePath
            key={edge.key}
            id={edge.key}
            d={path(line)}
            width={Math.round(lineWidth(edge) * 10) / 10}
            colour={latencyColour(slowness(edge), theme)}
            dead={isDead(edge)}
            failing={edge.errors > 0}
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
  readonly failing: boolean;
  readonly streaming: boolean;
  readonly chosen: boolean;
  readonly dim: boolean;
}

const EdgePath = memo(function EdgePath({ id, d, width, colour, dead, streaming, chosen, dim }: PathProps) {
  const state = `${dead ? " dead" : ""}${streaming ? " streaming" : ""}${dim ? " dim" : ""}`;
  return (
    <g>
      {chosen && <path d={d} className="halo" strokeWidth={width + 9} />}
      <path
        d={d}
        className={`line${state}`}
        stroke={dead ? "var(--ink-timeout)" : colour}
        strokeWidth={width}
        markerEnd="url(#arrow)"
      />
      <path d={d} className="hit" data-edge={id} />
    </g>
  );
});
