// Calls and errors over all the time there is; a range dragged here is the range of everything. It can be replayed.

import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState } from "react";
import type { Schemas } from "../api/client";
import { useAnswer } from "../api/questions";
import { usePage } from "../app/page";
import { count, duration } from "../model/figures";
import { between, clock, type Nanoseconds, plus } from "../model/time";
import { comparison, EVERYTHING } from "../state/range";
import { adjust, go, useView } from "../state/store";

const BUCKETS = 120;
const WIDTH = 1200;
const HEIGHT = 30;
const LASTS = [60, 300, 900, 3600] as const;
/** One step of a replay, and the share of the range that it moves by. */
const STEP_MS = 700;
const STEPS = 12;

interface Bar {
  readonly calls: number;
  readonly errors: number;
}

function bars(rows: readonly Schemas["TimelineSumsRow"][]): Bar[] {
  const made = Array.from({ length: BUCKETS }, () => ({ calls: 0, errors: 0 }));
  for (const row of rows) {
    if (row.bucket in made) made[row.bucket] = row;
  }
  return made;
}

export function Scrubber() {
  const view = useView();
  const { summary, range, live, map } = usePage();
  const first = summary?.first_ns ?? null;
  const last = summary?.last_ns ?? null;
  const timeline = useAnswer(
    "/timeline/sums",
    { where: view.where, buckets: BUCKETS, start: first, end: last && plus(last, 1) },
    // After the map, which is looked at first.
    { when: first !== null && last !== null && (map.loaded || map.wrong !== null) },
  );
  const listed = useMemo(() => bars(timeline.data?.rows ?? []), [timeline.data]);
  const [drag, setDrag] = useState<readonly [number, number] | null>(null);
  const strip = useRef<HTMLDivElement>(null);
  if (first === null || last === null) return <div className="times" />;

  const whole = Math.max(between(first, last), 1);
  const place = (time: Nanoseconds): number => Math.min(Math.max(between(first, time) / whole, 0), 1);
  const timeAt = (share: number): Nanoseconds => plus(first, Math.round(share * whole));
  const share = (event: PointerEvent): number => {
    const box = strip.current!.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
  };
  const set = (from: number, to: number): void => {
    if (to - from < 0.004) go({ ...EVERYTHING, last: null });
    else go({ start: timeAt(from), end: to >= 1 ? null : timeAt(to), last: null });
  };
  const limited = range.start !== null || range.end !== null;
  const shown: readonly [number, number] = drag
    ? [Math.min(...drag), Math.max(...drag)]
    : [range.start ? place(range.start) : 0, range.end ? place(range.end) : 1];
  const compared = view.compare ? comparison({ start: view.start, end: view.end }, summary) : null;
  const onKey = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const [from, to] = limited ? shown : [0, 0.25];
    const by = event.shiftKey ? [0, step * 0.02] : [step * 0.02, step * 0.02];
    set(Math.max(from + by[0]!, 0), Math.min(Math.max(to + by[1]!, from + 0.02), 1));
  };
  const most = Math.max(...listed.map((bar) => bar.calls), 1);
  return (
    <div className="times">
      <div
        className="times-strip"
        ref={strip}
        role="slider"
        tabIndex={0}
        aria-label="Range of time: arrows move it, with Shift its end"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(shown[0] * 100)}
        aria-valuetext={
          limited
            ? `${clock(timeAt(shown[0]), view.utc)} to ${clock(timeAt(shown[1]), view.utc)}`
            : `all of ${duration(whole)}`
        }
        onKeyDown={onKey}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag([share(event), share(event)]);
        }}
        onPointerMove={(event) => drag && setDrag([drag[0], share(event)])}
        onPointerUp={() => {
          if (drag) set(Math.min(...drag), Math.max(...drag));
          setDrag(null);
        }}
        onPointerCancel={() => setDrag(null)}
      >
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT + 13}`} preserveAspectRatio="none" aria-hidden="true">
          <line className="axis-line" x1="0" x2={WIDTH} y1={HEIGHT} y2={HEIGHT} />
          {listed.map((bar, index) => {
            if (!bar.calls) return null;
            const [x, width] = [(index * WIDTH) / BUCKETS, WIDTH / BUCKETS - 1.5];
            const height = Math.max((bar.calls / most) * (HEIGHT - 3), 1.5);
            const bad = bar.errors ? Math.max((bar.errors / bar.calls) * height, 2) : 0;
            return (
              // biome-ignore lint/suspicious/noArrayIndexKey: a bar is its place
              <g key={index}>
                <rect className="bar-calls" x={x} y={HEIGHT - height} width={width} height={height} />
                {bad > 0 && <rect className="bar-errors" x={x} y={HEIGHT - bad} width={width} height={bad} />}
              </g>
            );
          })}
          {compared && (
            <rect
              className="range-before"
              x={place(compared.before.start!) * WIDTH}
              width={(place(compared.before.end!) - place(compared.before.start!)) * WIDTH}
              y="0"
              height={HEIGHT}
            />
          )}
          {(limited || drag) && (
            <>
              <rect className="range-shade" x="0" y="0" width={shown[0] * WIDTH} height={HEIGHT} />
              <rect className="range-shade" x={shown[1] * WIDTH} y="0" width={(1 - shown[1]) * WIDTH} height={HEIGHT} />
              {shown.map((at, index) => (
                <line
                  // biome-ignore lint/suspicious/noArrayIndexKey: the two ends
                  key={index}
                  className="range-edge"
                  vectorEffect="non-scaling-stroke"
                  x1={at * WIDTH}
                  x2={at * WIDTH}
                  y1="0"
                  y2={HEIGHT}
                />
              ))}
            </>
          )}
        </svg>
        <Ticks first={first} whole={whole} utc={view.utc} />
      </div>
      <div className="times-tools">
        {limited && (
          <button type="button" className="button" onClick={() => go({ ...EVERYTHING, last: null })}>
            {duration(between(timeAt(shown[0]), timeAt(shown[1])))} ✕<span className="unseen"> Show all time</span>
          </button>
        )}
        <select
          className="button"
          aria-label="Range of time"
          value={view.last ?? (limited ? "own" : "all")}
          onChange={(event) => {
            const { value } = event.target;
            if (value !== "own") go({ ...EVERYTHING, last: value === "all" ? null : Number(value) });
          }}
        >
          <option value="all">all {duration(whole)}</option>
          {LASTS.filter((seconds) => live || seconds * 1e9 < whole).map((seconds) => (
            <option key={seconds} value={seconds}>
              last {seconds < 3600 ? `${seconds / 60} min` : "hour"}
            </option>
          ))}
          {limited && view.last === null && <option value="own">chosen range</option>}
        </select>
        <Replay timeAt={timeAt} shown={shown} limited={limited} />
        <button
          type="button"
          className="button"
          aria-pressed={view.compare}
          title="Compares the range with as much time before it; all of it: its second half with its first"
          onClick={() => go({ compare: !view.compare })}
        >
          Compare
        </button>
      </div>
      <span className="unseen">{count(listed.reduce((sum, bar) => sum + bar.errors, 0))} errors in all</span>
    </div>
  );
}

function Ticks({ first, whole, utc }: { first: Nanoseconds; whole: number; utc: boolean }) {
  const shares = [0, 0.25, 0.5, 0.75, 1];
  return (
    <div className="ticks" aria-hidden="true">
      {shares.map((share) => (
        <span key={share} style={{ left: `${share * 100}%` }}>
          {clock(plus(first, Math.round(share * whole)), utc)}
        </span>
      ))}
    </div>
  );
}

/** Moves a window over the time, step by step; the map shows each. */
function Replay({
  timeAt,
  shown,
  limited,
}: {
  timeAt(share: number): Nanoseconds;
  shown: readonly [number, number];
  limited: boolean;
}) {
  const [playing, setPlaying] = useState(false);
  const state = useRef({ timeAt, shown, limited });
  state.current = { timeAt, shown, limited };
  useEffect(() => {
    if (!playing) return;
    const step = (): void => {
      const { timeAt: at, shown: now, limited: some } = state.current;
      const [from, to] = some ? now : [0, 1 / STEPS];
      const width = to - from;
      if (some && to >= 0.999) setPlaying(false);
      else {
        const next = some ? Math.min(from + width / 2, 1 - width) : 0;
        adjust({ start: at(next), end: at(next + width), last: null });
      }
    };
    step();
    const timer = setInterval(step, STEP_MS);
    return () => clearInterval(timer);
  }, [playing]);
  return (
    <button
      type="button"
      className="button"
      aria-pressed={playing}
      title="Moves the range over the time; the map shows each step"
      onClick={() => {
        // At its end it begins again.
        if (!playing && limited && shown[1] >= 0.999)
          go({ start: timeAt(0), end: timeAt(shown[1] - shown[0]), last: null });
        setPlaying(!playing);
      }}
    >
      {playing ? "Stop" : "Replay"}
    </button>
  );
}
