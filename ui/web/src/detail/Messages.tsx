// Messages of a stream: WebSocket frames, server-sent events, gRPC messages.

import { useState } from "react";
import type { Schemas } from "../api/client";
import { useAnswer } from "../api/questions";
import { count, size } from "../model/figures";
import { clean } from "../model/text";
import { timeOfDay } from "../model/time";
import { useView } from "../state/store";
import { bytesOf } from "./body";

const PAGE = 200;
const MOST_TEXT = 2_000;

export function Messages({ exchange }: { exchange: Schemas["Exchange"] }) {
  const { utc } = useView();
  const [offset, setOffset] = useState(0);
  const answer = useAnswer("/exchanges/{id}/messages", { offset, limit: PAGE }, { id: exchange.id });
  const total = (exchange.messages_sent ?? 0) + (exchange.messages_received ?? 0);
  const rows = answer.data?.rows ?? [];
  return (
    <>
      <p className="faint">
        {count(exchange.messages_sent)} sent by the client, {count(exchange.messages_received)} received
      </p>
      <ul className="messages">
        {rows.map((message) => (
          <li key={message.index}>
            <span className="faint">{timeOfDay(message.time_ns, utc)}</span>
            <span title={message.direction}>{message.direction === "sent" ? "→" : "←"}</span>
            <span className="cut">{clean(message.name ?? message.kind)}</span>
            <span className="mono">{textOf(message)}</span>
            <span className="faint right">{size(message.bytes)}</span>
          </li>
        ))}
      </ul>
      {!rows.length && answer.data && <p className="faint">No message was kept.</p>}
      {total > PAGE && (
        <p className="body-tools">
          <button type="button" className="button small" disabled={!offset} onClick={() => setOffset(offset - PAGE)}>
            Earlier
          </button>
          <button
            type="button"
            className="button small"
            disabled={offset + PAGE >= total}
            onClick={() => setOffset(offset + PAGE)}
          >
            Later
          </button>
          <span className="faint">
            {count(offset + 1)} to {count(Math.min(offset + PAGE, total))} of {count(total)}
          </span>
        </p>
      )}
    </>
  );
}

function textOf(message: Schemas["Message"]): string {
  if (!message.body) return "";
  if (message.body_encoding === null) {
    const text = clean(message.body.slice(0, MOST_TEXT));
    return message.body.length > MOST_TEXT ? `${text}…` : text;
  }
  const bytes = bytesOf({ text: message.body, encoding: "base64", type: "", cut: false }).subarray(0, 64);
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
