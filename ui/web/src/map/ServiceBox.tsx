// A node of the map: a service, a workload, a pod, a host outside, or a group of them.

import type { Node, NodeProps } from "@xyflow/react";
import { memo } from "react";
import { plural } from "../model/figures";
import { clean } from "../model/text";
import type { ServiceNode } from "./graph";
import { nodeTitle } from "./labels";

export interface BoxData extends Record<string, unknown> {
  readonly node: ServiceNode;
  /** What is said below the name. */
  readonly under: string;
  readonly state: string;
}

export type BoxNode = Node<BoxData, "service">;

export const ServiceBox = memo(function ServiceBox({ data }: NodeProps<BoxNode>) {
  const { node, under, state } = data;
  const outside = node.kind === "external" || node.kind === "address" || node.kind === "group";
  return (
    <button
      type="button"
      className={`service${outside ? " outside" : ""}${node.members.length ? " several" : ""}${state}`}
      data-node={node.key}
      title={nodeTitle(node)}
    >
      <span className="name">{clean(node.name)}</span>
      <span className="under">
        {node.kind === "namespace" ? `namespace of ${plural(node.members.length, "service")}` : under}
      </span>
    </button>
  );
});
