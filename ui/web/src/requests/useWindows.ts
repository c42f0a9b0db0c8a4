// Rows of a long list, in windows of so many; a window that is not there yet is asked for when it comes in sight.

import { keepPreviousData, type UseQueryResult, useQueries } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { type ApiError, get } from "../api/client";

export const WINDOW = 100;

interface Windows<Row> {
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
  const numbers: number[] = [];
  // The first is asked for before it is known how many there are.
  const end = Math.max(Math.min(last, total), 1);
  for (let number = Math.floor(first / WINDOW); number * WINDOW < end; number++) numbers.push(number);
  const answers = useQueries({
    queries: numbers.map((number) => ({
      queryKey: ["live", path, query, "window", number],
      queryFn: async ({ signal }: { signal: AbortSignal }) =>
        (await get(path, { ...query, offset: number * WINDOW, limit: WINDOW } as never, { signal })).rows as Row[],
      placeholderData: keepPreviousData,
    })),
  }) as UseQueryResult<Row[], ApiError>[];
  const rows = new Map(numbers.map((number, index) => [number, answers[index]?.data]));
  return {
    row: (index) => rows.get(Math.floor(index / WINDOW))?.[index % WINDOW],
    onWindow,
    wrong: answers.find((answer) => answer.error)?.error ?? null,
  };
}
