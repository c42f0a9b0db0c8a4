// What was captured is text wherever it is shown: script in a body, an SVG with onload, control characters in a header.

import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { made, missing, shop, soon, visit } from "./served";

/** Of every request of this capture; it has no messages. */
const TABS = ["Timing", "Request", "Response", "Connection", "Packets"];
// biome-ignore lint/suspicious/noControlCharactersInRegex: that none is there is what is asked
const UNSEEN = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]/;

describe.skipIf(missing)("hostile traffic", () => {
  let page: Page;
  let url: string;

  visit(
    (directory) => shop(directory, made(directory, "hostile.py")[0]),
    (begun) => {
      ({ page, url } = begun);
    },
  );

  it("runs nowhere, and what can't be seen is written out", async () => {
    const rows = page.locator(".grid-row[aria-rowindex]");
    await soon(() => rows.count()).toBe(3);
    const drawer = page.getByRole("complementary", { name: "Request", exact: true });
    /** All that is in the document, also what is folded away or out of sight. */
    const said = async (): Promise<string> => (await drawer.textContent())!;
    for (let row = 0; row < 3; row++) {
      await rows.nth(row).click();
      await page.locator(`.grid-row.chosen[aria-rowindex="${row + 2}"]`).waitFor();
      for (const name of TABS) {
        await drawer.getByRole("tab", { name, exact: true }).click();
        await drawer.getByRole("tabpanel", { name, exact: true }).waitFor();
        if (name === "Request") await soon(said).toContain("\\u202e<i>kind</i>");
        if (name === "Response") await soon(said).toContain("\\x9b2J<svg/onload");
        if (name === "Packets")
          await drawer.getByRole("tabpanel").locator("pre").first().waitFor({ state: "attached" });
        expect(await said()).not.toMatch(UNSEEN);
      }
      await drawer.getByRole("tab", { name: "Response" }).click();
      await drawer.getByText("window.ran").first().waitFor();
      expect(await said()).not.toMatch(UNSEEN);
    }
    expect(await page.evaluate(() => (window as never as { ran?: string }).ran)).toBeUndefined();
    expect(
      await page.locator("#root script, #root img, #root iframe, #root object, a[href^='javascript:' i]").count(),
    ).toBe(0);
  });

  it("is met by a policy without inline script", async () => {
    const policy = (await fetch(new URL("/", url))).headers.get("content-security-policy") ?? "";
    const scripts = policy.match(/script-src[^;]*/)?.[0] ?? policy.match(/default-src[^;]*/)?.[0] ?? "unsafe";
    expect(scripts).not.toMatch(/unsafe|data:|\*/);
  });
});
