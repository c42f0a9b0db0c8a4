// What is selected, at the right: a request, an edge, a service, or what changed.

import { usePage } from "../app/page";
import { edgeOfKey } from "../map/graph";
import { useView } from "../state/store";
import { ChangesDrawer } from "./ChangesDrawer";
import { EdgeDrawer } from "./EdgeDrawer";
import { RequestDrawer } from "./RequestDrawer";
import { ServiceDrawer } from "./ServiceDrawer";

export function Drawer() {
  const view = useView();
  const { map, node } = usePage();
  if (view.request !== null) return <RequestDrawer id={view.request} />;
  if (view.edge !== null) {
    const [src = "", dst = ""] = edgeOfKey(view.edge) ?? [];
    const edge = map.drawn.graph.edges.find(({ key }) => key === view.edge);
    const [from, to] = [node(src), node(dst)];
    if (from && to) return <EdgeDrawer edge={edge} src={from} dst={to} />;
  }
  if (view.node !== null) {
    const chosen = node(view.node);
    if (chosen) return <ServiceDrawer node={chosen} />;
  }
  return view.compare ? <ChangesDrawer /> : null;
}
