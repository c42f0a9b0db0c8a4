// A real collector fed by a replay: rows come by themselves, the view is kept when it goes away, and it comes back.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collector, forget, LONG, launch, missing, opened, replay, type Served, scratch } from "./served";

describe.skipIf(missing)("a live collector", () => {
  const directory = missing ? "" : scratch();
  const running: Served[] = [];
  let browser: Browser;

  beforeAll(async () => {
    browser = await launch();
  });

  afterAll(async () => {
    await browser?.close();
    for (const one of running) await one.stop();
    forget(directory);
  });

  it("is followed, outlived, and found again", async () => {
    const [first, url, agents] = await collector(directory);
    running.push(first);
    const shipped = await replay(directory, agents, "max");
    running.push(shipped);
    await shipped.ended();
    const { page, wrong } = await opened(browser, url);
    const before = await requests(page);
    expect(before).toBeGreaterThan(0);

    const again = await replay(directory, agents, "20x");
    running.push(again);
    await page.waitForFunction(
      (known) =>
        Number(
          document
            .querySelector(".facts")!
            .textContent!.match(/([\d,]+) request/)?.[1]
            ?.replaceAll(",", ""),
        ) > known,
      before,
      { timeout: LONG },
    );
    await again.ended();

    await first.stop();
    await page.getByRole("alert").getByText("Connection lost").waitFor();
    expect(await page.locator(".service").count()).toBeGreaterThan(0);
    const [second] = await collector(directory, Number(new URL(url).port));
    running.push(second);
    await page.getByRole("alert").waitFor({ state: "detached" });
    expect(wrong).toEqual([]);
  });
});

async function requests(page: Page): Promise<number> {
  const said = await page.locator(".facts", { hasText: /request/ }).textContent();
  return Number(said!.match(/([\d,]+) request/)![1]!.replaceAll(",", ""));
}
