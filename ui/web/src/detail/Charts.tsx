// Latency over time and its distribution, each call a dot that leads to it. Drawn as SVG: themes and screen readers see it.

import { useMemo, useState } from "react";
import { useTheme } from "../app/theme";
import { duration, plural } from "../model/figures";
import { latencyColour } from "../model/latency";
import { look, sign } from "../model/outcomes";
import { between, clock, type Nanoseconds, plus, timeOfDay } from "../model/time";
import type { Row } from "../requests/row";
import { requestText, statusText } from "../requests/row";

const WIDTH = 480;
const LEFT = 46;
const DECADES = [1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11];
/** Between decades, where a chart shows less than two of them. */
const THIRDS = DECADES.flatMap((ns) => [ns, 2 * ns, 5 * ns]);

interface OverTimeProps {
  readonly rows: readonly Row[];
  readonly bounds: readonly [Nanoseconds, Nanoseconds];
  readonly line: readonly { time: Nanoseconds; p95: number }[];
  readonly utc: boolean;
  onOpen(id: string): void;
}

/** Log scale of latency upwards, time to the right. */
export function OverTime({ rows, bounds, line, utc, onOpen }: OverTimeProps) {
  const theme = useTheme();
  const [tip, setTip] = useState<{ row: Row; x: number; y: number } | null>(null);
  const [start, end] = bounds;
  const whole = Math.max(between(start, end), 1);
  const known = rows.flatMap((row) => (row.latency_ns ?? 0) || []);
  const most = Math.max(...known, 1e4);
  const least = Math.max(Math.min(...known, most), 1e4);
  // At least half a decade, so that small differences don't look large.
  const room = Math.max((0.7 - Math.log10(most / least)) / 2, 0.1);
  const [low, high] = [Math.log10(least) - room, Math.log10(most) + room];
  const height = 150;
  const x = (time: Nanoseconds): number => LEFT + (between(start, time) / whole) * (WIDTH - LEFT - 6);
  const y = (ns: number): number => height - ((Math.log10(Math.max(ns, 1)) - low) / (high - low)) * height;
  const place = (time: Nanoseconds, ns: number): string => `${x(time).toFixed(1)} ${y(ns).toFixed(1)}`;
  return (
    <div className="chart">
      <svg
        viewBox={`0 0 ${WIDTH} ${height + 16}`}
        role="img"
        aria-label={`Latency over time of ${plural(rows.length, "call")}, ${duration(least)} to ${duration(most)}`}
      >
        {(high - low > 1.6 ? DECADES : THIRDS)
          .filter((ns) => Math.log10(ns) > low && Math.log10(ns) < high)
          .map((ns) => (
            <g key={ns}>
              <line className="grid-line" x1={LEFT} x2={WIDTH} y1={y(ns)} y2={y(ns)} />
              <text className="axis" x={LEFT - 6} y={y(ns) + 3} textAnchor="end">
                {duration(ns).replace(/\.0+(?= )/, "")}
              </text>
            </g>
          ))}
        {[0, 0.5, 1].map((share) => (
          <text
            key={share}
            className="axis"
            x={LEFT + share * (WIDTH - LEFT - 6)}
            y={height + 13}
            textAnchor={share === 0 ? "start" : share === 1 ? "end" : "middle"}
          >
            {clock(plus(start, share * whole), utc)}
          </text>
        ))}
        {rows.map((row) => {
          if (row.latency_ns == null || row.time === undefined) return null;
          const outcome = look(row.outcome ?? "");
          return (
            // biome-ignore lint/a11y/noStaticElementInteractions: the list of the slowest below is the way of the keyboard
            <circle
              key={row.id}
              className={`dot ${outcome}`}
              cx={x(row.time)}
              cy={y(row.latency_ns)}
              r={outcome ? 3.4 : 2.6}
              fill={outcome ? "currentColor" : latencyColour(row.latency_ns, theme)}
              fillOpacity={0.8}
              onClick={() => onOpen(row.id ?? "")}
              onPointerEnter={() => setTip({ row, x: x(row.time!), y: y(row.latency_ns!) })}
              onPointerLeave={() => setTip(null)}
            />
          );
        })}
        {line.length > 1 && <path className="line" d={`M${line.map(({ time, p95 }) => place(time, p95)).join("L")}`} />}
      </svg>
      {tip && (
        <div
          className="tip"
          style={{
            ...(tip.x < WIDTH / 2
              ? { left: `${(100 * tip.x) / WIDTH}%` }
              : { right: `${100 - (100 * tip.x) / WIDTH}%` }),
            top: Math.max(tip.y - 34, -8),
          }}
        >
          {requestText(tip.row).join(" ").slice(0, 60)} · {statusText(tip.row)} · {duration(tip.row.latency_ns)} ·{" "}
          {timeOfDay(tip.row.time!, utc)}
        </div>
      )}
    </div>
  );
}

