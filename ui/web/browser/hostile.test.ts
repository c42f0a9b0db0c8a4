// What was captured is text wherever it is shown: script in a body, an SVG with onload, control characters in a header.

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { forget, launch, made, missing, opened, type Served, scratch, shop } from "./served";

describe.skipIf(missing)("hostile traffic", () => {
  const directory = missing ? "" : scratch();
  let browser: Browser;
  let served: Served;
  let url: string;

  beforeAll(async () => {
    [served, url] = await shop(directory, made(directory, "hostile.py")[0]);
    browser = await launch();
  });

  afterAll(async () => {
    await browser?.close();
    await served?.stop();
    forget(directory);
  });

  it("runs nowhere, and what can't be seen is written out", async () => {
    const { page, wrong } = await opened(browser, url);
    const rows = page.locator(".grid-row[aria-rowindex]");
    await rows.first().waitFor();
    expect(await rows.count()).toBe(3);
    for (let row = 0; row < 3; row++) {
      await rows.nth(row).click();
      let said = "";
      const drawer = page.getByRole("complementary", { name: "Request", exact: true });
      await drawer.getByRole("tab").first().waitFor();
      for (const tab of await drawer.getByRole("tab").all()) {
        await tab.click();
        await drawer.getByRole("tabpanel").waitFor();
        // All that is in the document, also what is folded away or out of sight.
        const text = (await drawer.textContent())!;
        // biome-ignore lint/suspicious/noControlCharactersInRegex: that none is there is what is asked
        expect(text).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]/);
        said += text;
      }
      expect(said).toContain("\\u202e<i>kind</i>");
      expect(said).toContain("\\x9b2J<svg/onload");
      await drawer.getByRole("tab", { name: "Response" }).click();
      await drawer.getByText("window.ran").first().waitFor();
    }
    expect(await page.evaluate(() => (window as never as { ran?: string }).ran)).toBeUndefined();
    expect(
      await page.locator("#root script, #root img, #root iframe, #root object, a[href^='javascript:' i]").count(),
    ).toBe(0);
    expect(wrong).toEqual([]);
  });

  it("is met by a policy without inline script", async () => {
    const policy = (await fetch(new URL("/", url))).headers.get("content-security-policy") ?? "";
    const scripts = policy.match(/script-src[^;]*/)?.[0] ?? policy.match(/default-src[^;]*/)?.[0] ?? "unsafe";
    expect(scripts).not.toMatch(/unsafe|data:|\*/);
  });
});
