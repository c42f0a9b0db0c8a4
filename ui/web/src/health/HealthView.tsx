// How the way from packets to requests is: who captures, what is lost and where, what could not be read and why.

import type { ReactNode } from "react";
import { useAnswer } from "../api/questions";
import { usePage } from "../app/page";
import { count, duration, plural, size } from "../model/figures";
import { look, sign, words } from "../model/outcomes";
import { clean } from "../model/text";
import { between, dateOf, timeOfDay } from "../model/time";
import { useView } from "../state/store";

export function HealthView() {
  const { summary, health } = usePage();
  const { utc } = useView();
  const counters = useAnswer("/counters", {});
  if (!summary || !health) return <p className="says-why">Asking …</p>;
  const stages = new Map<string, { name: string; value: number }[]>();
  for (const { stage, name, value } of counters.data?.rows ?? []) {
    stages.set(stage, [...(stages.get(stage) ?? []), { name, value }]);
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and nothing in it takes the focus
    <section className="health" tabIndex={0} aria-label="Health">
      {health.hints.map((hint) => (
        <p key={hint} className="banner">
          {clean(hint)}
        </p>
      ))}
      <div className="health-columns">
        <Part title="What there is">
          <Facts
            facts={[
              [
                "sources",
                summary.sources
                  .map((one) => `${clean(one.name)} ${one.bytes ? `(${size(one.bytes)}B)` : ""}`)
                  .join(", ") || "-",
              ],
              ...(summary.first_ns && summary.last_ns
                ? ([
                    [
                      "time",
                      `${dateOf(summary.first_ns, utc)} ${timeOfDay(summary.first_ns, utc)} to ${timeOfDay(summary.last_ns, utc)} (${duration(between(summary.first_ns, summary.last_ns))})`,
                    ],
                  ] as const)
                : []),
              ["packets", count(summary.packets)],
              [
                "requests",
                `${count(summary.exchanges)}${summary.messages ? `, with ${plural(summary.messages, "message")} in streams` : ""}`,
              ],
              ["connections", count(summary.connections)],
              ["endpoints", count(summary.endpoints)],
              ["protocols", listed(summary.protocols)],
              [
                "secrets",
                summary.redacted ? "replaced by marks before anything was stored" : "as they were sent (--no-redact)",
              ],
              [
                "kept",
                [summary.heads && "heads", summary.bodies && "bodies"].filter(Boolean).join(" and ") ||
                  "neither heads nor bodies",
              ],
              ...(summary.forgotten
                ? ([["forgotten", `${count(summary.forgotten)} older requests, to stay within limits`]] as const)
                : []),
            ]}
          />
        </Part>
        <Part title="What is missing">
          {summary.losses.length ? (
            <Facts
              facts={summary.losses.map(({ stage, name, value }) => [
                `${stage}: ${name.replaceAll("_", " ")}`,
                <span key="value" className="loss">
                  {name.includes("bytes") ? `${size(value)}B` : count(value)}
                </span>,
              ])}
            />
          ) : (
            <p>Nothing was lost on the way from packets to requests.</p>
          )}
          {summary.sources.map(
            (source) =>
              source.problem && (
                <p key={source.name} className="loss">
                  damaged: {clean(source.name)}: {clean(source.problem)}
                </p>
              ),
          )}
        </Part>
        <Part title="How requests ended">
          <Facts
            facts={Object.entries(summary.outcomes).map(([outcome, number]) => [
              <span key="outcome" className={look(outcome)}>
                {words(outcome)} {sign(outcome)}
              </span>,
              count(number),
            ])}
          />
        </Part>
        <Part title="How connections ended">
          <Facts
            facts={Object.entries(summary.states).map(([state, number]) => [
              <span key="state" className={look(state)}>
                {state} {sign(state)}
              </span>,
              count(number),
            ])}
          />
        </Part>
        {Object.keys(summary.unparsed).length > 0 && (
          <Part title="Connections without requests">
            <Facts facts={Object.entries(summary.unparsed).map(([name, number]) => [clean(name), count(number)])} />
            {Object.entries(summary.reasons).map(([reason, number]) => (
              <p key={reason} className="faint">
                {count(number)} × {clean(reason)}
              </p>
            ))}
          </Part>
        )}
      </div>
      {health.agents.length > 0 && (
        <Part title="Agents">
          <table className="plain-table">
            <thead>
              <tr>
                {["Name", "Node", "State", "Packets", "Dropped", "Shipped", "Lost", "Waiting", "CPU", "Memory", ""].map(
                  (title) => (
                    <th key={title}>{title}</th>
                  ),
                )}
              </tr>
            </thead>
            <tbody>
              {health.agents.map((agent) => (
                <tr key={agent.name}>
                  <td>{clean(agent.name)}</td>
                  <td>{clean(agent.node ?? "-")}</td>
                  <td className={agent.state === "ready" ? "" : "loss"}>{agent.state}</td>
                  <td>{count(agent.packets)}</td>
                  <td className={agent.dropped ? "loss" : ""}>{count(agent.dropped)}</td>
                  <td>{count(agent.shipped)}</td>
                  <td className={agent.lost ? "loss" : ""}>{count(agent.lost)}</td>
                  <td>{size(agent.spooled_bytes)}</td>
                  <td>{agent.cpu === null ? "-" : agent.cpu.toFixed(2)}</td>
                  <td>{size(agent.memory_bytes)}</td>
                  <td>
                    {clean(
                      [agent.problem, agent.shedding && `leaves out ${agent.shedding}`].filter(Boolean).join("; "),
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Part>
      )}
      {health.targets.length > 0 && (
        <Part title="Tapped">
          <Facts
            facts={health.targets.map((target) => [
              clean(target.namespace ? `${target.namespace}/${target.name}` : target.name),
              clean([target.kind, target.node, target.state, target.problem].filter(Boolean).join(", ")),
            ])}
          />
        </Part>
      )}
      <Part title="Counters">
        <div className="health-columns">
          {[...stages].map(([stage, rows]) => (
            <div key={stage}>
              <h3>{clean(stage)}</h3>
              <Facts facts={rows.map(({ name, value }) => [clean(name.replaceAll("_", " ")), count(value)])} />
            </div>
          ))}
        </div>
      </Part>
    </section>
  );
}

function listed(numbers: Readonly<Record<string, number>>): string {
  return (
    Object.entries(numbers)
      .map(([name, number]) => `${clean(name)} ${count(number)}`)
      .join(", ") || "-"
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function Facts({ facts }: { facts: readonly (readonly [ReactNode, ReactNode])[] }) {
  return (
    <dl className="facts-list">
      {facts.map(([name, value], index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a fact is its place
        <Fact key={index} name={name} value={value} />
      ))}
    </dl>
  );
}

function Fact({ name, value }: { name: ReactNode; value: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}
