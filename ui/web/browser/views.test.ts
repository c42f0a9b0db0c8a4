// Every view in light and dark: axe finds nothing serious, and a picture is taken. With PICTURES=DIRECTORY they are kept
// there (`npm run pictures` makes those of docs/pictures); without, they are only made.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { AxeResults, RunOptions } from "axe-core";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { missing, shop, soon, type Visit, visit } from "./served";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES: RunOptions = { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] };
const PICTURES = process.env.PICTURES;
const MOST_BYTES = 120_000;

/** Name of the view, its query, what is clicked then, what says that it is there, and whether its picture is kept. */
const VIEWS: readonly (readonly [name: string, query: string, click: string | null, there: string, kept: boolean])[] = [
  ["map", "", null, ".edges .line", true],
  ["edge", "?tab=edges", "tbody tr:has(.outcome-server):has(td:text-is('http')) button", ".drawer .dot", true],
  ["service", "?panel=low", '[data-node="shop/orders"]', ".drawer table", false],
  ["changes", "?compare=1", null, ".drawer .note", false],
  ["requests", "?panel=full", null, ".facets .facet", true],
  [
    "timing",
    "?panel=full&where=protocol=='http'+%26%26+latency>200ms",
    ".grid-row[aria-rowindex]",
    ".drawer [role=tabpanel] .note",
    true,
  ],
  [
    "request",
    "?detail=request&where=operation=='POST'",
    ".grid-row[aria-rowindex]",
    ".drawer [role=tabpanel] *",
    false,
  ],
  [
    "response",
    "?detail=response&where=operation=='POST'",
    ".grid-row[aria-rowindex]",
    ".drawer [role=tabpanel] *",
    false,
  ],
  ["messages", "?detail=messages&where=streaming", ".grid-row[aria-rowindex]", ".drawer [role=tabpanel] *", false],
  ["connection", "?detail=connection", ".grid-row[aria-rowindex]", ".drawer [role=tabpanel] *", false],
  ["packets", "?detail=packets", ".grid-row[aria-rowindex]", ".drawer [role=tabpanel] *", false],
  ["edges", "?tab=edges&panel=full", null, ".plain-table tbody tr", false],
  ["flows", "?tab=flows&panel=full", null, ".grid-row[aria-rowindex]", true],
  ["health", "?tab=health&panel=full", null, ".health dl, .health table", true],
  ["keys", "", "button[aria-label='Keys of this page']", "dialog dd", false],
  ["nothing found", "?where=status==599", null, ".says-why", false],
];

describe.skipIf(missing).each(["light", "dark"] as const)("in %s", (theme) => {
  let page: Page;
  let show: Visit["show"];

  visit(
    shop,
    (begun) => {
      ({ page, show } = begun);
    },
    { dark: theme === "dark", width: 1120, height: 700 },
  );

  it.each(VIEWS)("%s", async (name, query, click, there, kept) => {
    await show(query);
    if (click) await page.locator(click).first().click();
    await page.locator(there).first().waitFor({ state: "attached" });
    await settled(page);
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe(theme);
    expect((await serious(page)).join("\n")).toBe("");
    const path = kept && PICTURES ? { path: join(PICTURES, `web-${name}-${theme}.jpg`) } : {};
    const picture = await page.screenshot({ type: "jpeg", quality: 58, animations: "disabled", ...path });
    expect(picture.length).toBeGreaterThan(10_000);
    if (kept) expect(picture.length).toBeLessThan(MOST_BYTES);
  });
});

/** Waits until nothing is asked for, loaded or moving any more: colours and pictures are of what stays. */
async function settled(page: Page): Promise<void> {
  await page.waitForLoadState("networkidle");
  await soon(() =>
    page.evaluate(() => {
      const moving = document.getAnimations().some(({ playState, effect }) => {
        return playState === "running" && effect?.getComputedTiming().iterations !== Number.POSITIVE_INFINITY;
      });
      return (
        moving || document.querySelector(".loading-row") !== null || document.body.textContent.includes("Asking …")
      );
    }),
  ).toBe(false);
}

/** What axe finds serious or critical, in a few words. The rules are read into the page past its policy. */
async function serious(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const results = await page.evaluate(
    (rules) => (window as never as { axe: { run(options: RunOptions): Promise<AxeResults> } }).axe.run(rules),
    RULES,
  );
  return results.violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes
          .slice(0, 3)
          .map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary}`)
          .join(" | ")}`,
    );
}