const BINS = 40;

/** How many calls took how long, on the same log scale; what failed is in its colour. */
export function Distribution({ rows }: { rows: readonly Row[] }) {
  const theme = useTheme();
  const known = rows.filter((row) => row.latency_ns != null);
  const bins = useMemo(() => histogram(known), [known]);
  if (!bins) return null;
  const { from, step, counts } = bins;
  const most = Math.max(...counts.map(({ all }) => all), 1);
  const height = 66;
  const width = (WIDTH - 4) / counts.length;
  return (
    <div className="chart">
      <svg
        viewBox={`0 0 ${WIDTH} ${height + 16}`}
        role="img"
        aria-label={`Distribution of ${plural(known.length, "latency", "latencies")}`}
      >
        {counts.map(({ all, bad }, index) => {
          const ns = 10 ** (from + (index + 0.5) * step);
          const tall = (all / most) * (height - 4);
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: a bin is its place
            <g key={index}>
              <title>{`${plural(all, "call")} around ${duration(Math.round(ns))}${bad ? `, ${bad} failed ${sign("server_error")}` : ""}`}</title>
              <rect
                x={2 + index * width}
                y={height - tall}
                width={width - 1}
                height={tall}
                fill={latencyColour(ns, theme)}
              />
              {bad > 0 && (
                <rect
                  className="bar-errors"
                  x={2 + index * width}
                  y={height - Math.max((bad / most) * (height - 4), 2)}
                  width={width - 1}
                  height={Math.max((bad / most) * (height - 4), 2)}
                />
              )}
            </g>
          );
        })}
        <line className="axis-line" x1="0" x2={WIDTH} y1={height} y2={height} />
        {[0, 0.5, 1].map((share) => (
          <text
            key={share}
            className="axis"
            x={2 + share * (WIDTH - 4)}
            y={height + 13}
            textAnchor={share === 0 ? "start" : share === 1 ? "end" : "middle"}
          >
            {duration(Math.round(10 ** (from + share * step * counts.length)))}
          </text>
        ))}
      </svg>
    </div>
  );
}

const FAILED = new Set(["server_error", "timeout", "reset", "refused"]);

export function histogram(
  rows: readonly Row[],
): { from: number; step: number; counts: { all: number; bad: number }[] } | null {
  if (!rows.length) return null;
  const logs = rows.map((row) => Math.log10(Math.max(row.latency_ns ?? 1, 1)));
  const from = Math.min(...logs);
  const to = Math.max(...logs, from + 0.3);
  const step = (to - from) / BINS;
  const counts = Array.from({ length: BINS }, () => ({ all: 0, bad: 0 }));
  for (const [index, row] of rows.entries()) {
    const bin = counts[Math.min(Math.floor((logs[index]! - from) / step), BINS - 1)]!;
    bin.all++;
    if (FAILED.has(row.outcome ?? "")) bin.bad++;
  }
  return { from, step, counts };
}
