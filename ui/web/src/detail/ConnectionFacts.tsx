// The connection that a request came on.

import type { ReactNode } from "react";
import type { Schemas } from "../api/client";
import { useAnswer } from "../api/questions";
import { count, duration, plural, size } from "../model/figures";
import { look, sign } from "../model/outcomes";
import { clean } from "../model/text";
import { between } from "../model/time";
import { go } from "../state/store";

export function ConnectionFacts({ exchange }: { exchange: Schemas["Exchange"] }) {
  const where = `connection == ${exchange.connection}`;
  const answer = useAnswer("/connections", { where, limit: 1 }, { fresh: true });
  const [row] = answer.data?.rows ?? [];
  const ends: readonly (readonly [string, Schemas["Endpoint"]])[] = [
    ["client", exchange.src],
    ["server", exchange.dst],
  ];
  const facts: (readonly [string, ReactNode])[] = ends.flatMap(([side, end]) => [
    [side, `${end.ip.includes(":") ? `[${end.ip}]` : end.ip}:${end.port}`] as const,
    [
      "",
      clean(
        [end.pod && `pod ${end.pod}`, end.node && `node ${end.node}`, end.process, `name from ${end.name_source}`]
          .filter(Boolean)
          .join(", "),
      ),
    ] as const,
  ]);
  if (row) {
    facts.push(
      [
        "state",
        <span key="state" className={look(row.state)}>
          {row.state} {sign(row.state)}
        </span>,
      ],
      ["transport", `${row.transport}, ${clean(row.protocol)}`],
      ["handshake", duration(row.handshake_ns)],
      ["open for", duration(between(row.time, row.last_time))],
      ["sent", `${size(row.bytes_sent)}B in ${plural(row.packets_sent, "packet")}`],
      ["received", `${size(row.bytes_received)}B in ${plural(row.packets_received, "packet")}`],
      ["sent again", plural(row.retransmits, "segment")],
    );
    if (row.gaps) facts.push(["not captured", `${count(row.gaps)} gaps, ${size(row.gap_bytes)}B`]);
    if (row.server_name) facts.push(["TLS name", clean(row.server_name)]);
    if (row.alpn) facts.push(["ALPN", clean(row.alpn)]);
    if (row.reason) facts.push(["why", clean(row.reason)]);
  }
  if (exchange.stream !== null) facts.push(["stream", String(exchange.stream)]);
  if (exchange.view) facts.push(["seen at", exchange.view]);
  return (
    <>
      <dl className="facts-list">
        {facts.map(([name, value], index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a fact is its place
          <div key={index} style={CONTENTS}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p className="body-tools">
        <button
          type="button"
          className="button small"
          onClick={() => go({ where, edge: null, node: null, tab: "requests" })}
        >
          All requests of this connection
        </button>
      </p>
    </>
  );
}

const CONTENTS = { display: "contents" } as const;
