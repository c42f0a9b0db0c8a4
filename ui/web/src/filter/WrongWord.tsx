// What is wrong with a filter, under the word, and what was meant.

export interface Wrong {
  readonly message: string;
  readonly position: number;
  readonly length: number;
  readonly hint: string | null;
}

export function WrongWord({
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
            . Did you mean{" "}
            <button
              type="button"
              className="link"
              onPointerDown={(event) => event.preventDefault()}
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
