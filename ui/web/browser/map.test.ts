// What one does with the map: levels, search, noise, focus, time and its replay, comparing; and links to each of it.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { forget, launch, made, missing, opened, type Served, scratch, shop } from "./served";

describe.skipIf(missing)("the map of a story in two halves", () => {
  const directory = missing ? "" : scratch();
  let browser: Browser;
  let served: Served;
  let page: Page;
  let wrong: string[];

  const show = async (query: string): Promise<void> => {
    await page.goto(new URL(`/${query}`, page.url()).href);
    await page.locator(".service").first().waitFor();
  };
  const names = async (): Promise<string[]> => (await page.locator(".service .name").allTextContents()).sort();
  /** Waits until the map has exactly these. */
  const shows = async (...wanted: string[]): Promise<void> => {
    await page.waitForFunction(
      (expected) =>
        JSON.stringify(
          [...document.querySelectorAll(".service:not(.lost) .name")].map((at) => at.textContent).sort(),
        ) === expected,
      JSON.stringify(wanted.sort()),
    );
  };
  const OUTSIDE = "*.bank.example (6)";

  beforeAll(async () => {
    let url: string;
    [served, url] = await shop(directory, ...made(directory, "story.py"));
    browser = await launch();
    ({ page, wrong } = await opened(browser, url));
  });

  afterAll(async () => {
    expect(wrong ?? []).toEqual([]);
    await browser?.close();
    await served?.stop();
    forget(directory);
  });

  it("groups like hosts outside, and boxes namespaces", async () => {
    await shows("web", "orders", "news", "payments", OUTSIDE);
    expect((await page.locator(".space text").allTextContents()).sort()).toEqual(["pay", "shop"]);
  });

  it("has a level for workloads, versions, pods and addresses; a version leads to its requests", async () => {
    const level = page.getByLabel("What a node stands for");
    await level.selectOption("workload");
    await shows("web", "orders", "news-site", "payments", OUTSIDE);
    await level.selectOption("pod");
    await shows("web-1", "orders-a", "orders-b", "news-1", "payments-1", OUTSIDE);
    await level.selectOption("address");
    await page.locator(".service .name", { hasText: "10.0.2.4" }).waitFor();
    await level.selectOption("version");
    await shows("web", "orders 1.4", "orders 2.0", "news-site", "payments", OUTSIDE);
    await page.locator('[data-node="shop/orders 2.0"]').click();
    await page.locator(".filter-count", { hasText: /^60 of / }).waitFor();
  });

  it("finds: what is not meant is dimmed, Enter selects", async () => {
    await show("");
    await page.getByLabel("Find a service on the map").fill("pay");
    await page.locator(".service.dim", { hasText: "orders" }).waitFor();
    expect(await page.locator(".service:not(.dim) .name").allTextContents()).toEqual(["payments"]);
    await page.getByLabel("Find a service on the map").press("Enter");
    await page.waitForURL(/node=pay/);
  });

  it("focuses on a service and its neighbours, further with each step", async () => {
    await show("");
    await page.locator('[data-node="shop/news"]').click();
    await page.getByRole("button", { name: "Focus on it" }).click();
    await shows("web", "news");
    await page.locator(".map-notes", { hasText: "outside the focus hidden" }).waitFor();
    await page.locator(".map-tools").getByRole("button", { name: "all", exact: true }).click();
    await shows("web", "orders", "news", "payments", OUTSIDE);
  });

  it("hides noise, and says how much", async () => {
    await show("");
    const count = page.locator(".filter-count", { hasText: /^[\d,]+ / });
    const all = await count.textContent();
    await page.getByRole("button", { name: "Hide noise" }).click();
    await page.locator(".map-notes", { hasText: "of noise hidden" }).waitFor();
    await page.waitForFunction((before) => document.querySelector(".filter-count")!.textContent !== before, all);
    expect(page.url()).toContain("quiet=1");
  });

  it("shows a range that is dragged, moves it with the keys, and nothing on the map moves", async () => {
    await show("");
    const before = await places();
    const strip = page.getByRole("slider", { name: /Range of time/ });
    const box = (await strip.boundingBox())!;
    await page.mouse.move(box.x + 2, box.y + 10);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.35, box.y + 10, { steps: 4 });
    await page.mouse.up();
    await page.waitForURL(/end=/);
    await shows("web", "orders", "news");
    const after = await places();
    const both = Object.keys(after).filter((key) => key in before);
    expect(both.length).toBeGreaterThanOrEqual(3);
    for (const key of both) expect(after[key], key).toBe(before[key]);
    const url = page.url();
    await strip.focus();
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction((was) => location.href !== was, url);
    await page.getByRole("button", { name: /Show all time/ }).click();
    await shows("web", "orders", "news", "payments", OUTSIDE);
  });

  it("replays: the range moves by itself to the end", async () => {
    await show("");
    await page.getByRole("button", { name: "Replay" }).click();
    await page.waitForURL(/start=/);
    const seen = new Set<string>();
    while (await page.getByRole("button", { name: "Stop" }).count()) {
      seen.add(new URL(page.url()).search);
      await page.waitForFunction(
        (before) => location.search !== before || !document.querySelector(".times-tools [aria-pressed=true]"),
        new URL(page.url()).search,
      );
    }
    expect(seen.size).toBeGreaterThan(5);
  });

  it("compares with the time before: slower, new and gone, each with a reason", async () => {
    await show("");
    await page.getByRole("button", { name: "Compare" }).click();
    const drawer = page.getByRole("complementary", { name: "What changed" });
    for (const [kind, edge] of [
      ["slower", "web → orders"],
      ["new", "web → payments"],
      ["gone", "web → news"],
    ]) {
      const item = drawer.locator("li", { has: page.locator(".kind", { hasText: kind! }), hasText: edge! });
      await item.waitFor();
      expect((await item.textContent())!.length).toBeGreaterThan(20);
    }
  });

  it("an edge says how slow over time, how spread, which statuses, which are slowest", async () => {
    await show("?tab=edges");
    await page.getByRole("tabpanel").locator("tbody tr", { hasText: "orders" }).first().getByRole("button").click();
    const drawer = page.locator("aside.drawer");
    await drawer.locator(".dot").first().waitFor();
    for (const title of ["Latency over time", "Distribution", "Status", "Slowest"]) {
      await drawer.getByRole("heading", { name: title }).waitFor();
    }
    await drawer.locator(".dot").first().hover();
    await drawer.locator(".tip").waitFor();
    const took = await drawer.locator(".request-list").first().locator(".latency span").allTextContents();
    const ms = took.map((text) => Number(text.replace(" ms", "")));
    expect(ms.length).toBeGreaterThan(3);
    expect(ms).toEqual([...ms].sort((a, b) => b - a));
  });

  it("a link shows the same to somebody else", async () => {
    await show("?level=pod&quiet=1&find=web&tab=flows&utc=1");
    await page.locator('[data-node="shop/web-1"]').click();
    await page.waitForURL(/node=/);
    await page.locator(".drawer h2").waitFor();
    const shown = [await names(), await page.locator(".drawer h2").textContent()];
    const other = await page.context().newPage();
    await other.goto(page.url());
    await other.waitForFunction(
      (wanted) =>
        JSON.stringify([
          [...document.querySelectorAll(".service .name")].map((at) => at.textContent).sort(),
          document.querySelector(".drawer h2")?.textContent,
        ]) === wanted,
      JSON.stringify(shown),
    );
    expect(await other.getByRole("tab", { name: /Flows/ }).getAttribute("aria-selected")).toBe("true");
    await other.close();
  });

  it("is walked over by the arrow keys, and opened by Enter", async () => {
    await show("");
    await page.locator('[data-node="shop/web"]').focus();
    await page.keyboard.press("ArrowRight");
    const key = await page.evaluate(() => document.activeElement?.getAttribute("data-node"));
    expect(["shop/orders", "shop/news", "pay/payments"]).toContain(key);
    await page.keyboard.press("Enter");
    await page.waitForURL(/node=/);
    await page.keyboard.press("Escape");
    await page.waitForURL((url) => !url.search.includes("node="));
  });

  it.each([
    [768, 1024],
    [1024, 768],
  ])("fits a tablet of %i by %i", async (width, height) => {
    await page.setViewportSize({ width, height });
    for (const query of ["", "?panel=full", "?tab=flows&panel=full", "?tab=health&panel=full", "?tab=edges"]) {
      await show(query === "" ? "" : query.replace("panel=full", "panel=half"));
      expect(await page.evaluate(() => document.scrollingElement!.scrollWidth), query).toBeLessThanOrEqual(width);
      const cut = await page.evaluate(() =>
        [
          ...document.querySelectorAll(
            "header button, .filter button, .times button, .map-tools > *, .panel-head button",
          ),
        ]
          .filter((one) => one.getClientRects().length && one.getBoundingClientRect().right > innerWidth)
          .map((one) => one.textContent),
      );
      expect(cut, query).toEqual([]);
    }
    await page.locator('[data-node="shop/web"]').click();
    const drawer = page.locator("aside.drawer");
    await expect // it slides in
      .poll(async () => (await drawer.boundingBox())!.x + (await drawer.boundingBox())!.width)
      .toBeLessThanOrEqual(width + 1);
    await page.getByRole("button", { name: "Close" }).click();
    await page.locator("aside.drawer").waitFor({ state: "detached" });
    await page.setViewportSize({ width: 1440, height: 900 });
  });

  /** Where the boxes are on the map, whatever the view shows of it. */
  async function places(): Promise<Record<string, string>> {
    return page.evaluate(() =>
      Object.fromEntries(
        [...document.querySelectorAll<HTMLElement>(".react-flow__node")].map((node) => [
          node.dataset.id ?? "",
          `${node.style.left} ${node.style.top}`,
        ]),
      ),
    );
  }
});
