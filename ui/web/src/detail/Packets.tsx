// The packets of a request's connection around its time, layer by layer, and as a file for Wireshark.

import { address } from "../api/client";
import { useAnswer } from "../api/questions";
import { plural, size } from "../model/figures";
import { clean } from "../model/text";
import { timeOfDay } from "../model/time";
import { useView } from "../state/store";

export function Packets({ id }: { id: string }) {
  const { utc } = useView();
  const answer = useAnswer("/exchanges/{id}/packets", { format: "json" }, { id, fresh: true, fixed: true });
  if (answer.error) return <p className="faint">{answer.error.message}</p>;
  if (!answer.data) return <p className="faint">Asking …</p>;
  const { packets, left_out: leftOut } = answer.data;
  return (
    <>
      <p className="body-tools">
        <a className="button small" download href={address(`/exchanges/${id}/packets`)}>
          Save as pcapng
        </a>
        <span className="faint">
          {plural(packets.length, "packet")}
          {leftOut ? `, ${leftOut} more in the file` : ""}
        </span>
      </p>
      {packets.map((packet, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a packet is its place
        <details className="packet" key={index}>
          <summary className="mono">
            <span className="faint">{timeOfDay(packet.time, utc)}</span>
            <span className="cut">{clean(packet.summary)}</span>
            <span className="right">{size(packet.bytes)}</span>
          </summary>
          <div className="packet-layers">
            {packet.layers.map((layer, place) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a layer is its place
              <div key={place}>
                <h4>{clean(layer.name)}</h4>
                <dl className="heads">
                  {layer.fields.map((field, at) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: a field is its place
                    <div key={at} style={CONTENTS}>
                      <dt>{clean(field.name)}</dt>
                      <dd>{clean(field.value)}</dd>
                    </div>
                  ))}
                </dl>
              </div>
            ))}
            <pre className="body-view hex">{packet.hex}</pre>
          </div>
        </details>
      ))}
    </>
  );
}

const CONTENTS = { display: "contents" } as const;
