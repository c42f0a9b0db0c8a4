// Rows of a long list, in windows of so many; a window that is not there yet is asked for when it comes in sight.

import { keepPreviousData, type UseQueryResult, useQueries } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { type ApiError, get } from "../api/client";

export const WINDOW = 100;

interface Windows<Row> {
  /** How many rows to show: at the end of the list new ones count once they are there, so that none is blank for a moment. */
  readonly length: number;
  row(index: number): Row | undefined;
  onWindow(first: number, last: number): void;
  readonly wrong: ApiError | null;
}

/** `path` is of a list with offset and limit; `query` is the same for all windows. */
export function useWindows<Row>(
  path: "/exchanges" | "/connections",
  query: Readonly<Record<string, unknown>>,
  total: number,
): Windows<Row> {
  const [[first, last], setSeen] = useState<readonly [number, number]>([0, WINDOW]);
  const onWindow = useCallback(
    (from: number, to: number) => setSeen((was) => (was[0] === from && was[1] === to ? was : [from, to])),
    [],
  );
  const question = JSON.stringify([path, query]);
  const held = useRef({ question, total });
  const grew = held.current.question === question && total > held.current.total;
  const awaited = grew && held.current.total > 0 && last >= held.current.total;
  // The first is asked for before it is known how many there are.
  const inSight = windowsOf(first, Math.max(Math.min(last, total), 1));
  const tail = awaited ? windowsOf(Math.max(total - (last - first), 0), total) : [];
  const numbers = [...new Set([...inSight, ...tail])];
  const answers = useQueries({
    queries: numbers.map((number) => ({
      queryKey: ["live", path, query, "window", number],
      queryFn: async ({ signal }: { signal: AbortSignal }) =>
        (await get(path, { ...query, offset: number * WINDOW, limit: WINDOW } as never, { signal })).rows as Row[],
      placeholderData: keepPreviousData,
    })),
  }) as UseQueryResult<Row[], ApiError>[];
  const rows = new Map(numbers.map((number, index) => [number, answers[index]?.data]));
  const there = tail.every((number) => (rows.get(number)?.length ?? 0) >= Math.min(total - number * WINDOW, WINDOW));
  const length = awaited && !there ? held.current.total : total;
  useEffect(() => {
    held.current = { question, total: length };
  }, [question, length]);
  return {
    length,
    row: (index) => rows.get(Math.floor(index / WINDOW))?.[index % WINDOW],
    onWindow,
    wrong: answers.find((answer) => answer.error)?.error ?? null,
  };
}

/** The numbers of the windows that have these rows. */
function windowsOf(first: number, end: number): number[] {
  const numbers: number[] = [];
  for (let number = Math.floor(first / WINDOW); number * WINDOW < end; number++) numbers.push(number);
  return numbers;
}
