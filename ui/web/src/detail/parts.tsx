// Pieces that the drawers share.

import type { ReactNode } from "react";
import { useTheme } from "../app/theme";
import { duration } from "../model/figures";
import { barShare, latencyColour } from "../model/latency";

export function Close({ onClose, label = "Close" }: { onClose(): void; label?: string }) {
  return (
    <button type="button" className="button plain" aria-label={label} title={`${label} (Esc)`} onClick={onClose}>
      ✕
    </button>
  );
}

export function Figure({ name, children, note }: { name: string; children: ReactNode; note?: string | undefined }) {
  return (
    <div className="figure">
      <dt>{name}</dt>
      <dd>
        {children} {note && <small>{note}</small>}
      </dd>
    </div>
  );
}

export function Latency({ ns }: { ns: number | null }) {
  const theme = useTheme();
  return (
    <span className="latency">
      <i>{ns !== null && <b style={{ width: `${100 * barShare(ns)}%`, background: latencyColour(ns, theme) }} />}</i>
      <span>{duration(ns)}</span>
    </span>
  );
}
