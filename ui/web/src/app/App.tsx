// The page: top line, filter, time, map, drawer, table. The map's part is loaded on its own.

import { lazy, Suspense, useEffect } from "react";
import { useRefreshing } from "../api/questions";
import { Drawer } from "../detail/Drawer";
import { FilterBar } from "../filter/FilterBar";
import { adjust, go, view as now, useView } from "../state/store";
import { Scrubber } from "../timeline/Scrubber";
import { Banner } from "./Banner";
import { BottomPanel } from "./BottomPanel";
import { PageProvider } from "./page";
import { TopLine } from "./TopLine";

/** Asked for at once: it comes while the token becomes a cookie. */
const mapPart = import("../map/MapPane");
const MapPane = lazy(() => mapPart);

/** Escape goes back one step: what is open at the right, then what is selected. */
function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const view = now();
  const target = event.target as HTMLElement;
  const typing = target.matches("input, textarea, select");
  if (event.key === "Escape") {
    if (typing) target.blur();
    else if (view.request !== null) go({ request: null });
    else if (view.edge !== null || view.node !== null) go({ edge: null, node: null });
    else if (view.focus !== null) go({ focus: null, depth: 1 });
    return;
  }
  if (typing) return;
  if (event.key === "/") {
    event.preventDefault();
    document.getElementById("filter")?.focus();
  } else if (event.key === "1") go({ tab: "requests" });
  else if (event.key === "2") go({ tab: "edges" });
  else if (event.key === "3") go({ tab: "flows" });
  else if (event.key === "4") go({ tab: "health" });
  else if (event.key === "u") adjust({ utc: !view.utc });
}

export function App() {
  useRefreshing();
  const { panel } = useView();
  useEffect(() => {
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  return (
    <PageProvider>
      <div className={`page${panel === "full" ? " table-full" : ""}`}>
        <header>
          <TopLine />
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
      </div>
    </PageProvider>
  );
}
