// An empty map says why, and what to do.

import { usePage } from "../app/page";
import { emptyTexts } from "../app/why";
import { go, useView } from "../state/store";

export function WhyEmpty() {
  const { summary, health, live } = usePage();
  const view = useView();
  if (!summary) return null;
  const { said, clears } = emptyTexts(summary, health, live, view);
  return (
    <div className="says-why over">
      {said.map((text, index) => (
        <p key={text}>{index ? text : <strong>{text}</strong>}</p>
      ))}
      {clears && (
        <button type="button" className="link" onClick={() => go({ where: "", start: null, end: null, last: null })}>
          Clear filter and time range
        </button>
      )}
    </div>
  );
}
