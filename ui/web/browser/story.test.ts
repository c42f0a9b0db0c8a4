// The demo's story with the mouse alone: the slow and the failing edge on the map, the request that shows why, its HAR.

import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { downloaded, missing, shop, soon, type Visit, visit } from "./served";

describe.skipIf(missing)("with the mouse alone", () => {
  let page: Page;
  let show: Visit["show"];

  visit(shop, (begun) => {
    ({ page, show } = begun);
  });

  const edge = () => page.locator("aside.drawer", { hasText: "Latency over time" });
  const request = () => page.getByRole("complementary", { name: "Request", exact: true });
  const part = async (name: string) => {
    await request().getByRole("tab", { name, exact: true }).click();
    return request().getByRole("tabpanel", { name, exact: true });
  };
  const list = (title: string) => edge().locator("h3", { hasText: title }).locator("+ .request-list");

  it("a slow edge of the map leads to the slow request, and to who was slow", async () => {
    await page.locator(".labels .label", { hasText: "p95 570 ms" }).waitFor();
    await clickEdge("shop/gateway", "shop/news");
    await edge()
      .getByRole("link", { name: "news" })
      .or(edge().getByRole("button", { name: "news" }))
      .first()
      .waitFor();
    for (const title of ["Distribution", "Status"]) await edge().getByRole("heading", { name: title }).waitFor();
    await list("Slowest").getByRole("button").first().click();
    await (await part("Timing")).getByText("news worked").waitFor();
    await soon(() => request().locator(".drawer-head").textContent()).toMatch(/GET \/top.*200 · 1\.3\d s/);
    await request().getByRole("button", { name: "Back to the selection" }).click();
    await edge().getByRole("button", { name: "Close" }).click();
    await edge().waitFor({ state: "detached" });
  });

  it("a failing edge leads to the request that shows why, and to its HAR", async () => {
    const failing = page.locator(".labels .label", { hasText: "✗ 7.5 %" });
    await failing.click();
    await page.getByRole("complementary", { name: "Calls from orders to payments" }).waitFor();
    await list("Failed last").getByRole("button").first().click();
    await soon(() => request().locator(".drawer-head").textContent()).toMatch(/POST \/charge.*503/);
    await (await part("Response")).getByText("error").first().waitFor();
    const why = await (await part("Response")).textContent();
    const [data, name] = await downloaded(page, () => request().getByRole("link", { name: "HAR" }).click());
    expect(name).toMatch(/\.har$/);
    const { log } = JSON.parse(data.toString()) as Har;
    expect(log.version).toBe("1.2");
    expect(log.entries).toHaveLength(1);
    const [{ request: asked, response }] = log.entries as [Har["log"]["entries"][0]];
    expect([asked.method, response.status]).toEqual(["POST", 503]);
    expect(asked.url).toMatch(/\/charge$/);
    const { error } = JSON.parse(response.content.text) as { error: string };
    expect(why).toContain(error);
  });

  it("an edge is opened by a click on its line", async () => {
    await show("");
    await clickEdge("shop/orders", "shop/stock", "grpc");
    await page.getByRole("complementary", { name: "Calls from orders to stock" }).waitFor();
  });

  it("the table of edges leads there, too: what hurts first", async () => {
    await show("?tab=edges");
    const failing = page.getByRole("tabpanel").locator('tbody tr:has(.outcome-server):has(td:text-is("http"))');
    await failing.first().getByRole("button").click();
    await page.waitForURL(/edge=/);
    await list("Failed last").getByRole("button").first().click();
    await request().getByRole("tab", { name: "Timing" }).waitFor();
  });

  /** Clicks on the line where it can be hit; that is looked for again until it is: the map may be moved into sight. */
  async function clickEdge(src: string, dst: string, protocol = "http"): Promise<void> {
    const key = JSON.stringify([src, dst, protocol]);
    await soon(async () => {
      const at = await page.evaluate(pointOfEdge, key);
      if (at && !page.url().includes("edge=")) await page.mouse.click(at.x, at.y);
      return new URL(page.url()).searchParams.get("edge");
    }).toBe(key);
  }
});

/** Runs in the page: where a click hits this edge and nothing else. */
function pointOfEdge(key: string): { x: number; y: number } | null {
  const path = [...document.querySelectorAll<SVGPathElement>(".edges .hit")].find((one) => one.dataset.edge === key);
  if (!path) return null;
  for (let share = 0.1; share < 0.95; share += 0.05) {
    const { x, y } = path.getPointAtLength(path.getTotalLength() * share).matrixTransform(path.getScreenCTM()!);
    if (document.elementFromPoint(x, y) === path) return { x, y };
  }
  return null;
}

interface Har {
  log: {
    version: string;
    entries: {
      request: { method: string; url: string };
      response: { status: number; content: { text: string } };
    }[];
  };
}
