// The view in the URL as a store: components read it, and every change is a change of the URL.

import { useSyncExternalStore } from "react";
import { decode, encode, type View } from "./view";

const listeners = new Set<() => void>();
let current: View = decode(typeof location === "undefined" ? "" : location.search);
let said = encode(current);
let writing: ReturnType<typeof setTimeout> | undefined;
/** Browsers refuse more than some 100 changes of the URL in half a minute. */
const PAUSE_MS = 300;

function tell(): void {
  for (const listener of listeners) listener();
}

if (typeof window !== "undefined") {
  addEventListener("popstate", () => {
    current = decode(location.search);
    said = encode(current);
    tell();
  });
}

export function view(): View {
  return current;
}

/** A step that "back" undoes. */
export function go(change: Partial<View>): void {
  apply(change, true);
}

/** A change on the way to something: typing, dragging. */
export function adjust(change: Partial<View>): void {
  apply(change, false);
}

function apply(change: Partial<View>, step: boolean): void {
  current = { ...current, ...change };
  const query = encode(current);
  if (query !== said) {
    said = query;
    clearTimeout(writing);
    const write = (): void => history.replaceState(null, "", location.pathname + query);
    if (step) history.pushState(null, "", location.pathname + query);
    else writing = setTimeout(write, PAUSE_MS);
  }
  tell();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useView(): View {
  return useSyncExternalStore(subscribe, view);
}
