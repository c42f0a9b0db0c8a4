// Why there is nothing to see, as well as it can be told: what, why, what to do.

import type { Schemas } from "../api/client";
import { count, duration, plural } from "../model/figures";
import { clean } from "../model/text";

interface Asked {
  readonly where: string;
  readonly start: string | null;
  readonly end: string | null;
  readonly last: number | null;
}

export interface Why {
  readonly said: readonly string[];
  /** Clearing filter and range would show something. */
  readonly clears: boolean;
}

export function emptyTexts(
  summary: Schemas["Summary"],
  health: Schemas["Health"] | undefined,
  live: boolean,
  asked: Asked,
): Why {
  if (summary.exchanges === 0 && summary.connections === 0) {
    return { said: live ? listening(summary, health) : noPackets(summary), clears: false };
  }
  if (asked.where || asked.start || asked.end || asked.last) {
    const what = asked.where ? `match \`${clean(asked.where)}\`` : "are in this range of time";
    const protocols = Object.entries(summary.protocols)
      .slice(0, 5)
      .map(([name, number]) => `${count(number)} ${clean(name)}`);
    return {
      said: [
        `0 of ${plural(summary.exchanges, "request")} ${what}${asked.where && (asked.start || asked.last) ? " in this range of time" : ""}.`,
        ...(protocols.length ? [`There are ${protocols.join(", ")}.`] : []),
      ],
      clears: true,
    };
  }
  return { said: noRequests(summary), clears: false };
}

function listening(summary: Schemas["Summary"], health: Schemas["Health"] | undefined): string[] {
  const since = health?.started_ns ? duration(Date.now() * 1e6 - Number(health.started_ns)) : null;
  const agents = health?.agents.length ? ` by ${plural(health.agents.length, "agent")}` : "";
  return [
    `Listening${health?.title ? ` on ${clean(health.title)}` : ""}${agents}${since ? ` for ${since}` : ""}. ${plural(summary.packets, "packet")} seen, no complete request yet.`,
    "Connections that were open before may show only in part. Send a request.",
    ...(health?.hints.map(clean) ?? []),
  ];
}

function noPackets(summary: Schemas["Summary"]): string[] {
  const names =
    summary.sources
      .slice(0, 3)
      .map((source) => clean(source.name))
      .join(", ") || "the source";
  if (summary.packets === 0) {
    return [`No packets in ${names}.`, "Was the capture stopped before any traffic, or filtered too far?"];
  }
  return [
    `${plural(summary.packets, "packet")} in ${names}, but no TCP or UDP among them that could be read.`,
    "Health counts what was skipped.",
  ];
}

/** Connections, and no request on them. */
export function noRequests(summary: Schemas["Summary"]): string[] {
  const unparsed = Object.entries(summary.unparsed);
  const total = unparsed.reduce((sum, [, number]) => sum + number, 0);
  const tls = summary.unparsed.tls ?? 0;
  if (tls > 0 && tls === total) {
    return [
      `Traffic flows but is encrypted: ${plural(tls, "TLS connection")}.`,
      "Peers, bytes and timing are shown under Flows; contents are not.",
    ];
  }
  const kinds = unparsed.slice(0, 5).map(([name, number]) => `${count(number)} ${clean(name)}`);
  return [
    `${plural(summary.packets, "packet")} on ${plural(summary.connections, "connection")}, and no complete request${kinds.length ? ` (${kinds.join(", ")})` : ""}.`,
    ...Object.entries(summary.reasons)
      .slice(0, 3)
      .map(([reason, number]) => `${count(number)} × ${clean(reason)}`),
    "Flows has who talks to whom.",
  ];
}
