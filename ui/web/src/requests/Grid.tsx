// A list of up to millions of rows: those in sight are asked for in windows, the rest is space to scroll over.

import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import { count } from "../model/figures";

export const ROW_HEIGHT = 25;
/** Beyond this browsers cut an element's height: rows then share it (Firefox ends at 17.8 million). */
const MOST_HEIGHT = 15_000_000;
/** Rows above and below those in sight. */
const AROUND = 8;

export interface GridColumn {
  readonly key: string;
  readonly title: string;
  readonly width: string;
  /** Where the table is narrow. */
  readonly tight?: string;
  readonly right?: boolean;
  readonly order?: string;
}

interface Props<Row> {
  readonly label: string;
  readonly columns: readonly GridColumn[];
  readonly total: number;
  row(index: number): Row | undefined;
  cell(row: Row, column: string): ReactNode;
  id(row: Row): string;
  readonly chosen: string | null;
  readonly order: string;
  readonly descending: boolean;
  onOrder(order: string): void;
  onOpen(row: Row, index: number): void;
  /** The rows in sight changed. */
  onWindow(first: number, last: number): void;
  /** Stays at the newest row as they come; moving up ends it. */
  readonly follows: boolean;
  /** Changes when the list is another one: it begins at its beginning. */
  readonly question: string;
  readonly empty: ReactNode;
}

