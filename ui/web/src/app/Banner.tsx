// What a person should know now: a lost connection, agents in trouble, a session that was cut.

import { useEffect, useState } from "react";
import { retryNow, useLive } from "../api/live";
import { count } from "../model/figures";
import { clean } from "../model/text";
import { nanoseconds, timeOfDay } from "../model/time";
import { usePage } from "./page";

export function Banner() {
  const { summary, health, live } = usePage();
  const connection = useLive();
  if (connection.state === "lost") return <Lost since={connection.since!} next={connection.next} />;
  const troubled = health?.agents.filter((agent) => agent.problem) ?? [];
  const [agent] = troubled;
  if (agent) {
    return (
      <p className="banner bad" role="status">
        {count(troubled.length)} of {count(health!.agents.length)} agents not capturing: {clean(agent.name)}:{" "}
        {clean(agent.problem ?? "")}
      </p>
    );
  }
  const [hint] = health?.hints ?? [];
  if (hint) {
    return (
      <p className="banner" role="status">
        {clean(hint)}
      </p>
    );
  }
  const damaged = summary?.sources.find((source) => source.problem);
  if (damaged) {
    return (
      <p className="banner" role="status">
        Damaged: {clean(damaged.name)}: {clean(damaged.problem ?? "")}
      </p>
    );
  }
  if (summary && !summary.complete && health && !live) {
    return (
      <p className="banner" role="status">
        This session was not finished: its writer was stopped, or still writes; what is here is whole.
      </p>
    );
  }
  return null;
}

function Lost({ since, next }: { since: number; next: number | null }) {
  const { summary } = usePage();
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, []);
  const wait = next === null ? 0 : Math.max(Math.ceil((next - now) / 1000), 0);
  return (
    <p className="banner bad" role="alert">
      Connection lost at {timeOfDay(nanoseconds(since)).slice(0, 8)}; {wait ? `next try in ${wait} s` : "trying again"}.
      {summary ? ` The ${count(summary.exchanges)} requests below stay; what is missed will be marked.` : ""}
      <button type="button" className="link" onClick={retryNow}>
        Try now
      </button>
    </p>
  );
}
