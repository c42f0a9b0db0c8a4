// Whether more comes, and when: the collector's events say that something is new, and what is on the screen is then asked
// for again, at most twice a second. A tab that nobody sees asks for nothing and catches up with one question.

import { useSyncExternalStore } from "react";
import { address, openSession } from "./client";

export interface Live {
  readonly state: "connecting" | "live" | "ended" | "lost";
  /** ms since the epoch: since when it is lost, and when it is tried next. */
  readonly since: number | null;
  readonly next: number | null;
  readonly paused: boolean;
  /** Grows when what is shown should be asked for again. */
  readonly revision: number;
  /** Something came while the display was paused. */
  readonly behind: boolean;
}

export const REFRESH_MS = 500;
const LONGEST_WAIT_MS = 10_000;

let live: Live = { state: "connecting", since: null, next: null, paused: false, revision: 0, behind: false };
const listeners = new Set<() => void>();

function set(change: Partial<Live>): void {
  live = { ...live, ...change };
  for (const listener of listeners) listener();
}

export function useLive(): Live {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => live,
  );
}

let stale = false;
let told = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
/** Whether an earlier question is still open: a slow store is not asked twice at once. */
let busy: () => boolean = () => false;

function refresh(): void {
  if (!stale) return;
  if (live.paused || document.hidden) {
    if (!live.behind) set({ behind: true });
    return;
  }
  const wait = busy() ? REFRESH_MS / 2 : told + REFRESH_MS - performance.now();
  if (wait > 0) {
    clearTimeout(timer);
    timer = setTimeout(refresh, wait);
    return;
  }
  stale = false;
  told = performance.now();
  set({ revision: live.revision + 1, behind: false });
}

export function setPaused(paused: boolean): void {
  set({ paused });
  refresh();
}

/** Starts to listen; for the life of the page. `isBusy` says whether answers are still awaited. */
export function listen(isBusy: () => boolean): void {
  busy = isBusy;
  document.addEventListener("visibilitychange", refresh);
  connect(0);
}

let retry: ReturnType<typeof setTimeout> | undefined;

function connect(failures: number): void {
  // Of the rows only the ids are asked for: what is shown comes by windows, however many there are.
  const events = new EventSource(address("/follow", { columns: "id" }));
  let failed = failures;
  let revisions = 0;
  events.addEventListener("open", () => {
    failed = 0;
    const again = live.state === "lost";
    set({ state: "live", since: null, next: null });
    if (again) touch();
  });
  events.addEventListener("revision", () => {
    // The first says where it stands: what was asked before it may have missed something, but need not be asked at once.
    if (revisions++ === 0 && failures === 0) told = performance.now();
    touch();
  });
  events.addEventListener("end", () => {
    events.close();
    // Of a session that had ended before the page was there nothing was missed.
    if (revisions === 1 && live.revision === 0) stale = false;
    set({ state: "ended", since: null, next: null });
  });
  events.addEventListener("error", () => {
    events.close();
    const wait = Math.min(500 * 2 ** failed, LONGEST_WAIT_MS);
    set({ state: "lost", since: live.since ?? Date.now(), next: Date.now() + wait });
    clearTimeout(retry);
    retry = setTimeout(() => void reconnect(failed + 1), wait);
  });
}

/** A collector that was started again knows the token, but not the cookie of before. */
async function reconnect(failures: number): Promise<void> {
  await openSession().catch(() => undefined);
  connect(failures);
}

export function retryNow(): void {
  clearTimeout(retry);
  void reconnect(0);
}

function touch(): void {
  stale = true;
  refresh();
}
