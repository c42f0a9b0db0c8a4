// A node of the map: a service, a workload, a pod, a host outside, or a group of them.

import type { Node, NodeProps } from "@xyflow/react";
import { memo } from "react";
import { plural } from "../model/figures";
import { clean } from "../model/text";
import { fitting } from "./fitting";
import { NODE_WIDTH } from "./geometry";
import type { ServiceNode } from "./graph";
import { nodeTitle } from "./labels";

export interface BoxData extends Record<string, unknown> {
  readonly node: ServiceNode;
  /** What is said below the name. */
  readonly under: string;
  readonly state: string;
}

export type BoxNode = Node<BoxData, "service">;

/** Between the paddings and borders of a box. */
const ROOM = NODE_WIDTH - 27;

export const ServiceBox = memo(function ServiceBox({ data }: NodeProps<BoxNode>) {
  const { node, under, state } = data;
  const said = node.kind === "namespace" ? `namespace of ${plural(node.members.length, "service")}` : under;
  const outside = node.kind === "external" || node.kind === "address" || node.kind === "group";
  return (
    <button
      type="button"
      className={`service${outside ? " outside" : ""}${node.members.length ? " several" : ""}${state}`}
      data-node={node.key}
      title={nodeTitle(node)}
    >
      <span className="name">{fitting(clean(node.name), ROOM, 600, 13)}</span>
      <span className="under">{fitting(said, ROOM, 400, 11)}</span>
    </button>
  );
});
