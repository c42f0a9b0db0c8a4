// The demo's story with the mouse alone: the slow and failing edge on the map, the request that shows why, its HAR.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { downloaded, forget, launch, missing, opened, type Served, scratch, shop } from "./served";

describe.skipIf(missing)("the recorded shop", () => {
  const directory = missing ? "" : scratch();
  let browser: Browser;
  let served: Served;
  let url: string;
  let page: Page;
  let wrong: string[];

  const at = (query: string): string => `${new URL(url).origin}/${query}`;
  const rows = () => page.getByRole("grid", { name: "Requests" }).locator(".grid-row[aria-rowindex]");
  const show = async (query: string): Promise<void> => {
    await page.goto(at(query));
    await page.locator(".top .facts").waitFor();
  };

  beforeAll(async () => {
    [served, url] = await shop(directory);
    browser = await launch();
    ({ page, wrong } = await opened(browser, url));
  });

  afterAll(async () => {
    expect(wrong ?? []).toEqual([]);
    await browser?.close();
    await served?.stop();
    forget(directory);
  });

  it("shows the map, and no token in its address", async () => {
    expect(await page.locator(".service").count()).toBeGreaterThan(4);
    expect(await page.locator(".edges .line").count()).toBeGreaterThan(4);
    expect(page.url()).not.toContain("k=");
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict" });
  });

  it("leads from the worst edge to a slow request, and to its HAR", async () => {
    await show("?tab=edges");
    const failing = page.getByRole("tabpanel").locator('tbody tr:has(.outcome-server):has(td:text-is("http"))');
    await failing.filter({ hasText: "http" }).first().getByRole("button").click();
    const edge = page.locator("aside.drawer");
    await edge.getByRole("heading", { name: "Latency over time" }).waitFor();
    await edge.getByRole("heading", { name: "Distribution" }).waitFor();
    expect(page.url()).toContain("edge=");
    await edge.locator(".request-list button").first().click();
    await page
      .getByRole("complementary", { name: "Request", exact: true })
      .getByRole("tab", { name: "Timing" })
      .waitFor();
    const id = new URL(page.url()).searchParams.get("request");
    const [kept] = await downloaded(page, () => page.locator(".drawer a", { hasText: "HAR" }).click());
    const har = JSON.parse(kept!.toString()) as { log: { version: string; entries: object[] } };
    expect(har.log.version).toBe("1.2");
    expect(har.log.entries).toHaveLength(1);
    await page.locator(".drawer").locator("summary", { hasText: "Copy" }).click();
    await page.getByRole("button", { name: "as curl" }).click();
    await page.getByRole("status").getByText("curl copied").waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^curl /);
    await page.goto(at(`?request=${id}`));
    await page
      .getByRole("complementary", { name: "Request", exact: true })
      .getByRole("tab", { name: "Timing" })
      .waitFor();
  });

  it("opens an edge by a click on its line", async () => {
    await show("");
    await page.locator(".edges .hit").first().waitFor({ state: "attached" });
    await page.waitForFunction(() => {
      for (const path of document.querySelectorAll<SVGPathElement>(".edges .hit")) {
        const middle = path.getPointAtLength(path.getTotalLength() / 2).matrixTransform(path.getScreenCTM()!);
        if (document.elementFromPoint(middle.x, middle.y) === path) {
          (window as never as { middle: object }).middle = { x: middle.x, y: middle.y };
          return true;
        }
      }
      return false;
    });
    const { x, y } = await page.evaluate(() => (window as never as { middle: { x: number; y: number } }).middle);
    await page.mouse.click(x, y);
    await page.waitForURL(/edge=/);
    await page.locator("aside.drawer").waitFor();
  });

  it("filters, says what is wrong under the word, and mends it with a click", async () => {
    await show("?panel=full");
    await rows().first().waitFor();
    const box = page.locator("#filter");
    await box.fill("statis >= 500");
    await box.press("Enter");
    await page.locator("#filter-wrong").getByRole("button", { name: "status", exact: true }).click();
    await page.waitForURL(/where=status/);
    expect(await box.inputValue()).toBe("status >= 500");
    await page.locator("#filter-wrong").waitFor({ state: "detached" });
    await page.locator(".filter-count", { hasText: / of / }).waitFor();
    await page.waitForFunction(() => {
      const shown = [...document.querySelectorAll(".grid-row[aria-rowindex]")];
      return shown.length && shown.every((row) => [...row.children].some((cell) => /^5\d\d/.test(cell.textContent)));
    });
    await page.locator(".facet").first().click();
    await page.waitForURL(/where=.*(outcome|%26%26)/);
    await page.goBack();
    await page.waitForURL(/where=status(?!.*%26%26)/);
  });

  it("completes, and Escape takes away first the list, whenever it comes, then the text", async () => {
    await show("");
    const box = page.locator("#filter");
    const list = page.getByRole("listbox", { name: "What could come next" });
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route("**/api/v1/complete?*", async (route) => {
      await answered;
      await route.continue().catch(() => undefined); // given up by the page
    });
    await box.pressSequentially("dst.serv");
    await box.press("Escape");
    expect(await box.inputValue()).toBe("dst.serv");
    answer();
    await box.pressSequentially("i");
    await list.waitFor();
    await box.press("Tab");
    expect(await box.inputValue()).toBe("dst.service ");
    await list.waitFor();
    await box.press("Escape");
    await list.waitFor({ state: "detached" });
    expect(await box.inputValue()).toBe("dst.service ");
    await box.press("Escape");
    expect(await box.inputValue()).toBe("");
    await page.unroute("**/api/v1/complete?*");
  });

  it("sorts by latency, the slowest first", async () => {
    await show("?panel=full");
    await rows().first().waitFor();
    await page
      .getByRole("columnheader", { name: /Latency/ })
      .getByRole("button")
      .click();
    await page.waitForURL(/order=latency_ns.*desc=1/);
    await rows().first().waitFor();
  });

  it("is reached by the keyboard", async () => {
    await show("");
    await page.keyboard.press("3");
    await page.waitForURL(/tab=flows/);
    await page.keyboard.press("1");
    await rows().first().waitFor();
    await page.getByRole("grid", { name: "Requests" }).focus();
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.waitForURL(/request=/);
    await page.keyboard.press("Escape");
    await page.waitForURL((now) => !now.search.includes("request="));
    await page.keyboard.press("/");
    expect(await page.locator("#filter").evaluate((box) => box === document.activeElement)).toBe(true);
  });

  it("keeps all columns of the table in sight beside a drawer", async () => {
    await show("?panel=full");
    await rows().first().click();
    const drawer = page.getByRole("complementary", { name: "Request", exact: true });
    await drawer.getByRole("tab", { name: "Timing" }).waitFor();
    await page.waitForFunction(() => {
      const shown = document.querySelector("aside.drawer")!.getBoundingClientRect();
      const size = document.querySelector(".grid-row[aria-rowindex]")!.lastElementChild!.getBoundingClientRect();
      return shown.right <= innerWidth && size.width > 0 && size.right <= shown.left;
    });
  });
});
