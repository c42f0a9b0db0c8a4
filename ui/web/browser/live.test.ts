// A real collector fed by replays: rows and services come by themselves, what one looks at stays, a tab that nobody sees
// asks for nothing, and the view outlives the collector.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  collector,
  forget,
  launch,
  made,
  missing,
  NAMES,
  opened,
  places,
  replay,
  type Served,
  scratch,
  soon,
} from "./served";

describe.skipIf(missing)("a live collector", () => {
  const running: Served[] = [];
  let directory = "";
  let names: string;
  let url: string;
  let agents: string;
  let browser: Browser | undefined;
  let page: Page;
  let wrong: string[] = [];

  const ship = (speed: string, capture?: string): Served => {
    const shipping = replay(directory, agents, speed, capture);
    running.push(shipping);
    return shipping;
  };

  beforeAll(async () => {
    directory = scratch();
    const [capture, known] = made(directory, "story.py");
    names = join(directory, "all.yaml");
    writeFileSync(names, readFileSync(NAMES, "utf8") + readFileSync(known, "utf8"));
    let serving: Served;
    [serving, url, agents] = await collector(directory, names);
    running.push(serving);
    await ship("max", capture).ended();
    browser = await launch();
    ({ page, wrong } = await opened(browser, url));
  });

  afterAll(async () => {
    await browser?.close();
    for (const one of running) await one.stop();
    if (directory) forget(directory);
    expect(wrong).toEqual([]);
  });

  it("is not called saved while nobody knows yet whether more comes", async () => {
    const other = await browser!.newPage();
    let know = () => {};
    const known = new Promise<void>((told) => {
      know = told;
    });
    await other.route("**/api/v1/health*", async (route) => {
      await known;
      await route.continue();
    });
    await other.goto(url);
    await other.locator(".facts").waitFor();
    expect(await other.locator(".state").count()).toBe(0);
    know();
    await other.locator(".state.live").waitFor();
    await other.close();
  });

  it("is followed: rows come without stealing the view, services without moving the map", async () => {
    await soon(() => requests(page)).toBe(309);
    await page.locator('[data-node="shop/ticker"]').waitFor();
    const before = await places(page);
    const grid = page.locator(".grid-scroll");
    await page.getByRole("grid", { name: "Requests" }).locator('.grid-row[aria-rowindex="310"]').waitFor();
    await grid.hover();
    await page.mouse.wheel(0, -2000);
    await page.getByRole("button", { name: "Follow ↓" }).waitFor();
    const top = () => grid.evaluate((element) => element.scrollTop);
    const left = await top();

    const shipping = ship("4x");
    await page.getByRole("button", { name: /^\+[\d,]+ new ↓$/ }).waitFor();
    expect(await top()).toBe(left);
    await page.locator('[data-node="shop/gateway"]').waitFor();
    await page.getByRole("button", { name: /^\+[\d,]+ new ↓$/ }).click();
    await page.locator(".new-rows").waitFor({ state: "detached" });
    await soon(() => page.locator(".loading-row").count()).toBe(0);
    await page.evaluate(watchRows);
    await shipping.ended();
    const after = await places(page);
    for (const key of Object.keys(before)) expect(after[key], key).toBe(before[key]);

    // At the end again, and the last there is stays in sight.
    await soon(async () => {
      const count = await requests(page);
      return count > 5000 && (await page.locator(`.grid-row[aria-rowindex="${count + 1}"]`).count());
    }).toBe(1);
    // While they came, no row in sight was ever blank.
    const { blank, ends } = await page.evaluate(() => (window as unknown as { watched: Watched }).watched);
    expect(ends.length).toBeGreaterThan(2);
    expect(blank).toBe(0);
  });

  it("is not asked by a tab that nobody sees, which catches up when it is seen again", async () => {
    let asked = 0;
    const open = new Set<unknown>();
    page.on("request", (request) => {
      asked++;
      open.add(request);
    });
    page.on("requestfinished", (request) => open.delete(request));
    page.on("requestfailed", (request) => open.delete(request));
    await page.evaluate(seen, false);
    // What was under way may lead to one more question, so that all is answered when none came for a while.
    let [last, since] = [asked, Date.now()];
    await soon(() => {
      if (open.size || asked !== last) [last, since] = [asked, Date.now()];
      return Date.now() - since;
    }).toBeGreaterThan(1500);
    const [before, slept] = [await requests(page), asked];
    const other = join(directory, "other");
    mkdirSync(other);
    await ship("max", made(other, "hostile.py")[0]).ended();
    expect(asked).toBe(slept);
    expect(await requests(page)).toBe(before);
    await page.evaluate(seen, true);
    await soon(() => requests(page)).toBeGreaterThan(before);
  });

  it("is outlived, and found again", async () => {
    await running[0]!.stop();
    await page.getByRole("alert").getByText("Connection lost").waitFor();
    await soon(() => page.locator(".service").count()).toBeGreaterThan(5);
    await soon(() => page.locator(".grid-row[aria-rowindex]").count()).toBeGreaterThan(5);
    const [second] = await collector(directory, names, Number(new URL(url).port));
    running.push(second);
    await page.getByRole("alert").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "live", exact: true }).waitFor();
  });
});

interface Watched {
  /** Frames with a blank row in sight. */
  blank: number;
  /** Rows that were the last in sight. */
  readonly ends: string[];
}

/** Looks at the rows in sight in every frame from now on. */
function watchRows(): void {
  const list = document.querySelector(".grid-scroll")!;
  const watched: Watched = { blank: 0, ends: [] };
  Object.assign(window, { watched });
  const look = (): void => {
    const { top, bottom } = list.getBoundingClientRect();
    const inSight = [...list.querySelectorAll(".grid-row")].filter((row) => {
      const at = row.getBoundingClientRect();
      return at.bottom > top && at.top < bottom;
    });
    if (!inSight.length || inSight.some((row) => row.querySelector(".loading-row"))) watched.blank++;
    const end = inSight.at(-1)?.id ?? "";
    if (end !== watched.ends.at(-1)) watched.ends.push(end);
    requestAnimationFrame(look);
  };
  look();
}

async function requests(page: Page): Promise<number> {
  const said = await page.locator(".facts", { hasText: /request/ }).textContent();
  return Number(said!.match(/([\d,]+) request/)![1]!.replaceAll(",", ""));
}

/** Runs in the page: what a browser tells it when its tab is covered or shown. */
function seen(visible: boolean): void {
  Object.defineProperty(document, "hidden", { value: !visible, configurable: true });
  Object.defineProperty(document, "visibilityState", { value: visible ? "visible" : "hidden", configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}
