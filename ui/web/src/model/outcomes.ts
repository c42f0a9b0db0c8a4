// Outcome, never protocol, has colour; each has a sign too (ui/formatting.py; its ⌛ would be a picture in colours of
// its own here, or a box where no font has it).

/** Outcome or state of a connection -> sign and name of its colour (`--ink-…` in tokens.css). */
const LOOKS: Record<string, readonly [sign: string, colour: string]> = {
  ok: ["", ""],
  client_error: ["!", "client"],
  server_error: ["✗", "server"],
  reset: ["↯", "server"],
  timeout: ["◔", "timeout"],
  unanswered: ["◔", "timeout"],
  refused: ["⊘", "timeout"],
  incomplete: ["…", "incomplete"],
  open: ["▸", "open"],
};

export const OUTCOMES = ["ok", "client_error", "server_error", "timeout", "reset", "refused", "incomplete", "open"];

export function sign(outcome: string): string {
  return LOOKS[outcome]?.[0] ?? "";
}

/** A class for `outcome-…`; empty: neutral. */
export function look(outcome: string): string {
  const colour = LOOKS[outcome]?.[1];
  return colour ? `outcome-${colour}` : "";
}

export function words(outcome: string): string {
  return outcome.replaceAll("_", " ");
}
