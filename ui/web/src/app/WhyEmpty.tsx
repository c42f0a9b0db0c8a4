// Where there is nothing to show, why, and what to do.

import { go, useView } from "../state/store";
import { usePage } from "./page";
import { emptyTexts } from "./why";

/** `where`: what was asked for, the filter unless a selection limits it too. */
export function WhyEmpty({ where }: { where?: string }) {
  const { summary, health, live } = usePage();
  const view = useView();
  if (!summary) return null;
  const { said, clears } = emptyTexts(summary, health, live, { ...view, where: where ?? view.where });
  return (
    <>
      {said.map((text, index) => (
        <p key={text}>{index ? text : <strong>{text}</strong>}</p>
      ))}
      {clears && (view.where || view.start || view.end || view.last) && (
        <button type="button" className="link" onClick={() => go({ where: "", start: null, end: null, last: null })}>
          Clear filter and time range
        </button>
      )}
    </>
  );
}
