// One request in full: where the time went, heads, bodies, messages, its connection and packets.

import { useState } from "react";
import { type ApiError, address, type Schemas } from "../api/client";
import { useAnswer } from "../api/questions";
import { Menu } from "../app/Menu";
import { quoted } from "../filter/terms";
import { duration, plural } from "../model/figures";
import { look, words } from "../model/outcomes";
import { clean } from "../model/text";
import { dateOf, timeOfDay } from "../model/time";
import { requestText, statusText } from "../requests/row";
import { go, useView } from "../state/store";
import { DETAILS, type Detail } from "../state/view";
import { ConnectionFacts } from "./ConnectionFacts";
import { type Command, canCurl, canGrpcurl, curl, grpcurl } from "./command";
import { HalfView } from "./HalfView";
import { Messages } from "./Messages";
import { Packets } from "./Packets";
import { Close } from "./parts";
import { Timing } from "./Timing";

type Exchange = Schemas["Exchange"];

const NAMES: Record<Detail, string> = {
  timing: "Timing",
  request: "Request",
  response: "Response",
  messages: "Messages",
  connection: "Connection",
  packets: "Packets",
};

export function RequestDrawer({ id }: { id: string }) {
  const answer = useAnswer("/exchanges/{id}", {}, { id, fresh: true });
  return (
    <aside className="drawer" aria-label="Request">
      {answer.data ? (
        <Whole exchange={answer.data} />
      ) : (
        <>
          <div className="drawer-head">
            <h2 className="grow">{answer.error ? "No such request" : "Asking …"}</h2>
            <Close onClose={() => go({ request: null })} />
          </div>
          {answer.error && <p className="drawer-body">{missing(answer.error)}</p>}
        </>
      )}
    </aside>
  );
}

function missing(error: ApiError): string {
  return error.code === "not_found"
    ? `${error.message}. It may have been forgotten to stay within the limits of the session.`
    : error.message;
}

function Whole({ exchange }: { exchange: Exchange }) {
  const { detail, utc, edge, node } = useView();
  const [operation, target] = requestText(exchange);
  const tabs = DETAILS.filter(
    (tab) => tab !== "messages" || exchange.messages_sent !== null || exchange.messages_received !== null,
  );
  const shown = tabs.includes(detail) ? detail : "timing";
  return (
    <>
      <div className="drawer-head">
        <div className="grow">
          <h2 className="mono-title">
            {operation} {target}
          </h2>
          <p>
            <span className={`title-status ${look(exchange.outcome)}`}>{statusText(exchange)}</span>
            {" · "}
            {duration(exchange.latency_ns)}
            {" · "}
            <span className="faint">
              {clean(exchange.protocol)}
              {exchange.version ? `/${clean(exchange.version)}` : ""} · {dateOf(exchange.time_ns, utc)}{" "}
              {timeOfDay(exchange.time_ns, utc)}
            </span>
          </p>
          <p>
            <End end={exchange.src} /> <span aria-hidden="true">→</span>
            <span className="unseen">calls</span> <End end={exchange.dst} />
            {exchange.authority && <span className="faint"> asked for {clean(exchange.authority)}</span>}
          </p>
          {exchange.outcome !== "ok" && (
            <p className={look(exchange.outcome)}>{clean(exchange.error ?? words(exchange.outcome))}</p>
          )}
        </div>
        <Close
          label={edge !== null || node !== null ? "Back to the selection" : "Close"}
          onClose={() => go({ request: null })}
        />
      </div>
      <div className="drawer-tools with-space">
        <CopyMenu exchange={exchange} />
        <a className="button small" download href={address("/export/har", { where: `id == ${quoted(exchange.id)}` })}>
          HAR
        </a>
        {exchange.trace_id && (
          <button
            type="button"
            className="button small"
            title={exchange.trace_id}
            onClick={() => go({ where: `trace_id == ${quoted(exchange.trace_id!)}`, edge: null, node: null })}
          >
            All of its trace
          </button>
        )}
      </div>
      <div className="tabs drawer-tabs" role="tablist" aria-label="Parts of the request">
        {tabs.map((tab) => (
          <button
            key={tab}
            type="button"
            role="tab"
            className="tab"
            aria-selected={shown === tab}
            onClick={() => go({ detail: tab })}
          >
            {NAMES[tab]}
          </button>
        ))}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so keys must get there (ARIA APG, tabs) */}
      <div className="drawer-body" role="tabpanel" aria-label={NAMES[shown]} tabIndex={0}>
        {shown === "timing" && <Timing exchange={exchange} />}
        {shown === "request" && <HalfView exchange={exchange} half={exchange.request} which="request" />}
        {shown === "response" &&
          (exchange.response ? (
            <HalfView exchange={exchange} half={exchange.response} which="response" />
          ) : (
            <p className="faint">No response was seen.</p>
          ))}
        {shown === "messages" && <Messages exchange={exchange} />}
        {shown === "connection" && <ConnectionFacts exchange={exchange} />}
        {shown === "packets" && <Packets id={exchange.id} />}
      </div>
    </>
  );
}

function End({ end }: { end: Schemas["Endpoint"] }) {
  const name = end.name === end.ip ? `${end.ip}:${end.port}` : clean(end.name);
  return (
    <span title={`${end.ip}:${end.port}, name from ${end.name_source}${end.pod ? `, pod ${end.pod}` : ""}`}>
      {end.namespace && <span className="faint">{clean(end.namespace)}/</span>}
      {name}
    </span>
  );
}

function CopyMenu({ exchange }: { exchange: Exchange }) {
  const [said, setSaid] = useState<string | null>(null);
  const copy = (text: string, what: string): void => {
    navigator.clipboard.writeText(text).then(
      () => setSaid(what),
      () => setSaid("The browser did not let it be copied"),
    );
  };
  const command = ({ text, note }: Command, name: string): void =>
    copy(text, `${name} copied${note ? `: ${note}` : ""}`);
  const link = `${location.origin}${location.pathname}?request=${exchange.id}`;
  return (
    <>
      <Menu label="Copy">
        {canCurl(exchange) && (
          <button type="button" className="menu-item" onClick={() => command(curl(exchange), "curl")}>
            as curl
          </button>
        )}
        {canGrpcurl(exchange) && (
          <button type="button" className="menu-item" onClick={() => command(grpcurl(exchange), "grpcurl")}>
            as grpcurl
          </button>
        )}
        <button type="button" className="menu-item" onClick={() => copy(link, "link copied")}>
          link to this request
        </button>
        <button type="button" className="menu-item" onClick={() => copy(exchange.id, "id copied")}>
          id
        </button>
        {exchange.request.body && exchange.request.body_encoding === null && (
          <button
            type="button"
            className="menu-item"
            onClick={() => copy(exchange.request.body!, "request body copied")}
          >
            body of the request
          </button>
        )}
        {exchange.response?.body && exchange.response.body_encoding === null && (
          <button
            type="button"
            className="menu-item"
            onClick={() => copy(exchange.response!.body!, "response body copied")}
          >
            body of the response
          </button>
        )}
      </Menu>
      {said && (
        <span className="faint" role="status">
          {said}
        </span>
      )}
      {exchange.notes.length > 0 && (
        <span className="faint" title={exchange.notes.join(", ")}>
          {plural(exchange.notes.length, "note")}: {exchange.notes.join(", ")}
        </span>
      )}
    </>
  );
}
