// The keys of the page, as a dialog: what `App`, the lists, the map, the time line and the filter listen to.

import { Fragment, useEffect, useRef } from "react";

const KEYS: readonly (readonly [where: string, keys: readonly (readonly [keys: string, does: string])[]])[] = [
  [
    "Everywhere",
    [
      ["/", "write a filter"],
      ["1 2 3 4", "requests, edges, flows, health"],
      ["u", "times in UTC, and back"],
      ["Escape", "go back a step: the request, the selection, the focus"],
      ["?", "these keys"],
    ],
  ],
  [
    "In a list",
    [
      ["↓ ↑ or j k", "next row, row before"],
      ["Page Down, Page Up", "a page on, a page back"],
      ["g G or Home End", "first row, last row"],
      ["Enter", "open the request"],
    ],
  ],
  [
    "On the map",
    [
      ["Tab", "a service, the next one"],
      ["← ↑ → ↓", "the service in this direction"],
      ["Enter", "select it"],
    ],
  ],
  [
    "On the time line",
    [
      ["← →", "move the range of time"],
      ["Shift ← →", "move its end"],
    ],
  ],
  [
    "In the filter",
    [
      ["Enter", "apply it, or take what is chosen"],
      ["↓ ↑", "choose from the list"],
      ["Ctrl+Space", "complete"],
      ["Escape", "close the list, then clear the text, then leave"],
    ],
  ],
];

/** Escape closes it; the browser gives the focus back to where it was. */
export function Keys({ onClose }: { onClose(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current!.showModal(), []);
  return (
    <dialog className="keys" ref={dialog} aria-labelledby="keys-title" onClose={onClose}>
      <h2 id="keys-title">Keys of this page</h2>
      {KEYS.map(([where, keys]) => (
        <Fragment key={where}>
          <h3>{where}</h3>
          <dl>
            {keys.map(([key, does]) => (
              <Fragment key={key}>
                <dt>{key}</dt>
                <dd>{does}</dd>
              </Fragment>
            ))}
          </dl>
        </Fragment>
      ))}
      <button type="button" className="button" onClick={() => dialog.current!.close()}>
        Close
      </button>
    </dialog>
  );
}
