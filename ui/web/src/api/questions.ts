// Questions to the API as hooks. Each keeps its last answer while the next one is on its way; a revision asks again.

import { keepPreviousData, QueryClient, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { type AnswerOf, ApiError, type Asked, type Gettable, get } from "./client";
import { useLive } from "./live";

export const questions = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: Number.POSITIVE_INFINITY,
      gcTime: 30_000,
      refetchOnWindowFocus: false,
      // What the API refuses stays refused; a connection that is lost comes back with a revision.
      retry: (failures, error) => failures < 2 && error instanceof ApiError && [429, 503].includes(error.status),
      networkMode: "always",
    },
  },
});

/** Asks all that is on the screen again when something is new. Once, at the top. */
export function useRefreshing(): void {
  const { revision } = useLive();
  useEffect(() => {
    if (revision) void questions.invalidateQueries({ predicate: isLive }, { cancelRefetch: false });
  }, [revision]);
}

/** Questions about a single record don't change with what comes. */
const isLive = (query: { queryKey: readonly unknown[] }): boolean => query.queryKey[0] !== "fixed";

interface Options {
  /** False: nothing is asked yet. */
  readonly when?: boolean;
  /** Of the path. */
  readonly id?: string;
  /** It stays as it is, whatever comes. */
  readonly fixed?: boolean;
  /** Show nothing rather than the answer to the question before. */
  readonly fresh?: boolean;
}

interface Answered<T> {
  readonly data: T | undefined;
  readonly error: ApiError | null;
}

export function useAnswer<P extends Gettable>(path: P, query: Asked<P>, options: Options = {}): Answered<AnswerOf<P>> {
  const { when = true, id, fixed = false, fresh = false } = options;
  const answer = useQuery<unknown, ApiError>({
    queryKey: [fixed ? "fixed" : "live", path, id, query],
    queryFn: ({ signal }) => get(path, query, id === undefined ? { signal } : { id, signal }),
    enabled: when,
    ...(fresh ? {} : { placeholderData: keepPreviousData }),
  });
  return { data: answer.data as AnswerOf<P> | undefined, error: answer.error };
}
