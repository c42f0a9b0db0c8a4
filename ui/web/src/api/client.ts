// The one door to the collector: typed by its OpenAPI document (schema.d.ts is generated, see package.json "types").

import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

export const BASE = "/api/v1";

export type Gettable = { [P in keyof paths]: paths[P] extends { get: unknown } ? P : never }[keyof paths];
type Operation<P extends Gettable> = paths[P] extends { get: infer G } ? G : never;
export type QueryOf<P extends Gettable> =
  Operation<P> extends { parameters: { query?: infer Q } } ? NonNullable<Q> : never;
export type AnswerOf<P extends Gettable> =
  Operation<P> extends { responses: { 200: { content: { "application/json": infer A } } } } ? A : never;

/** A query in which what is null is left out. */
export type Asked<P extends Gettable> = { readonly [K in keyof QueryOf<P>]?: QueryOf<P>[K] | null | undefined };

/** What the API says is wrong; `position` and `length` are of the word in a filter. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly position: number | null = null,
    readonly length: number | null = null,
    readonly hint: string | null = null,
  ) {
    super(message);
  }
}

/** A parameter that is null, undefined, false or empty is left out. */
export type Parameters = Readonly<Record<string, string | number | boolean | readonly string[] | null | undefined>>;

/** The address of a GET with its query; for links to exports, too. */
export function address(path: string, query: Parameters = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === false || value === "") continue;
    if (typeof value === "object") {
      if (value.length) search.set(name, value.join(","));
    } else search.set(name, String(value));
  }
  const text = search.toString();
  return `${BASE}${path}${text ? `?${text}` : ""}`;
}

/** Asks the API. `path` as the document writes it; `{id}` is filled in from `id`. */
export async function get<P extends Gettable>(
  path: P,
  query: Asked<P>,
  options: { id?: string; signal?: AbortSignal } = {},
): Promise<AnswerOf<P>> {
  const filled = path.replace(BASE, "").replace("{id}", encodeURIComponent(options.id ?? ""));
  const asked = address(filled, query as Parameters);
  const early = ahead.get(asked);
  ahead.delete(asked);
  const response = await (early ?? ask(asked, options.signal));
  if (!response.ok) throw await problem(response);
  return (await response.json()) as AnswerOf<P>;
}

async function ask(asked: string, signal?: AbortSignal): Promise<Response> {
  await opened;
  return fetch(asked, { headers: { Accept: "application/json" }, ...(signal ? { signal } : {}) });
}

const ahead = new Map<string, Promise<Response>>();

/** Asks what the page will ask first, while its code is still on the way; the answer is taken once. */
export function askAhead<P extends Gettable>(path: P, query: Asked<P>): void {
  const asked = address(path.replace(BASE, ""), query as Parameters);
  const answer = ask(asked);
  answer.catch(() => undefined);
  ahead.set(asked, answer);
}

async function problem(response: Response): Promise<ApiError> {
  try {
    const { error } = (await response.json()) as { error: Schemas["Error"]["error"] };
    return new ApiError(
      response.status,
      error.code,
      error.message,
      error.position ?? null,
      error.length ?? null,
      error.hint ?? null,
    );
  } catch {
    return new ApiError(response.status, "unknown", `The server answered ${response.status} ${response.statusText}.`);
  }
}

let token: string | null = null;

/** Takes the token out of the URL's fragment, where no server and no history of proxies sees it. */
export function takeToken(): void {
  const given = new URLSearchParams(location.hash.slice(1)).get("k");
  if (given === null) return;
  token = given;
  history.replaceState(history.state, "", location.pathname + location.search);
}

/** What is asked meanwhile waits until the cookie is there. */
let opened: Promise<unknown> = Promise.resolve();

/** Changes the token for a cookie that scripts can't read. Without a token the cookie may be there from before. */
export function openSession(): Promise<void> {
  const opening = exchangeToken();
  opened = opening.catch(() => undefined);
  return opening;
}

async function exchangeToken(): Promise<void> {
  if (token === null) return;
  const response = await fetch(`${BASE}/session`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token }),
  });
  if (!response.ok) throw await problem(response);
}
