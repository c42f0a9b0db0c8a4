// A layered layout for maps that are too large for dagre (17 s for 500 services with 3,000 edges; this takes some ms):
// callers left of whom they call, each near the middle of its neighbours. As tapper/servicemap/layers.py does it.

import type { Outline } from "./seed";
import type { Seed } from "./slots";

const SWEEPS = 8;

/** Columns count from 0 at the left; orders only compare. Deterministic. */
export function layered({ nodes, edges }: Outline): Map<string, Seed> {
  const number = new Map(nodes.map((node, index) => [node, index]));
  const called: number[][] = nodes.map(() => []);
  const callers: number[][] = nodes.map(() => []);
  const known = new Set<number>();
  for (const [src, dst] of edges) {
    const [from, to] = [number.get(src), number.get(dst)];
    if (from === undefined || to === undefined || from === to || known.has(from * nodes.length + to)) continue;
    known.add(from * nodes.length + to);
    called[from]!.push(to);
    callers[to]!.push(from);
  }
  const columns = columnsOf(called, callers);
  const orders = ordersOf(columns, called, callers);
  return new Map(nodes.map((node, index) => [node, { column: columns[index]!, order: orders[index]! }]));
}

/** The longest way to each node from where calls begin; calls back to a caller don't count. */
function columnsOf(called: readonly number[][], callers: readonly number[][]): number[] {
  const roots = called
    .map((_, node) => node)
    .sort(
      (a, b) =>
        Number(callers[a]!.length > called[a]!.length) - Number(callers[b]!.length > called[b]!.length) ||
        callers[a]!.length - callers[b]!.length ||
        a - b,
    );
  const state = new Uint8Array(called.length); // 1: on the way, 2: done
  const forward: number[][] = called.map(() => []);
  const last: number[] = []; // those called before their callers
  for (const root of roots) {
    if (state[root]) continue;
    state[root] = 1;
    const way: [node: number, next: number][] = [[root, 0]];
    while (way.length) {
      const step = way.at(-1)!;
      const next = called[step[0]]![step[1]++];
      if (next === undefined) {
        state[step[0]] = 2;
        last.push(step[0]);
        way.pop();
      } else if (state[next] !== 1) {
        forward[step[0]]!.push(next);
        if (!state[next]) {
          state[next] = 1;
          way.push([next, 0]);
        }
      }
    }
  }
  const columns = new Array<number>(called.length).fill(0);
  for (const node of last.reverse()) {
    for (const next of forward[node]!) columns[next] = Math.max(columns[next]!, columns[node]! + 1);
  }
  // A node that only calls sits right before whom it calls, not at the far left.
  const begins = new Set(called.keys());
  for (const [, nexts] of forward.entries()) for (const next of nexts) begins.delete(next);
  for (const node of begins) {
    if (forward[node]!.length) columns[node] = Math.min(...forward[node]!.map((next) => columns[next]!)) - 1;
  }
  const least = columns.reduce((a, b) => Math.min(a, b), 0);
  return columns.map((column) => column - least);
}

/** Places in each column, from many turns of going towards the middle of one's neighbours. */
function ordersOf(columns: readonly number[], called: readonly number[][], callers: readonly number[][]): number[] {
  const stacks: number[][] = [];
  for (const [node, column] of columns.entries()) {
    stacks[column] ??= [];
    stacks[column].push(node);
  }
  const filled = stacks.filter((stack) => stack !== undefined);
  const orders = new Array<number>(columns.length).fill(0);
  const place = (stack: readonly number[]): void => {
    for (const [index, node] of stack.entries()) orders[node] = index - (stack.length - 1) / 2;
  };
  for (const stack of filled) place(stack);
  const middle = (around: readonly number[], node: number): number =>
    around.length ? around.reduce((sum, other) => sum + orders[other]!, 0) / around.length : orders[node]!;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const right = sweep % 2 === 0;
    for (const stack of right ? filled : [...filled].reverse()) {
      const wanted = new Map(stack.map((node) => [node, middle(right ? callers[node]! : called[node]!, node)]));
      stack.sort((a, b) => wanted.get(a)! - wanted.get(b)! || orders[a]! - orders[b]! || a - b);
      place(stack);
    }
  }
  return orders;
}
