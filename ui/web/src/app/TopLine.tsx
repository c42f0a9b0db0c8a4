// The one top line: what is looked at, whether more comes, how much, what is lost; share and colours.

import { useState } from "react";
import { setPaused, useLive } from "../api/live";
import { count, plural, rate } from "../model/figures";
import { clean } from "../model/text";
import { go, useView } from "../state/store";
import { usePage } from "./page";
import { switchTheme, useTheme } from "./theme";

// Bytes are no records, and fields that refer to what nobody saw are in records that are there.
const NO_COUNT = /bytes|unknown_fields/;

export function TopLine({ onKeys }: { onKeys(): void }) {
  const { summary, health, live } = usePage();
  const lost = summary?.losses.reduce((sum, loss) => sum + (NO_COUNT.test(loss.name) ? 0 : loss.value), 0) ?? 0;
  const title = health?.title || summary?.sources.map((source) => source.name).join(", ") || "";
  return (
    <div className="top">
      <span className="brand">
        <Mark />
        tapper
      </span>
      <h1 className="title cut" style={TITLE}>
        {clean(title)}
      </h1>
      {health && <State live={live} />}
      {summary && (
        <span className="facts">
          {live && health?.rate != null && <span>{rate(health.rate)}</span>}
          <span>{plural(summary.exchanges, "request")}</span>
          <span className="second">{plural(summary.connections, "connection")}</span>
          <button
            type="button"
            className={`link${lost ? " loss" : ""}`}
            onClick={() => go({ tab: "health", panel: "half" })}
            title="What is missing, and where it went missing"
          >
            {lost ? `${count(lost)} lost` : "nothing lost"}
          </button>
          {!summary.redacted && <span className="outcome-client">secrets are shown</span>}
        </span>
      )}
      <span className="grow" />
      <Share />
      <ThemeSwitch />
      <button type="button" className="button plain" aria-label="Keys of this page" title="Keys (?)" onClick={onKeys}>
        ?
      </button>
    </div>
  );
}

const TITLE = { fontSize: 13 } as const;

function Mark() {
  return (
    <svg width="20" height="20" viewBox="0 0 32 32" aria-hidden="true">
      <g fill="none" stroke="var(--accent)" strokeWidth="3">
        <path d="M7 16C14 16 14 6 25 6" />
        <path d="M7 16h18" />
        <path d="M7 16c7 0 7 10 18 10" stroke="var(--ink-server)" />
      </g>
      <circle cx="7" cy="16" r="5" fill="var(--ink)" />
    </svg>
  );
}

function State({ live }: { live: boolean }) {
  const { state, paused, behind } = useLive();
  if (state === "lost") {
    return (
      <span className="state lost">
        <i />
        disconnected
      </span>
    );
  }
  if (!live) {
    return (
      <span className="state">
        <i />
        saved
      </span>
    );
  }
  return (
    <button
      type="button"
      className={`button small state${paused ? "" : " live"}`}
      aria-pressed={paused}
      title={paused ? "Show what comes" : "Hold what is shown still; recording goes on"}
      onClick={() => setPaused(!paused)}
    >
      <i />
      {paused ? (behind ? "paused · more has come" : "paused") : "live"}
    </button>
  );
}

function Share() {
  const [copied, setCopied] = useState(false);
  useView();
  return (
    <button
      type="button"
      className="button plain"
      title="Copies the address of exactly this view"
      onClick={() => {
        void navigator.clipboard.writeText(location.href).then(() => {
          setCopied(true);
          setTimeout(() => setCopied(false), 1500);
        });
      }}
    >
      {copied ? "Link copied" : "Copy link"}
    </button>
  );
}

function ThemeSwitch() {
  const theme = useTheme();
  const other = theme === "dark" ? "light" : "dark";
  return (
    <button
      type="button"
      className="button plain"
      aria-label={`Use ${other} colours`}
      title={`Use ${other} colours`}
      onClick={switchTheme}
    >
      {theme === "dark" ? "☀" : "☾"}
    </button>
  );
}
