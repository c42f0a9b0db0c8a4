import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import type { Schemas } from "../api/client";
import { curl, grpcurl, word } from "./command";

type Exchange = Schemas["Exchange"];

function exchange(more: Partial<Exchange> = {}, request: Partial<Schemas["Half"]> = {}): Exchange {
  return {
    protocol: "http",
    version: "1.1",
    operation: "GET",
    target: "/orders?id=1&x=[2]",
    authority: "orders.shop:80",
    dst: { ip: "10.0.0.2", port: 80 },
    notes: [],
    request: { headers: [], trailers: [], body: null, body_encoding: null, cut: false, ...request },
    ...more,
  } as unknown as Exchange;
}

/** What a shell makes of a command: its words. */
function words(command: string): string[] {
  const script = `${command.replace(/^curl|^grpcurl/, "set --")}; printf '%s\\0' "$@"`;
  return execFileSync("bash", ["-c", script]).toString().split("\0").slice(0, -1);
}

describe("curl", () => {
  it("asks the same, its own headers left to curl", () => {
    const made = curl(
      exchange(
        {},
        {
          headers: [
            { name: "Host", value: "orders" },
            { name: "X-Id", value: "a'b" },
          ],
        },
      ),
    );
    expect(words(made.text)).toEqual(["-g", "http://orders.shop:80/orders?id=1&x=[2]", "-H", "X-Id: a'b"]);
  });

  it("runs nothing that was captured", () => {
    const evil = "'; touch /tmp/tapper-pwned; $(id) `id` \\ \n\u001b]0;x\u0007 !! \u202e";
    const made = curl(
      exchange(
        { target: evil, operation: "POST", authority: "h" },
        { body: evil, headers: [{ name: evil, value: evil }] },
      ),
    );
    expect(words(made.text)).toEqual([
      "-g",
      "-X",
      "POST",
      `http://h/${evil}`,
      "-H",
      `${evil}: ${evil}`,
      "--data-raw",
      evil,
    ]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be pasted
    expect(made.text).not.toMatch(/[\u0000-\u001f\u202e]/);
  });

  it("pipes a body that is no text", () => {
    const made = curl(exchange({ operation: "PUT" }, { body: "AAH/Jw==", body_encoding: "base64" }));
    const printed = execFileSync("bash", ["-c", made.text.split(" | ")[0]!]);
    expect([...printed]).toEqual([0, 1, 255, 39]);
  });

  it("says that secrets are marks", () => {
    expect(curl(exchange({ notes: ["redacted"] })).note).toContain("marks");
  });
});

it("grpcurl names the method, and that the message is missing", () => {
  const made = grpcurl(exchange({ protocol: "grpc", target: "/pb.News/Get", authority: "news:50051" }));
  expect(words(made.text)).toEqual(["-plaintext", "-d", "{}", "news:50051", "pb.News/Get"]);
  expect(made.note).toContain("{}");
});

it("a word is a word", () => {
  expect(word("plain/path:80")).toBe("plain/path:80");
});
