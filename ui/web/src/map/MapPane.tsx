// The map itself. React Flow moves and zooms it; what is where comes from the scene, and never changes by itself.

import {
  Background,
  type NodeChange,
  ReactFlow,
  type ReactFlowInstance,
  ReactFlowProvider,
  useReactFlow,
  useStore,
  ViewportPortal,
} from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import { type KeyboardEvent, type MouseEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { usePage } from "../app/page";
import { useTheme } from "../app/theme";
import { WhyEmpty } from "../app/WhyEmpty";
import { plural, rate } from "../model/figures";
import { adjust, go, useView } from "../state/store";
import { EdgeLayer } from "./EdgeLayer";
import { NODE_HEIGHT, NODE_WIDTH, type Point } from "./geometry";
import { type Edge, edgeOfKey, type Graph } from "./graph";
import { MapNotes } from "./MapNotes";
import { MapTools } from "./MapTools";
import { nextNode } from "./neighbour";
import { type BoxNode, ServiceBox } from "./ServiceBox";
import { type Scene, useScene } from "./useScene";
import { useSlots } from "./useSlots";

const NODE_TYPES = { service: ServiceBox };
/** Labels of edges are readable from this zoom on, names of services from that. */
const NEAR = 0.45;
const LEGIBLE = 0.2;
/** Room for the tools above and the notes below, and for the boxes of namespaces around the nodes. */
const FIT = { padding: { top: "84px", right: "28px", bottom: "64px", left: "28px" }, maxZoom: 1.1 } as const;

export default function MapPane() {
  return (
    <ReactFlowProvider>
      <Inner />
    </ReactFlowProvider>
  );
}

function Inner() {
  const { map, changes } = usePage();
  const view = useView();
  const theme = useTheme();
  const flow = useReactFlow<BoxNode>();
  const laid = useSlots(map.drawn);
  const [dragged, setDragged] = useState<Readonly<Record<string, Point>>>({});
  const [hovered, setHovered] = useState<string | null>(null);
  const moved = useMemo(() => ({ ...view.moved, ...dragged }), [view.moved, dragged]);
  const scene = useScene(map.drawn, map.whole, laid, moved, view, hovered, changes);
  const nodes = useMemo(() => boxesOf(scene, map.drawn.graph, view.node), [scene, map.drawn.graph, view.node]);
  const near = useStore(({ transform }) => transform[2] >= NEAR);
  const legible = useStore(({ transform }) => transform[2] >= LEGIBLE);
  const pane = useRef<HTMLElement>(null);

  // The view is fitted once for what is looked at: the first map, a level, a focus, a tidying. Never for what arrives.
  // Where there is more or less room (a window's size, a line above), it is fitted anew while it is as it was fitted:
  // not once the user moved it, and not under a selection.
  const fitted = `${map.drawn.layout} ${view.focus} ${view.depth} ${laid.tidied}`;
  const last = useRef<string | null>(null);
  const own = useRef(false);
  const chosen = view.edge ?? view.node;
  const selected = chosen !== null;
  const width = useStore((store) => store.width);
  const height = useStore((store) => store.height);
  const settled = laid.ready && nodes.length > 0;
  const fitMap = useCallback((): void => {
    own.current = false;
    void flow.fitView(FIT);
  }, [flow]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the room for it matters by having changed
  useEffect(() => {
    if (!settled || (last.current === fitted && (own.current || selected))) return;
    last.current = fitted;
    fitMap();
  }, [settled, fitted, width, height, fitMap]);

  // What is selected comes into sight, by no more than it takes: the drawer must not hide what it tells of.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a selection, or the room for it, moves the view
  useEffect(() => {
    const keys = view.node !== null ? [view.node] : (edgeOfKey(view.edge ?? "")?.slice(0, 2) ?? []);
    const points = keys.flatMap((key) => scene.where.get(key) ?? []);
    if (points.length) reveal(flow, points, width - covered(), pane.current?.clientHeight ?? 0);
  }, [chosen, width]);

  const onNodesChange = (changed: NodeChange<BoxNode>[]): void => {
    const places: Record<string, Point> = {};
    let dropped = false;
    for (const change of changed) {
      if (change.type !== "position" || !change.position) continue;
      places[change.id] = change.position;
      dropped ||= change.dragging === false;
    }
    if (!Object.keys(places).length) return;
    if (dropped) {
      adjust({ moved: { ...view.moved, ...dragged, ...places } });
      setDragged({});
    } else setDragged((before) => ({ ...before, ...places }));
  };
  const choose = (key: string): void => {
    const node = map.drawn.graph.nodes.get(key);
    if (node?.kind === "namespace") go({ folded: true, open: [...view.open, node.namespace ?? ""] });
    else go({ node: view.node === key ? null : key, edge: null, request: null });
  };
  const onKey = (event: KeyboardEvent): void => {
    const from = (event.target as Element).getAttribute("data-node");
    if (from === null || !event.key.startsWith("Arrow")) return;
    const to = nextNode(map.drawn.graph, scene.where, from, event.key);
    event.preventDefault();
    event.stopPropagation();
    if (to === null) return;
    pane.current?.querySelector<HTMLElement>(`[data-node="${CSS.escape(to)}"]`)?.focus({ preventScroll: true });
    const at = scene.where.get(to)!;
    own.current = true;
    void flow.setCenter(at.x + NODE_WIDTH / 2, at.y + NODE_HEIGHT / 2, { zoom: Math.max(flow.getZoom(), NEAR) });
  };
  const zoom = (by: typeof flow.zoomIn): void => {
    own.current = true;
    void by();
  };
  const chooseEdge = (key: string): void => go({ edge: view.edge === key ? null : key, node: null, request: null });
  const looks = (edge: Edge) => ({
    chosen: edge.key === view.edge || edge.key === hovered,
    dim: isDim(edge, scene.bright, view.edge, view.node),
  });
  return (
    <section
      className={`map${near ? "" : " far"}${legible ? "" : " tiny"}`}
      aria-label="Service map"
      onKeyDownCapture={onKey}
      ref={pane}
    >
      <ReactFlow<BoxNode>
        nodes={nodes}
        edges={NO_EDGES}
        nodeTypes={NODE_TYPES}
        onNodesChange={onNodesChange}
        onNodeClick={(_: MouseEvent, node: BoxNode) => choose(node.id)}
        onPaneClick={() => (view.node !== null || view.edge !== null) && go({ node: null, edge: null, request: null })}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        selectNodesOnDrag={false}
        nodeDragThreshold={4}
        zoomOnDoubleClick={false}
        deleteKeyCode={null}
        minZoom={0.05}
        maxZoom={2}
        onMoveStart={(event) => {
          own.current ||= event !== null;
        }}
        onMove={() => pane.current?.classList.add("moving")}
        onMoveEnd={() => pane.current?.classList.remove("moving")}
        proOptions={PRO}
      >
        <Background color="var(--dot)" gap={24} size={1.2} />
        <ViewportPortal>
          <EdgeLayer
            edges={map.drawn.graph.edges}
            lines={scene.lines}
            spaces={scene.boxes}
            theme={theme}
            looks={looks}
            onChoose={chooseEdge}
            onHover={setHovered}
          />
          <Labels scene={scene} chosen={[view.edge, hovered]} dim={(edge) => looks(edge).dim} onChoose={chooseEdge} />
        </ViewportPortal>
      </ReactFlow>
      <MapTools laid={laid} scene={scene} />
      <MapNotes />
      <div className="map-zoom">
        <button type="button" className="button" aria-label="Zoom out" onClick={() => zoom(flow.zoomOut)}>
          −
        </button>
        <button type="button" className="button" aria-label="Zoom in" onClick={() => zoom(flow.zoomIn)}>
          +
        </button>
        <button type="button" className="button" onClick={fitMap}>
          Fit
        </button>
      </div>
      {map.loaded && !scene.nodes.size && (
        <div className="says-why over">
          <WhyEmpty />
        </div>
      )}
    </section>
  );
}

/** How much of the map's width the drawer lies over; where there is room it stands beside it. */
function covered(): number {
  const drawer = document.querySelector<HTMLElement>("aside.drawer");
  return drawer && getComputedStyle(drawer).position === "absolute" ? drawer.offsetWidth : 0;
}

/** Brings boxes into sight: moves if they fit, else shows all of them. */
function reveal(flow: ReactFlowInstance<BoxNode>, points: readonly Point[], width: number, height: number): void {
  const { x, y, zoom } = flow.getViewport();
  const left = Math.min(...points.map((point) => point.x));
  const right = Math.max(...points.map((point) => point.x)) + NODE_WIDTH;
  const top = Math.min(...points.map((point) => point.y));
  const bottom = Math.max(...points.map((point) => point.y)) + NODE_HEIGHT;
  const dx = shift(left * zoom + x, right * zoom + x, 24, width - 24);
  const dy = shift(top * zoom + y, bottom * zoom + y, 84, height - 48);
  if (dx === null || dy === null) {
    const small = Math.min((0.85 * width) / (right - left), (0.7 * height) / (bottom - top), zoom);
    const centre = { x: width / 2 - ((left + right) / 2) * small, y: height / 2 - ((top + bottom) / 2) * small };
    void flow.setViewport({ ...centre, zoom: small });
  } else if (dx || dy) void flow.setViewport({ x: x + dx, y: y + dy, zoom }, { duration: 150 });
}

/** How far a stretch must go to lie within limits; null: it is too long. */
function shift(from: number, to: number, least: number, most: number): number | null {
  if (to - from > most - least) return null;
  return from < least ? least - from : to > most ? most - to : 0;
}

const NO_EDGES: [] = [];
const PRO = { hideAttribution: true };

function isDim(edge: Edge, bright: ReadonlySet<string> | null, chosen: string | null, node: string | null): boolean {
  if (bright === null) return false;
  if (chosen !== null) return edge.key !== chosen;
  if (node !== null) return edge.src !== node && edge.dst !== node;
  return !bright.has(edge.src) && !bright.has(edge.dst);
}

function boxesOf(scene: Scene, graph: Graph, chosen: string | null): BoxNode[] {
  const incoming = new Map<string, number>();
  for (const edge of graph.edges) incoming.set(edge.dst, (incoming.get(edge.dst) ?? 0) + edge.rate);
  const made: BoxNode[] = [];
  for (const [key, node] of scene.nodes) {
    const position = scene.where.get(key);
    if (!position) continue;
    const served = incoming.get(key);
    const dim = scene.bright !== null && !scene.bright.has(key);
    const state =
      (key === chosen ? " chosen" : "") +
      (scene.lost.has(key) ? " lost" : dim ? " dim" : "") +
      (scene.ill.has(key) ? " ill" : "");
    const under = scene.lost.has(key)
      ? "not in what is shown"
      : served
        ? `${rate(served)} in`
        : served === undefined
          ? "calls only"
          : node.kind;
    made.push({
      id: key,
      type: "service",
      position,
      data: { node, under: node.members.length ? plural(node.members.length, "host") : under, state },
      width: NODE_WIDTH,
      height: NODE_HEIGHT,
      // Not by a transform of each: to the browser 500 of those are 500 layers to sort whenever the map moves.
      style: { transform: "none", left: position.x, top: position.y },
      focusable: false,
    });
  }
  return made;
}

interface LabelProps {
  readonly scene: Scene;
  readonly chosen: readonly (string | null)[];
  dim(edge: Edge): boolean;
  onChoose(key: string): void;
}

function Labels({ scene, chosen, dim, onChoose }: LabelProps) {
  return (
    <div className="labels" aria-hidden="true">
      {scene.labels.map(({ key, x, y, edge, lines }) => {
        const change = scene.changed.get(key);
        if (dim(edge)) return null;
        return (
          // biome-ignore lint/a11y/noStaticElementInteractions: for the mouse, as the line is; the keyboard has the table
          <div
            key={key}
            onClick={() => onChoose(key)}
            className={`label${chosen.includes(key) ? " chosen" : ""}${edge.errors ? "" : " timeout"}`}
            style={{ left: x, top: y }}
          >
            {lines.head}
            {(lines.figures || lines.problem) && <br />}
            {lines.figures} {lines.problem && <b>{lines.problem}</b>}
            {change && <span className="change">{change.kind.replace("_", " ")}</span>}
          </div>
        );
      })}
    </div>
  );
}
