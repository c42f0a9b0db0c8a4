// What one does with the map: levels, search, noise, focus, time and its replay, comparing; and links to each of it.

import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { made, missing, places, shop, soon, type Visit, visit } from "./served";

describe.skipIf(missing)("the map of a story in two halves", () => {
  let page: Page;
  let show: Visit["show"];

  visit(
    (directory) => shop(directory, ...made(directory, "story.py")),
    (begun) => {
      ({ page, show } = begun);
    },
  );

  const names = (page: Page, kept = ".service"): Promise<string[]> =>
    page.locator(`${kept} .name`).evaluateAll((all) => all.map((one) => one.textContent).sort());
  /** Waits until the map has exactly these. */
  const shows = (...wanted: string[]) => soon(() => names(page, ".service:not(.lost)")).toEqual(wanted.sort());
  const OUTSIDE = "*.bank.example (6)";
  const ALL = ["web", "orders", "news", "payments", "ticker", "archive", OUTSIDE];

  it("groups like hosts outside, and boxes namespaces", async () => {
    await shows(...ALL);
    await soon(async () => (await page.locator(".space text").allTextContents()).sort()).toEqual(["pay", "shop"]);
  });

  it("says of each edge how much, how slow, how wrong: by label, width, colour and dash", async () => {
    const labels = async () =>
      (await page.locator(".labels .label").allInnerTexts()).map((text) => text.replace(/\s+/g, " ").trim()).sort();
    await soon(labels).toEqual([
      "http · 0.47/s p95 30.1 ms",
      "http · 0.78/s p95 20.1 ms ✗ 10 %",
      "http · 1.6/s p95 20.1 ms",
      "http · 3.1/s p95 150 ms",
      "http · 5 streams",
      "tcp ⊘ refused 5 of 5",
    ]);
    const orders = await line("shop/web", "shop/orders");
    const news = await line("shop/web", "shop/news");
    const payments = await line("shop/web", "pay/payments");
    expect(orders.width).toBeGreaterThan(news.width);
    expect(news.width).toBeGreaterThan(payments.width);
    expect(orders.colour).not.toBe(news.colour);
    expect(news.colour).toBe(payments.colour);
    expect([orders.errors, news.errors, payments.errors]).toEqual([false, false, true]);
    const refused = await line("shop/orders", "shop/archive", "tcp");
    const streams = await line("shop/web", "shop/ticker");
    expect([orders.dash, news.dash, payments.dash]).toEqual(["none", "none", "none"]);
    expect(new Set(["none", refused.dash, streams.dash]).size).toBe(3);
    for (const said of ["nothing comes through", "streams", "errors"]) {
      await page.locator(".map-notes").getByText(said, { exact: true }).waitFor();
    }
  });

  it("has a level for workloads, versions, pods and addresses; a version leads to its requests", async () => {
    const level = page.getByLabel("What a node stands for");
    await level.selectOption("workload");
    await shows("web", "orders", "news-site", "payments", "ticker", "archive", OUTSIDE);
    await level.selectOption("pod");
    await shows("web-1", "orders-a", "orders-b", "news-1", "payments-1", "ticker-1", "archive-1", OUTSIDE);
    await level.selectOption("address");
    await page.locator(".service .name", { hasText: "10.0.2.3" }).waitFor();
    await level.selectOption("version");
    await shows("web", "orders 1.4", "orders 2.0", "news-site", "payments", "ticker", "archive", OUTSIDE);
    await page.locator('[data-node="shop/orders 2.0"]').click();
    await page.locator(".filter-count", { hasText: /^60 of / }).waitFor();
  });

  it("finds: what is not meant is dimmed, Enter selects", async () => {
    await show("");
    await page.getByLabel("Find a service on the map").fill("pay");
    await page.locator(".service.dim", { hasText: "orders" }).waitFor();
    await soon(() => names(page, ".service:not(.dim)")).toEqual(["payments"]);
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
    await shows(...ALL);
  });

  it("hides noise, and says how much", async () => {
    await show("");
    const count = page.locator(".filter-count");
    await soon(() => count.textContent()).toBe("309 requests");
    await page.getByRole("button", { name: "Hide noise" }).click();
    await page.locator(".map-notes", { hasText: "of noise hidden" }).waitFor();
    await soon(() => count.textContent()).toBe("269 of 309");
    await page.waitForURL(/quiet=1/);
  });

  it("shows a range that is dragged, moves it with the keys, and nothing on the map moves", async () => {
    await show("");
    await shows(...ALL);
    const before = await places(page);
    const strip = page.getByRole("slider", { name: /Range of time/ });
    const { width } = (await strip.boundingBox())!;
    await strip.hover({ position: { x: 2, y: 10 } });
    await page.mouse.down();
    await strip.hover({ position: { x: width * 0.35, y: 10 } });
    await page.mouse.up();
    await page.waitForURL(/end=/);
    await shows("web", "orders", "news");
    const after = await places(page);
    for (const key of ["shop/web", "shop/orders", "shop/news"]) expect(after[key], key).toBe(before[key]);
    const url = page.url();
    await strip.focus();
    await page.keyboard.press("ArrowRight");
    await page.waitForURL((now) => now.href !== url);
    // What comes takes free places: a page that began with three services keeps them where they are.
    await show(new URL(url).search);
    await shows("web", "orders", "news");
    const began = await places(page);
    await page.getByRole("button", { name: /Show all time/ }).click();
    await shows(...ALL);
    const all = await places(page);
    for (const key of Object.keys(began)) expect(all[key], key).toBe(began[key]);
  });

  it("is fitted to the room there is, until the user moves it", async () => {
    await show("");
    await shows(...ALL);
    const zoom = () => page.locator(".react-flow__viewport").evaluate((one) => one.style.transform);
    const { width, height } = page.viewportSize()!;
    for (const smaller of [height - 200, height - 300]) {
      await page.setViewportSize({ width: width - 500, height: smaller });
      await soon(() => page.evaluate(coveredBoxes)).toEqual([]);
    }
    await page.getByRole("button", { name: "Zoom in" }).click();
    const before = await zoom();
    await page.setViewportSize({ width, height });
    await soon(() => page.locator(".map").evaluate((map) => map.clientWidth)).toBeGreaterThan(width - 500);
    expect(await zoom()).toBe(before);
    await page.getByRole("button", { name: "Fit", exact: true }).click();
    await soon(() => page.evaluate(coveredBoxes)).toEqual([]);
  });

  it("replays: the range moves by itself to the end", async () => {
    await show("");
    await page.evaluate(() => {
      const said = new Set<string | null>();
      Object.assign(window, { said });
      const strip = document.querySelector("[role=slider]")!;
      new MutationObserver(() => said.add(strip.getAttribute("aria-valuetext"))).observe(strip, { attributes: true });
    });
    await page.getByRole("button", { name: "Replay" }).click();
    await page.getByRole("button", { name: "Stop" }).waitFor();
    await page.waitForURL(/start=/);
    await page.getByRole("button", { name: "Replay" }).waitFor();
    const steps = await page.evaluate(() => (window as never as { said: Set<string> }).said.size);
    expect(steps).toBeGreaterThan(20);
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
      await soon(async () => (await item.textContent())!.length).toBeGreaterThan(20);
    }
  });

  it("opens an edge by a click on its label, too", async () => {
    await show("");
    await page.locator(".labels .label", { hasText: "5 streams" }).click();
    await page.getByRole("complementary", { name: "Calls from web to ticker" }).waitFor();
  });

  it("an edge says how slow over time, how spread, which statuses, which are slowest", async () => {
    await show("?tab=edges");
    await page
      .getByRole("tabpanel")
      .locator("tbody tr", { hasText: /web.*orders/ })
      .first()
      .getByRole("button")
      .click();
    const drawer = page.locator("aside.drawer");
    await drawer.locator(".dot").first().waitFor();
    for (const title of ["Latency over time", "Distribution", "Status", "Slowest"]) {
      await drawer.getByRole("heading", { name: title }).waitFor();
    }
    await drawer.locator(".dot").first().hover();
    await drawer.locator(".tip").waitFor();
    const slowest = drawer.locator("h3", { hasText: "Slowest" }).locator("+ .request-list .latency");
    await soon(() => slowest.count()).toBe(6);
    const ms = (await slowest.allTextContents()).map((text) => Number(text.replace(" ms", "")));
    expect(ms).toEqual([...ms].sort((a, b) => b - a));
    expect(ms[0]).toBeGreaterThan(140);
  });

  it("a link shows the same to somebody else", async () => {
    await show("?level=pod&quiet=1&find=web&tab=flows&utc=1");
    await page.locator('[data-node="shop/web-1"]').click();
    await page.waitForURL(/node=/);
    await page.locator(".drawer h2").waitFor();
    const seen = async (page: Page) => [
      await names(page),
      await page.locator(".drawer h2").textContent(),
      await page.getByRole("tab", { name: /Flows/ }).getAttribute("aria-selected"),
    ];
    await page.locator(".map-notes", { hasText: "of noise hidden" }).waitFor();
    const shown = await seen(page);
    expect(shown.slice(1)).toEqual(["shop/web-1", "true"]);
    const other = await page.context().newPage();
    await other.goto(page.url());
    await soon(() => seen(other)).toEqual(shown);
    await other.close();
  });

  it("is walked over by the arrow keys, and opened by Enter", async () => {
    await show("");
    await page.locator('[data-node="shop/web"]').focus();
    await page.keyboard.press("ArrowRight");
    await soon(() => page.evaluate(() => document.activeElement?.getAttribute("data-node"))).toMatch(
      /^(shop\/orders|shop\/news|pay\/payments)$/,
    );
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
    for (const query of ["", "?tab=flows", "?tab=health", "?tab=edges"]) {
      await show(query);
      await soon(() => page.evaluate(() => document.scrollingElement!.scrollWidth)).toBeLessThanOrEqual(width);
      await soon(() => page.evaluate(beyondTheEdge)).toEqual([]);
    }
    const node = page.locator('[data-node="pay/payments"]');
    await node.click();
    const drawer = page.locator("aside.drawer");
    await soon(async () => {
      const box = await drawer.boundingBox();
      return box && box.x + box.width;
    }).toBeLessThanOrEqual(width + 1);
    // What it tells of stays in sight beside it.
    await soon(async () => {
      const [box, beside] = [await node.boundingBox(), await drawer.boundingBox()];
      return box && beside && box.x + box.width < beside.x && box.x > 0;
    }).toBe(true);
    await page.getByRole("button", { name: "Close" }).click();
    await page.locator("aside.drawer").waitFor({ state: "detached" });
    await page.setViewportSize({ width: 1440, height: 900 });
  });

  /** How an edge is drawn. */
  async function line(src: string, dst: string, protocol = "http") {
    return page.evaluate(
      (key) => {
        const hit = [...document.querySelectorAll(".edges .hit")].find((one) => one.getAttribute("data-edge") === key)!;
        const drawn = hit.parentElement!.querySelector(".line")!;
        const { strokeWidth, stroke, strokeDasharray } = getComputedStyle(drawn);
        const errors = hit.parentElement!.querySelector(".errors") !== null;
        return { width: Number.parseFloat(strokeWidth), colour: stroke, dash: strokeDasharray, errors };
      },
      JSON.stringify([src, dst, protocol]),
    );
  }
});

/** Runs in the page: which boxes of the map, of services and of namespaces, are not whole in sight: cut off, or under what lies over the map. */
function coveredBoxes(): (string | null)[] {
  const room = document.querySelector(".map")!.getBoundingClientRect();
  const over = [...document.querySelectorAll(".map-zoom, .map-tools")].map((one) => one.getBoundingClientRect());
  return [...document.querySelectorAll(".service, .edges .space rect")]
    .filter((box) => {
      const { left, right, top, bottom } = box.getBoundingClientRect();
      const inside = left >= room.left && right <= room.right && top >= room.top && bottom <= room.bottom;
      const under = over.some((at) => left < at.right && right > at.left && top < at.bottom && bottom > at.top);
      return !inside || under;
    })
    .map((box) => box.textContent);
}

/** Runs in the page: which controls are cut off at its right. */
function beyondTheEdge(): (string | null)[] {
  const controls = "header button, .filter button, .times button, .map-tools > *, .panel-head button";
  return [...document.querySelectorAll(controls)]
    .filter((one) => one.getClientRects().length && one.getBoundingClientRect().right > innerWidth)
    .map((one) => one.textContent);
}
