// The filter of everything: CEL text with completion, what is wrong under the word, how much it leaves.

import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { type ApiError, get, type Schemas } from "../api/client";
import { useAnswer } from "../api/questions";
import { usePage } from "../app/page";
import { count } from "../model/figures";
import { go, useView } from "../state/store";
import { has, toggled } from "./terms";

type Candidate = Schemas["Candidate"];

const SHOWN = 12;

interface Wrong {
  readonly message: string;
  readonly position: number;
  readonly length: number;
  readonly hint: string | null;
}

export function FilterBar() {
  const { where } = useView();
  const [text, setText] = useState(where);
  const [wrong, setWrong] = useState<Wrong | null>(null);
  const [candidates, setCandidates] = useState<readonly Candidate[]>([]);
  const [chosen, setChosen] = useState(-1);
  const [scrolled, setScrolled] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const asking = useRef<AbortController | null>(null);

  // The box follows the URL: back, a facet, a link.
  useEffect(() => {
    setText(where);
    setWrong(null);
    setCandidates([]);
  }, [where]);

  async function check(given: string): Promise<boolean> {
    if (!given.trim()) {
      setWrong(null);
      return true;
    }
    try {
      const found = await get("/filter", { where: given });
      setWrong(
        found.ok
          ? null
          : {
              message: found.message ?? "This can't be understood.",
              position: found.position ?? 0,
              length: Math.max(found.length ?? 1, 1),
              hint: found.hint ?? null,
            },
      );
      return found.ok;
    } catch (error) {
      setWrong({ message: (error as ApiError).message, position: 0, length: 1, hint: null });
      return false;
    }
  }

  async function apply(given: string): Promise<void> {
    setCandidates([]);
    if (await check(given)) go({ where: given.trim() });
  }

  async function complete(given: string, cursor: number): Promise<void> {
    asking.current?.abort();
    const control = new AbortController();
    asking.current = control;
    try {
      // The API counts characters, JavaScript halves of those beyond the first 65,536.
      const characters = [...given.slice(0, cursor)].length;
      const answer = await get("/complete", { text: given, cursor: characters }, { signal: control.signal });
      setCandidates(answer.candidates.slice(0, SHOWN));
      setChosen(-1);
    } catch {
      // Completion is a help; without it one types on.
    }
  }

  function take(candidate: Candidate): void {
    const characters = [...text];
    const before = characters.slice(0, candidate.start).join("");
    const rest = characters.slice(candidate.end).join("");
    const opens = /[[("]$/.test(candidate.text);
    const made = `${before}${candidate.text}${opens ? "" : " "}`;
    setText(made + rest.trimStart());
    setCandidates([]);
    setWrong(null);
    requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(made.length, made.length);
      void complete(made + rest.trimStart(), made.length);
    });
  }

  function onKeyDown(event: KeyboardEvent<HTMLInputElement>): void {
    const open = candidates.length > 0;
    if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      setChosen((at) => (at + step + candidates.length + (at < 0 && step < 0 ? 1 : 0)) % candidates.length);
    } else if (open && (event.key === "Tab" || (event.key === "Enter" && chosen >= 0)) && !event.shiftKey) {
      event.preventDefault();
      take(candidates[Math.max(chosen, 0)]!);
    } else if (event.key === "Enter") {
      event.preventDefault();
      void apply(text);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      if (open) setCandidates([]);
      else if (text) {
        setText("");
        void apply("");
      } else input.current?.blur();
    } else if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      void complete(text, event.currentTarget.selectionStart ?? text.length);
    }
  }

  return (
    <search className="filter">
      <div className="filter-box">
        <span className="slash" aria-hidden="true">
          /
        </span>
        <input
          id="filter"
          ref={input}
          type="text"
          role="combobox"
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="off"
          aria-label="Filter of requests, in CEL"
          aria-expanded={candidates.length > 0}
          aria-controls="filter-candidates"
          aria-activedescendant={chosen >= 0 ? `candidate-${chosen}` : undefined}
          aria-invalid={wrong !== null}
          aria-describedby={wrong ? "filter-wrong" : undefined}
          placeholder='dst.service == "orders" && (status >= 500 || latency > 200ms)'
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setWrong(null);
            void complete(event.target.value, event.target.selectionStart ?? event.target.value.length);
          }}
          onFocus={(event) => void complete(text, event.target.selectionStart ?? text.length)}
          onBlur={() => {
            setTimeout(() => setCandidates([]), 150);
            if (text.trim() !== where) void check(text);
          }}
          onKeyDown={onKeyDown}
          onScroll={(event) => setScrolled(event.currentTarget.scrollLeft)}
        />
        {(text || where) && (
          <button
            type="button"
            className="button plain small clear"
            onClick={() => {
              setText("");
              void apply("");
            }}
          >
            Clear
          </button>
        )}
        {candidates.length > 0 && (
          <ul className="completion" id="filter-candidates" role="listbox" aria-label="What could come next">
            {candidates.map((candidate, index) => (
              <li
                key={candidate.text}
                id={`candidate-${index}`}
                role="option"
                aria-selected={index === chosen}
                onPointerDown={(event) => event.preventDefault()}
                onClick={() => take(candidate)}
              >
                <span className="mono">{candidate.text}</span>
                <span className="doc">{candidate.doc}</span>
              </li>
            ))}
          </ul>
        )}
        {wrong && <WrongWord text={text} wrong={wrong} scrolled={scrolled} onTake={(better) => setText(better)} />}
      </div>
      <Quick />
      <Matched />
    </search>
  );
}

function WrongWord({
  text,
  wrong,
  scrolled,
  onTake,
}: {
  text: string;
  wrong: Wrong;
  scrolled: number;
  onTake(better: string): void;
}) {
  const { message, position, length, hint } = wrong;
  const characters = [...text];
  return (
    <div className="filter-wrong" id="filter-wrong" role="alert">
      <div aria-hidden="true" style={{ marginLeft: -scrolled }}>
        {" ".repeat(position)}
        {"^".repeat(Math.min(length, 200))}
      </div>
      <div className="says">
        {message}
        {hint && (
          <>
            {" "}
            Did you mean{" "}
            <button
              type="button"
              className="link"
              onClick={() =>
                onTake([...characters.slice(0, position), hint, ...characters.slice(position + length)].join(""))
              }
            >
              {hint}
            </button>
            ?
          </>
        )}
      </div>
    </div>
  );
}

/** The two questions that are asked most. */
function Quick() {
  const { where } = useView();
  return (
    <>
      {(
        [
          ["Errors", "failed"],
          ["Slow", "latency > 300ms"],
        ] as const
      ).map(([words, term]) => (
        <button
          key={term}
          type="button"
          className="button"
          title={term}
          aria-pressed={has(where, term)}
          onClick={() => go({ where: toggled(where, term) })}
        >
          {words}
        </button>
      ))}
    </>
  );
}

function Matched() {
  const { summary, listWhere, range } = usePage();
  const limited = Boolean(listWhere || range.start || range.end);
  const counted = useAnswer("/exchanges/count", { where: listWhere, ...range }, { when: limited });
  if (!summary) return <span className="filter-count" />;
  if (!limited) return <span className="filter-count">{count(summary.exchanges)} requests</span>;
  return (
    <span className="filter-count" role="status">
      {counted.data ? count(counted.data.count) : "…"} of {count(summary.exchanges)}
    </span>
  );
}
