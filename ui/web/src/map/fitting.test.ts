import { describe, expect, it } from "vitest";
import { cut } from "./fitting";

const within = (most: number) => (part: string) => [...part].length <= most;

describe("cutting a name", () => {
  it.each([
    ["orders", 6, "orders"],
    ["orders", 5, "orde…"],
    ["payments-gateway", 9, "payments…"],
    ["🙂🙂🙂🙂", 3, "🙂🙂…"],
    ["orders", 1, "…"],
    ["orders", 0, "…"],
    ["", 0, ""],
  ])("%s to %i", (text, most, made) => {
    expect(cut(text, within(most))).toBe(made);
  });
});
