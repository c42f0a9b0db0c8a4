// A request or a response: its first line, headers in the order as sent, body in the view that suits it, trailers.

import { useEffect, useMemo, useState } from "react";
import type { Schemas } from "../api/client";
import { size } from "../model/figures";
import { clean } from "../model/text";
import { requestText } from "../requests/row";
import { type Body, type BodyView, bytesOf, imageType, show, views } from "./body";

type Half = Schemas["Half"];

interface Props {
  readonly exchange: Schemas["Exchange"];
  readonly half: Half;
  readonly which: "request" | "response";
}

export function HalfView({ exchange, half, which }: Props) {
  return (
    <>
      <p className="first-line">{firstLine(exchange, which)}</p>
      <Heads headers={half.headers} />
      <BodyPart half={half} key={`${exchange.id} ${which}`} />
      {half.trailers.length > 0 && (
        <>
          <h3>Trailers</h3>
          <Heads headers={half.trailers} />
        </>
      )}
    </>
  );
}

function firstLine(exchange: Schemas["Exchange"], which: "request" | "response"): string {
  if (which === "request") return requestText(exchange).join(" ");
  const version = exchange.version ? `${exchange.protocol.toUpperCase()}/${exchange.version} ` : "";
  const words = exchange.status_text ?? exchange.reason ?? "";
  const interim = exchange.interim.length ? ` (after ${exchange.interim.join(", ")})` : "";
  return clean(`${version}${exchange.status ?? "-"} ${words}`) + interim;
}

function Heads({ headers }: { headers: readonly Schemas["Header"][] }) {
  return (
    <dl className="heads">
      {headers.map(({ name, value }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a header is its place, names may be there twice
        <div key={index} style={CONTENTS}>
          <dt>{name === null ? "(not known)" : clean(name)}</dt>
          <dd>{value === null ? "(not known)" : clean(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

const CONTENTS = { display: "contents" } as const;

function sizes(half: Half): string {
  const parts: string[] = [];
  if (half.body_bytes !== null) parts.push(`${size(half.body_bytes)}B`);
  if (half.content_bytes !== null && half.content_bytes !== half.body_bytes) {
    parts.push(`${size(half.content_bytes)}B decoded`);
  }
  return parts.join(", ");
}

function BodyPart({ half }: { half: Half }) {
  const body: Body | null = useMemo(() => {
    if (!half.body) return null;
    const declared = half.headers.find(({ name }) => name?.toLowerCase() === "content-type")?.value;
    return { text: half.body, encoding: half.body_encoding, type: declared ?? half.content_type ?? "", cut: half.cut };
  }, [half]);
  const suitable = useMemo(() => (body ? views(body) : []), [body]);
  const [wished, setWished] = useState<BodyView | null>(null);
  const view = wished ?? suitable[0];
  if (!body || !view) {
    return half.body_bytes ? <p className="note">{size(half.body_bytes)}B of body, not kept.</p> : null;
  }
  return (
    <>
      <div className="body-tools">
        {suitable.map((one) => (
          <button
            key={one}
            type="button"
            className="button small"
            aria-pressed={one === view}
            onClick={() => setWished(one)}
          >
            {one}
          </button>
        ))}
        <span className="faint">{sizes(half)}</span>
        <span className="grow" />
        <SaveBody body={body} />
      </div>
      {view === "image" ? <Picture body={body} /> : <Lines body={body} view={view} />}
    </>
  );
}

function Lines({ body, view }: { body: Body; view: BodyView }) {
  const shown = useMemo(() => show(body, view), [body, view]);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keyboard must reach that */}
      <pre className={`body-view ${view}`} tabIndex={0}>
        {shown.spans.map(({ text, kind }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a span is its place
          <span key={index} className={kind}>
            {text}
          </span>
        ))}
      </pre>
      {shown.notes.map((note) => (
        <p key={note} className="note">
          {note}
        </p>
      ))}
    </>
  );
}

/** A URL of the body for as long as it is shown. */
function useBlob(body: Body, type: string): string | null {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([bytesOf(body)], { type }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [body, type]);
  return url;
}

function Picture({ body }: { body: Body }) {
  const url = useBlob(body, imageType(body) ?? "application/octet-stream");
  return url && <img className="body-image" src={url} alt="Body, as it was sent" />;
}

function SaveBody({ body }: { body: Body }) {
  // Never the type it claims: a browser that opened it must not run it.
  const url = useBlob(body, "application/octet-stream");
  return (
    <a className="button small" href={url ?? undefined} download="body.bin">
      Save
    </a>
  );
}
