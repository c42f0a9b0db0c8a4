import { expect, it } from "vitest";
import { between, iso, milliseconds, nanoseconds, plus, timeOfDay } from "./time";

const TIME = "1700000000204999999";

it("keeps every nanosecond", () => {
  expect(plus(TIME, 1)).toBe("1700000000205000000");
  expect(between(TIME, plus(TIME, 17))).toBe(17);
  expect(iso(TIME)).toBe("2023-11-14T22:13:20.204999999Z");
});

it("cuts milliseconds, so that order stays visible", () => {
  expect(timeOfDay(TIME, true)).toBe("22:13:20.204");
});

it("goes to milliseconds and back for axes", () => {
  expect(nanoseconds(milliseconds("1700000000204000000"))).toBe("1700000000204000000");
});

it("says that a time beyond all calendars is unknown", () => {
  expect(timeOfDay("99999999999999999999999", true)).toBe("-");
});
