// A button with a list below it; closes when something is chosen, by Escape, or by a click elsewhere.

import { type ReactNode, useEffect, useRef } from "react";

interface Props {
  readonly label: ReactNode;
  readonly title?: string;
  readonly up?: boolean;
  /** Stays open when something in it is chosen: a list of boxes to check. */
  readonly stays?: boolean;
  readonly children: ReactNode;
}

export function Menu({ label, title, up, stays, children }: Props) {
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: Event): void => {
      const open = menu.current;
      if (!open?.open) return;
      const inside = open.contains(event.target as Node);
      if (event instanceof KeyboardEvent) {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        open.querySelector("summary")?.focus();
      } else if (inside) return;
      open.open = false;
    };
    document.addEventListener("pointerdown", close);
    document.addEventListener("keydown", close, true);
    return () => {
      document.removeEventListener("pointerdown", close);
      document.removeEventListener("keydown", close, true);
    };
  }, []);
  return (
    <details className={`menu${up ? " up" : ""}`} ref={menu}>
      <summary className="button" title={title}>
        {label} <span aria-hidden="true">▾</span>
      </summary>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: what is chosen inside has a role of its own */}
      <div
        className="menu-list"
        onClick={(event) => {
          if (!stays && (event.target as Element).closest("a, button")) menu.current!.open = false;
        }}
      >
        {children}
      </div>
    </details>
  );
}
