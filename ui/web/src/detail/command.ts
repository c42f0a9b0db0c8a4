// A request as a command that sends it again: for whoever wants to try it. Secrets are marks, and stay so.

import type { Schemas } from "../api/client";
import { bytesOf } from "./body";

type Exchange = Schemas["Exchange"];

/** Headers that curl or the connection makes itself. */
const OWN = new Set([
  "host",
  "content-length",
  "connection",
  "transfer-encoding",
  "keep-alive",
  "te",
  "trailer",
  "upgrade",
]);

/** One word of a POSIX shell; control characters by $'...', so that pasting runs nothing. */
export function word(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (!/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/.test(text)) {
    return `'${text.replaceAll("'", "'\\''")}'`;
  }
  let made = "";
  for (const byte of new TextEncoder().encode(text)) {
    const char = String.fromCharCode(byte);
    if (char === "'" || char === "\\") made += `\\${char}`;
    else if (byte >= 0x20 && byte < 0x7f) made += char;
    else made += `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return `$'${made}'`;
}

/** Bytes for printf, piped in: what is no text can't be an argument. */
function piped(bytes: Uint8Array): string {
  const octal = [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
  return `printf '${octal}' | `;
}

const MOST_PIPED = 4_096;

export interface Command {
  readonly text: string;
  /** What it can't do as it was. */
  readonly note: string | null;
}

export function canCurl(exchange: Exchange): boolean {
  return exchange.protocol === "http" || exchange.protocol === "grpc";
}

export function curl(exchange: Exchange): Command {
  const { request } = exchange;
  const host = exchange.authority ?? address(exchange);
  const target = exchange.target ?? "/";
  const url = /^https?:\/\//.test(target) ? target : `http://${host}${target.startsWith("/") ? "" : "/"}${target}`;
  const method = exchange.operation ?? "GET";
  const parts = ["curl", "-g"];
  if (method === "HEAD") parts.push("-I");
  else if (method !== "GET" || request.body !== null) parts.push("-X", word(method));
  if (exchange.version?.startsWith("2")) parts.push("--http2-prior-knowledge");
  parts.push(word(url));
  for (const { name, value } of request.headers) {
    if (name === null || value === null || name.startsWith(":") || OWN.has(name.toLowerCase())) continue;
    // An empty value needs a semicolon, or curl leaves the header out.
    parts.push("-H", word(value ? `${name}: ${value}` : `${name};`));
  }
  let before = "";
  let note = request.cut ? "the end of the body was not captured" : null;
  if (request.body !== null && request.body !== "") {
    if (request.body_encoding === null) parts.push("--data-raw", word(request.body));
    else {
      const bytes = bytesOf({ text: request.body, encoding: "base64", type: "", cut: false });
      if (bytes.length <= MOST_PIPED) {
        before = piped(bytes);
        parts.push("--data-binary", "@-");
      } else note = "the body is left out: it is long and no text";
    }
  }
  if (exchange.notes.includes("redacted")) note = note ?? "secrets in it are marks: put the real ones in their place";
  return { text: before + parts.join(" "), note };
}

export function canGrpcurl(exchange: Exchange): boolean {
  return exchange.protocol === "grpc" && exchange.target !== null;
}

const GRPC_OWN = new Set([
  ...OWN,
  "content-type",
  "user-agent",
  "grpc-encoding",
  "grpc-accept-encoding",
  "grpc-timeout",
]);

export function grpcurl(exchange: Exchange): Command {
  const parts = ["grpcurl", "-plaintext"];
  for (const { name, value } of exchange.request.headers) {
    if (name === null || value === null || name.startsWith(":") || GRPC_OWN.has(name.toLowerCase())) continue;
    parts.push("-H", word(`${name}: ${value}`));
  }
  parts.push("-d", "'{}'", word(exchange.authority ?? address(exchange)));
  parts.push(word((exchange.target ?? "").replace(/^\//, "")));
  return { text: parts.join(" "), note: "put the message in place of {}: its fields' names are not on the wire" };
}

function address({ dst }: Exchange): string {
  return dst.ip.includes(":") ? `[${dst.ip}]:${dst.port}` : `${dst.ip}:${dst.port}`;
}
