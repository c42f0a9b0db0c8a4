// The page: top line, filter, time, map, drawer, table. The map's part is loaded on its own.

import { lazy, Suspense, useEffect, useState } from "react";
import { useRefreshing } from "../api/questions";
import { Drawer } from "../detail/Drawer";
import { FilterBar } from "../filter/FilterBar";
import { adjust, go, view as now, useView } from "../state/store";
import { TABS } from "../state/view";
import { Scrubber } from "../timeline/Scrubber";
import { Banner } from "./Banner";
import { BottomPanel } from "./BottomPanel";
import { Keys } from "./Keys";
import { PageProvider } from "./page";
import { TopLine } from "./TopLine";

/** Asked for at once: it comes while the token becomes a cookie. */
const mapPart = import("../map/MapPane");
const MapPane = lazy(() => mapPart);

/** Escape goes back one step: what is open at the right, then what is selected. */
function back(): void {
  const view = now();
  if (view.request !== null) go({ request: null });
  else if (view.edge !== null || view.node !== null) go({ edge: null, node: null });
  else if (view.focus !== null) go({ focus: null, depth: 1 });
}

/** What keys do wherever one is on the page; `Keys` lists them. */
const ACTIONS: Readonly<Record<string, (showKeys: () => void) => void>> = {
  "/": () => document.getElementById("filter")?.focus(),
  ...Object.fromEntries(TABS.map((tab, index) => [String(index + 1), () => go({ tab })])),
  u: () => adjust({ utc: !now().utc }),
  "?": (showKeys) => showKeys(),
  Escape: back,
};

function onKey(event: KeyboardEvent, showKeys: () => void): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]")) return;
  const target = event.target as HTMLElement;
  if (target.matches("input, textarea, select")) {
    if (event.key === "Escape") target.blur();
    return;
  }
  const act = ACTIONS[event.key];
  if (!act) return;
  event.preventDefault();
  act(showKeys);
}

export function App() {
  useRefreshing();
  const { panel } = useView();
  const [keys, setKeys] = useState(false);
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => onKey(event, () => setKeys(true));
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, []);
  return (
    <PageProvider>
      <div className={`page${panel === "full" ? " table-full" : ""}`}>
        <header>
          <TopLine onKeys={() => setKeys(true)} />
          <Banner />
        </header>
        <FilterBar />
        <Scrubber />
        <main className="body">
          <div className="middle">
            <Suspense fallback={<div className="map" />}>
              <MapPane />
            </Suspense>
            <BottomPanel />
          </div>
          <Drawer />
        </main>
        {keys && <Keys onClose={() => setKeys(false)} />}
      </div>
    </PageProvider>
  );
}
