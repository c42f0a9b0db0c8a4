import { describe, expect, it } from "vitest";
import { flowFilter } from "./filter";

describe("what a filter says of flows", () => {
  it("is all of it where flows have its fields", () => {
    expect(flowFilter("dst.port == 80", { ok: true })).toEqual({ where: "dst.port == 80", unfiltered: "" });
  });

  it("is what flows have too, and says that it is not all", () => {
    expect(flowFilter("status >= 500 && dst.port == 80", { ok: false, shared: "dst.port == 80" })).toEqual({
      where: "dst.port == 80",
      unfiltered: "filtered in part: the rest is about requests",
    });
    expect(flowFilter("status >= 500", { ok: false, shared: "" })).toEqual({
      where: "",
      unfiltered: "not filtered: the filter is about requests",
    });
  });

  it("is not known before the answer, nor of what can't be understood", () => {
    expect(flowFilter("status >= 500", undefined)).toBeNull();
    expect(flowFilter("statis >= 500", { ok: false, message: "there is no field statis" })).toBeNull();
  });
});
