import { describe, expect, it } from "vitest";
import { type Body, show, views } from "./body";

const body = (text: string, type = "", more: Partial<Body> = {}): Body => ({
  text,
  encoding: null,
  type,
  cut: false,
  ...more,
});
const text = (shown: ReturnType<typeof show>): string => shown.spans.map((span) => span.text).join("");

describe("views", () => {
  it.each([
    [body('{"a":1}', "application/json; charset=utf-8"), ["json", "text", "hex"]],
    [body("[1]"), ["json", "text", "hex"]],
    [body("<svg onload=alert(1)>", "image/svg+xml"), ["text", "hex"]],
    [body("a=1&b=2", "application/x-www-form-urlencoded"), ["form", "text", "hex"]],
    [body("iVBORw0KGgo=", "image/png", { encoding: "base64" }), ["image", "hex"]],
    [body("AAEC", "application/x-protobuf", { encoding: "base64" }), ["hex"]],
  ])("%#", (given, expected) => expect(views(given)).toEqual(expected));
});

describe("JSON", () => {
  it("keeps what was sent: digits, names there twice, escapes", () => {
    const shown = text(show(body('{"a":1.00,"a":12345678901234567890,"b":["x\\u202e",{}],"c":null}'), "json"));
    expect(shown).toBe(
      '{\n  "a": 1.00,\n  "a": 12345678901234567890,\n  "b": [\n    "x\\u202e",\n    {}\n  ],\n  "c": null\n}',
    );
  });

  it("goes as far as it goes when it is cut, and says so", () => {
    const shown = show(body('{"a": ["unfini', "", { cut: true }), "json");
    expect(text(shown)).toContain('"unfini');
    expect(shown.notes).toEqual(["the end of the body was not captured"]);
  });

  it("endures anything, in time", () => {
    for (const nasty of [
      "[".repeat(100_000),
      '"'.repeat(99_999),
      "\\".repeat(50_000),
      "}{:,".repeat(30_000),
      "a\u0000",
    ]) {
      const before = performance.now();
      show(body(nasty), "json");
      expect(performance.now() - before).toBeLessThan(1_000);
    }
  });
});

it("text has no characters that hide or reverse", () => {
  expect(text(show(body("a\u202eb\u0000\r\nc\td"), "text"))).toBe("a\\u202eb␀\nc    d");
});

it("forms are decoded, their characters made visible", () => {
  expect(text(show(body("a=1+2&b=%1b%5B"), "form"))).toBe("a = 1 2\nb = ␛[\n");
});

it("hex shows everything", () => {
  expect(text(show(body("AAEC/0E=", "", { encoding: "base64" }), "hex"))).toBe(
    `000000  00 01 02 ff 41           ${" ".repeat(23)}  ···\u00b7A`,
  );
});
