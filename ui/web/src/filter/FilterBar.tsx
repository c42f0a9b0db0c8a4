// The filter of everything: CEL text with completion, what is wrong under the word, how much it leaves.

import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { type ApiError, get, type Schemas } from "../api/client";
import { useAnswer } from "../api/questions";
import { usePage } from "../app/page";
import { count } from "../model/figures";
import { go, useView } from "../state/store";
import { has, toggled } from "./terms";
import { type Wrong, WrongWord } from "./WrongWord";

type Candidate = Schemas["Candidate"];

const SHOWN = 12;

export function FilterBar() {
  const { where } = useView();
  const [text, setText] = useState(where);
  const [wrong, setWrong] = useState<Wrong | null>(null);
  const [candidates, setCandidates] = useState<readonly Candidate[]>([]);
  const [chosen, setChosen] = useState(-1);
  const [scrolled, setScrolled] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const completing = useRef<AbortController | null>(null);
  const checking = useRef<AbortController | null>(null);
  /** Whether completion was asked for, by writing or by its keys: who goes through the page with Tab goes on. */
  const asked = useRef(false);

  // The box follows the URL: back, a facet, a link.
  useEffect(() => {
    completing.current?.abort();
    checking.current?.abort();
    setText(where);
    setWrong(null);
    setCandidates([]);
  }, [where]);

  /** Another text in the box: what is asked about the one before no longer counts. */
  function write(given: string): void {
    checking.current?.abort();
    checking.current = null;
    setText(given);
    setWrong(null);
  }

  /** Closes the list, and keeps one that is on its way from opening. */
  function dismiss(): void {
    completing.current?.abort();
    completing.current = null;
    setCandidates([]);
  }

  /** Whether this can be asked; false, too, when something else was asked or written meanwhile. */
  async function check(given: string): Promise<boolean> {
    checking.current?.abort();
    const control = new AbortController();
    checking.current = control;
    if (!given.trim()) {
      setWrong(null);
      return true;
    }
    try {
      const found = await get("/filter", { where: given }, { signal: control.signal });
      if (control.signal.aborted) return false;
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
      if (!control.signal.aborted)
        setWrong({ message: (error as ApiError).message, position: 0, length: 1, hint: null });
      return false;
    } finally {
      if (checking.current === control) checking.current = null;
    }
  }

  async function apply(given: string): Promise<void> {
    dismiss();
    if (await check(given)) go({ where: given.trim() });
  }

  async function complete(given: string, cursor: number): Promise<void> {
    completing.current?.abort();
    const control = new AbortController();
    completing.current = control;
    try {
      // The API counts characters, JavaScript halves of those beyond the first 65,536.
      const characters = [...given.slice(0, cursor)].length;
      const answer = await get("/complete", { text: given, cursor: characters }, { signal: control.signal });
      if (control.signal.aborted) return;
      setCandidates(answer.candidates.slice(0, SHOWN));
      setChosen(-1);
    } catch {
      // Completion is a help; without it one types on.
    } finally {
      if (completing.current === control) completing.current = null;
    }
  }

  function take(candidate: Candidate): void {
    const characters = [...text];
    const before = characters.slice(0, candidate.start).join("");
    const rest = characters.slice(candidate.end).join("");
    const opens = /[[("]$/.test(candidate.text);
    const made = `${before}${candidate.text}${opens ? "" : " "}`;
    const whole = made + rest.trimStart();
    write(whole);
    setCandidates([]);
    void complete(whole, made.length);
    requestAnimationFrame(() => input.current?.setSelectionRange(made.length, made.length));
  }

  function onKeyDown(event: KeyboardEvent<HTMLInputElement>): void {
    const open = candidates.length > 0;
    if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      asked.current = true;
      const step = event.key === "ArrowDown" ? 1 : -1;
      setChosen((at) => (at + step + candidates.length + (at < 0 && step < 0 ? 1 : 0)) % candidates.length);
    } else if (
      open &&
      !event.shiftKey &&
      (event.key === "Tab" ? asked.current : event.key === "Enter" && chosen >= 0)
    ) {
      event.preventDefault();
      take(candidates[Math.max(chosen, 0)]!);
    } else if (event.key === "Enter") {
      event.preventDefault();
      void apply(text);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      // A list that is about to open is dismissed like an open one: the text isn't lost by a key that came early.
      if (open || completing.current) dismiss();
      else if (text) {
        write("");
        void apply("");
      } else input.current?.blur();
    } else if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      asked.current = true;
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
            asked.current = true;
            write(event.target.value);
            void complete(event.target.value, event.target.selectionStart ?? event.target.value.length);
          }}
          onFocus={(event) => {
            asked.current = false;
            void complete(text, event.target.selectionStart ?? text.length);
          }}
          onBlur={() => {
            dismiss();
            if (text.trim() !== where && !checking.current) void check(text);
          }}
          onKeyDown={onKeyDown}
          onScroll={(event) => setScrolled(event.currentTarget.scrollLeft)}
        />
        {(text || where) && (
          <button
            type="button"
            className="button plain small clear"
            onClick={() => {
              write("");
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
        {wrong && (
          <WrongWord
            text={text}
            wrong={wrong}
            scrolled={scrolled}
            onTake={(better) => {
              write(better);
              input.current?.focus();
              void apply(better);
            }}
          />
        )}
      </div>
      <Quick />
      <Matched />
    </search>
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
