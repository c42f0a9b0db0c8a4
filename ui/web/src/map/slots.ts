// Where nodes are: slots in columns and rows, given once and then frozen. The map never moves by itself: a new node
// takes the nearest free row right of its callers, a lost one keeps its slot, and only `seeded` (the first look, or
// "Tidy") lays everything out.

import { COLUMN, ROW } from "./geometry";
import { type Graph, neighbours } from "./graph";

export interface Slot {
  readonly column: number;
  /** In heights of a row; halves are the gaps between bands of namespaces. */
  readonly row: number;
}

export type Slots = ReadonlyMap<string, Slot>;

/** What dagre says: rank and order within it. */
export interface Seed {
  readonly column: number;
  readonly order: number;
}

const BAND_GAP = 0.75;
/** With more rows than this, bands stand beside each other too: a map much higher than wide is seen from too far. */
const MOST_ROWS = 24;
const ASPECT = 2;

/** A first layout of what dagre ranked: columns as they are, rows in a band for each namespace, none shared. */
export function seeded(graph: Graph, seeds: ReadonlyMap<string, Seed>): Slots {
  const slots = new Map<string, Slot>();
  const at = (key: string): Seed => seeds.get(key) ?? { column: 0, order: 0 };
  const bands = new Map<string, string[]>();
  const outside: string[] = [];
  for (const [key, node] of graph.nodes) {
    if (node.namespace === null || node.kind === "namespace") outside.push(key);
    else bands.set(node.namespace, [...(bands.get(node.namespace) ?? []), key]);
  }
  const mean = (keys: readonly string[]): number => keys.reduce((sum, key) => sum + at(key).order, 0) / keys.length;
  const sorted = [...bands].sort((a, b) => mean(a[1]) - mean(b[1]) || (a[0] < b[0] ? -1 : 1));
  const stacks = sorted.map(([, keys]) => {
    const columns = new Map<number, string[]>();
    for (const key of keys) columns.set(at(key).column, [...(columns.get(at(key).column) ?? []), key]);
    return { columns, height: Math.max(...[...columns.values()].map((column) => column.length)) };
  });
  const rows = stacks.reduce((sum, { height }) => sum + height + BAND_GAP, 0);
  const wide = 1 + Math.max(0, ...sorted.flatMap(([, keys]) => keys.map((key) => at(key).column)));
  const beside = rows > MOST_ROWS ? Math.max(Math.round(Math.sqrt((ASPECT * rows * ROW) / (wide * COLUMN))), 1) : 1;
  let [top, left] = [0, 0];
  for (const { columns, height } of stacks) {
    if (top > 0 && top + height / 2 > rows / beside) [top, left] = [0, left + wide + 1];
    for (const [column, members] of columns) {
      members.sort((a, b) => at(a).order - at(b).order || (a < b ? -1 : 1));
      const offset = top + Math.round(height - members.length) / 2;
      for (const [index, key] of members.entries()) slots.set(key, { column: left + column, row: offset + index });
    }
    top += height + BAND_GAP;
  }
  return placed(graph, slots, (key) => at(key).column);
}

/** The slots with those that have none placed; all others stay as they are. */
export function placed(graph: Graph, slots: Slots, columnOf?: (key: string) => number): Slots {
  const missing = [...graph.nodes.keys()].filter((key) => !slots.has(key));
  if (!missing.length) return slots;
  const near = neighbours(graph);
  const made = new Map(slots);
  const board = new Board(graph, made);
  // Those next to a known one first, so that a chain of new ones follows its callers.
  let waiting = missing;
  while (waiting.length) {
    const ready = waiting.filter((key) => anchors(key).length);
    const now = ready.length ? ready : [waiting[0]!];
    for (const key of now) {
      const slot = board.free(key, columnOf?.(key) ?? column(key), row(key));
      made.set(key, slot);
      board.take(key, slot);
    }
    const done = new Set(now);
    waiting = waiting.filter((key) => !done.has(key));
  }
  return made;

  function anchors(key: string): Slot[] {
    const around = near.get(key);
    return [...(around?.callers ?? []), ...(around?.called ?? [])].flatMap((other) => made.get(other) ?? []);
  }
  function column(key: string): number {
    const known = (keys: Iterable<string>): number[] => [...keys].flatMap((other) => made.get(other)?.column ?? []);
    const callers = known(near.get(key)?.callers ?? []);
    if (callers.length) return Math.max(...callers) + 1;
    const called = known(near.get(key)?.called ?? []);
    return called.length ? Math.min(...called) - 1 : 0;
  }
  function row(key: string): number {
    const found = anchors(key);
    return found.length ? Math.round(found.reduce((sum, slot) => sum + slot.row, 0) / found.length) : 0;
  }
}

interface Area {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Which places are taken, by nodes and by the boxes of namespaces. */
class Board {
  private readonly rows = new Map<number, number[]>();
  private readonly boxes = new Map<string, Area>();

  constructor(
    private readonly graph: Graph,
    slots: Slots,
  ) {
    for (const [key, slot] of slots) this.take(key, slot);
  }

  take(key: string, { column, row }: Slot): void {
    this.rows.set(column, [...(this.rows.get(column) ?? []), row]);
    const space = this.space(key);
    if (space === null) return;
    const box = this.boxes.get(space);
    this.boxes.set(space, {
      left: Math.min(box?.left ?? column, column),
      right: Math.max(box?.right ?? column, column),
      top: Math.min(box?.top ?? row, row),
      bottom: Math.max(box?.bottom ?? row, row),
    });
  }

  /** The free row of the column that is nearest to the wanted one; of a namespace with a box, near that box. */
  free(key: string, column: number, wanted: number): Slot {
    const own = this.boxes.get(this.space(key) ?? "");
    const from = own ? Math.min(Math.max(wanted, own.top), own.bottom) : wanted;
    for (let distance = 0; ; distance += 0.5) {
      for (const row of distance ? [from + distance, from - distance] : [from]) {
        if (this.isFree(key, column, row)) return { column, row };
      }
    }
  }

  private isFree(key: string, column: number, row: number): boolean {
    if (this.rows.get(column)?.some((taken) => Math.abs(taken - row) < 1)) return false;
    const space = this.space(key);
    for (const [name, box] of this.boxes) {
      if (name === space) continue;
      const inside = column >= box.left && column <= box.right;
      if (inside && row > box.top - 1 - BAND_GAP / 2 && row < box.bottom + 1 + BAND_GAP / 4) return false;
    }
    return true;
  }

  private space(key: string): string | null {
    const node = this.graph.nodes.get(key);
    return node && node.kind !== "namespace" ? node.namespace : null;
  }
}
