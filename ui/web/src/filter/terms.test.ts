import { describe, expect, it } from "vitest";
import { node } from "../map/sample";
import { all, aroundTerm, edgeTerm, has, quoted, toggled } from "./terms";

describe("terms", () => {
  it("go together, alternatives in brackets", () => {
    expect(all("", " ", "failed")).toBe("failed");
    expect(all("a == 1 || b == 2", "failed")).toBe("(a == 1 || b == 2) && failed");
  });

  it("are switched on and off, whatever is in their text", () => {
    const term = 'target == "/a && b"';
    const with_ = toggled("failed", term);
    expect(with_).toBe('failed && target == "/a && b"');
    expect(has(with_, term)).toBe(true);
    expect(toggled(with_, term)).toBe("failed");
    expect(toggled(with_, "failed")).toBe(term);
  });

  it("quote what breaks out of quotes", () => {
    expect(quoted('a"b\\c\n')).toBe('"a\\"b\\\\c\\n"');
    expect(quoted("user\u202egnp")).toBe('"user\\u202egnp"');
  });

  it("say what an edge, a node, a group is", () => {
    const [web, orders] = [node("shop/web"), node("shop/orders")];
    expect(edgeTerm({ protocol: "http" }, web, orders)).toBe(
      'src.name == "web" && src.namespace == "shop" && dst.name == "orders" && dst.namespace == "shop" && protocol == "http"',
    );
    expect(aroundTerm(node("/a.example", "external"))).toBe('src.name == "a.example" || dst.name == "a.example"');
    const group = { ...node("/x", "group"), members: [node("/a", "external"), node("/b", "external")] };
    expect(aroundTerm(group)).toBe('src.name in ["a", "b"] || dst.name in ["a", "b"]');
    expect(aroundTerm({ ...node("shop/shop", "namespace"), namespace: "shop" })).toBe(
      'src.namespace == "shop" || dst.namespace == "shop"',
    );
  });
});