export function Grid<Row>(props: Props<Row>) {
  const { columns, total, question, follows, onWindow } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const side = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(400);
  const [width, setWidth] = useState(Number.POSITIVE_INFINITY);
  const [cursor, setCursor] = useState(0);
  const [atEnd, setAtEnd] = useState(true);
  const seen = useRef(total);

  const whole = total * ROW_HEIGHT;
  const space = Math.min(whole, MOST_HEIGHT);
  // With more rows than pixels, a pixel of the bar is several rows; the rows themselves stay as high as they are.
  const most = Math.max(space - height, 1);
  const offset = whole > space ? (top / most) * (whole - height) : top;
  const first = Math.max(Math.floor(offset / ROW_HEIGHT) - AROUND, 0);
  const last = Math.min(Math.ceil((offset + height) / ROW_HEIGHT) + AROUND, total);
  const shift = top - offset;

  useEffect(() => onWindow(first, last), [first, last, onWindow]);

  useLayoutEffect(() => {
    const element = scroller.current!;
    const watcher = new ResizeObserver(() => {
      setHeight(element.clientHeight);
      setWidth(side.current!.clientWidth);
    });
    watcher.observe(element);
    watcher.observe(side.current!);
    return () => watcher.disconnect();
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another question begins at the beginning, or follows the end
  useLayoutEffect(() => {
    const element = scroller.current!;
    element.scrollTop = follows ? element.scrollHeight : 0;
    setTop(element.scrollTop);
    setCursor(0);
    setAtEnd(true);
  }, [question]);

  const following = follows && atEnd;
  // biome-ignore lint/correctness/useExhaustiveDependencies: more rows, or another height, move the end
  useLayoutEffect(() => {
    if (!following) return;
    seen.current = total;
    const element = scroller.current!;
    element.scrollTop = element.scrollHeight;
    setTop(element.scrollTop);
  }, [following, total, height]);

  function show(index: number): void {
    const element = scroller.current!;
    const from = index * ROW_HEIGHT;
    if (from >= offset && from + ROW_HEIGHT <= offset + height) return;
    const wanted = from < offset ? from : from + ROW_HEIGHT - height;
    element.scrollTop = whole > space ? (wanted / Math.max(whole - height, 1)) * most : wanted;
  }

  function onKeyDown(event: KeyboardEvent): void {
    const page = Math.max(Math.floor(height / ROW_HEIGHT) - 1, 1);
    const steps: Record<string, number> = {
      ArrowDown: cursor + 1,
      j: cursor + 1,
      ArrowUp: cursor - 1,
      k: cursor - 1,
      PageDown: cursor + page,
      PageUp: cursor - page,
      Home: 0,
      g: 0,
      End: total - 1,
      G: total - 1,
    };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter") {
      const row = props.row(cursor);
      if (row !== undefined) props.onOpen(row, cursor);
      event.preventDefault();
    } else if (event.key in steps) {
      const next = Math.min(Math.max(steps[event.key]!, 0), total - 1);
      event.preventDefault();
      setCursor(next);
      show(next);
    }
  }

  // Where the columns don't fit, they are tight, and latencies have no bars; if that is not enough, they scroll sideways.
  const easy = columns.map((column) => column.width);
  const tight = width < leastWidth(easy, 12);
  const widths = tight ? columns.map((column) => column.tight ?? column.width) : easy;
  const template = widths.join(" ");
  const least = { minWidth: leastWidth(widths, tight ? 8 : 12) };
  const rows: ReactNode[] = [];
  for (let index = first; index < last; index++) {
    const row = props.row(index);
    const at = { top: index * ROW_HEIGHT + shift, gridTemplateColumns: template };
    if (row === undefined) {
      rows.push(
        <div key={`empty ${index}`} className="grid-row" style={at} aria-hidden="true">
          <span className="loading-row" />
        </div>,
      );
      continue;
    }
    const id = props.id(row);
    rows.push(
      <div
        key={id}
        id={`row-${index}`}
        role="row"
        tabIndex={-1}
        aria-rowindex={index + 2}
        aria-selected={id === props.chosen}
        className={`grid-row${id === props.chosen ? " chosen" : ""}${index === cursor ? " cursor" : ""}`}
        style={at}
        onClick={() => {
          setCursor(index);
          props.onOpen(row, index);
        }}
      >
        {columns.map((column) => (
          <span role="gridcell" key={column.key} className={column.right ? "right" : undefined}>
            {props.cell(row, column.key)}
          </span>
        ))}
      </div>,
    );
  }
  const fresh = total - seen.current;
  return (
    <div className="list-side" ref={side}>
      <div
        className={tight ? "grid tight" : "grid"}
        role="grid"
        aria-label={props.label}
        aria-rowcount={total + 1}
        aria-activedescendant={total ? `row-${cursor}` : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
      >
        <div role="rowgroup" className="grid-top" style={least}>
          <div className="grid-head" role="row" style={{ gridTemplateColumns: template }}>
            {columns.map((column) => (
              <span
                role="columnheader"
                key={column.key}
                className={column.right ? "right" : undefined}
                aria-sort={column.order !== props.order ? undefined : props.descending ? "descending" : "ascending"}
              >
                {column.order ? (
                  <button type="button" tabIndex={-1} onClick={() => props.onOrder(column.order!)}>
                    {column.title}
                    {column.order === props.order ? (props.descending ? " ↓" : " ↑") : ""}
                  </button>
                ) : (
                  column.title
                )}
              </span>
            ))}
          </div>
        </div>
        <div
          className="grid-scroll"
          style={least}
          role="rowgroup"
          ref={scroller}
          onScroll={(event) => {
            const element = event.currentTarget;
            setTop(element.scrollTop);
            const end = element.scrollTop + element.clientHeight >= element.scrollHeight - ROW_HEIGHT;
            if (end !== atEnd) setAtEnd(end);
            if (end) seen.current = total;
          }}
        >
          {total === 0 ? (
            <div role="row" className="grid-empty">
              <div role="gridcell">{props.empty}</div>
            </div>
          ) : (
            <div className="grid-space" style={{ height: space }} role="presentation">
              {rows}
            </div>
          )}
        </div>
      </div>
      {follows && !atEnd && (
        <button
          type="button"
          className="button new-rows"
          onClick={() => {
            scroller.current!.scrollTop = scroller.current!.scrollHeight;
            setAtEnd(true);
          }}
        >
          {fresh > 0 ? `+${count(fresh)} new` : "Follow"} ↓
        </button>
      )}
    </div>
  );
}

/** Of all columns with the gaps between them, in pixels. */
function leastWidth(widths: readonly string[], gap: number): number {
  const pixels = widths.reduce((sum, width) => sum + Number(/(\d+)px/.exec(width)?.[1] ?? 0), 0);
  return pixels + (widths.length - 1) * gap + 24;
}
