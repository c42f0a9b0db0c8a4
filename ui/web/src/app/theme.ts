// Light or dark: as the system wishes, until the switch says otherwise.

import { useSyncExternalStore } from "react";

export type Theme = "light" | "dark";

const KEPT = "tapper-theme";
const listeners = new Set<() => void>();

function wished(): Theme {
  try {
    const kept = localStorage.getItem(KEPT);
    if (kept === "light" || kept === "dark") return kept;
  } catch {
    // A browser that keeps nothing still has the system's wish.
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function current(): Theme {
  return document.documentElement.dataset.theme === "dark" ? "dark" : "light";
}

function show(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
  for (const listener of listeners) listener();
}

export function startTheme(): void {
  show(wished());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => show(wished()));
}

export function switchTheme(): void {
  const next: Theme = current() === "dark" ? "light" : "dark";
  try {
    localStorage.setItem(KEPT, next);
  } catch {
    // It holds until the page is left.
  }
  show(next);
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, current);
}
