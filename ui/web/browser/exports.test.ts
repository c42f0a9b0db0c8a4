// Everything that can be taken home, downloaded by its menu and read by something else than what wrote it.

import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { downloaded, missing, shop, soon, type Visit, visit } from "./served";

describe.skipIf(missing)("exports", () => {
  let page: Page;
  let show: Visit["show"];
  /** What the collector's own answer says is on the map. */
  let nodes: number;
  let edges: number;

  visit(shop, async (begun) => {
    ({ page, show } = begun);
    const map = await page.evaluate(async () => (await (await fetch("/api/v1/map")).json()) as Counted);
    [nodes, edges] = [map.nodes.length, map.edges.length];
  });

  const map = async (words: string): Promise<[Buffer, string]> => {
    await page.locator(".map-tools summary").click();
    return downloaded(page, () => page.locator(".map-tools a.menu-item", { hasText: words }).click());
  };
  /** How many elements of a name an XML document has; fails if it is none. */
  const elements = (xml: string, ...names: string[]): Promise<number[]> =>
    page.evaluate(
      ([text, wanted]) => {
        const read = new DOMParser().parseFromString(text, "application/xml");
        const problem = read.querySelector("parsererror");
        if (problem) throw new Error(problem.textContent ?? "");
        return wanted.map((name) => read.querySelectorAll(name).length);
      },
      [xml, names] as const,
    );

  it("the map on the page is the same", async () => {
    await soon(() => page.locator(".service").count()).toBe(nodes);
    await soon(() => page.locator(".edges .line").count()).toBe(edges);
  });

  it("the map as SVG", async () => {
    const [data, name] = await map("SVG");
    expect(name).toMatch(/\.svg$/);
    const [root, texts, scripts] = await elements(data.toString(), "svg", "text", "script");
    expect(root).toBe(1);
    expect(texts).toBeGreaterThanOrEqual(nodes);
    expect(scripts).toBe(0);
  });

  it("the map as PNG", async () => {
    const [data] = await map("PNG");
    const [width, height] = await page.evaluate(async (text) => {
      const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
      const picture = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
      return [picture.width, picture.height];
    }, data.toString("base64"));
    expect(width).toBeGreaterThan(400);
    expect(height).toBeGreaterThan(200);
  });

  it("the map as GraphML", async () => {
    const [data] = await map("GraphML");
    expect(await elements(data.toString(), "graph", "node", "edge")).toEqual([1, nodes, edges]);
  });

  it("the map as DOT", async () => {
    const [data] = await map("DOT");
    const text = data.toString();
    expect(text).toMatch(/^(\/\/.*\n)*(strict )?digraph/);
    expect(text.split("\n").filter((line) => line.includes(" -> "))).toHaveLength(edges);
    expect(text.trim().endsWith("}")).toBe(true);
  });

  it("the map as Mermaid", async () => {
    const [data] = await map("Mermaid");
    const text = data.toString();
    expect(text).toMatch(/^(%%.*\n)*flowchart LR/);
    expect(text.match(/^\s+n\d+ *[-=.]+.*> *(\|.*\| *)?n\d+/gm)?.length).toBe(edges);
  });

  it("the map as JSON", async () => {
    const [data] = await map("JSON");
    const read = JSON.parse(data.toString()) as { nodes: object[]; edges: object[] };
    expect([read.nodes.length, read.edges.length]).toEqual([nodes, edges]);
  });

  it("the requests of a selection as HAR, JSON lines, CSV", async () => {
    await show("?tab=edges");
    await page
      .getByRole("tabpanel")
      .locator('tbody tr:has(.outcome-server):has(td:text-is("http"))')
      .first()
      .getByRole("button")
      .click();
    await page.waitForURL(/edge=/);
    await page.getByRole("tab", { name: "Requests" }).click();
    await page.locator(".panel-head").getByText("of the selection").waitFor();
    const requests = async (words: string): Promise<string> => {
      const menu = page.locator(".panel-head .menu", { hasText: "Export" });
      await menu.locator("summary").click();
      const [data] = await downloaded(page, () => menu.locator("a.menu-item", { hasText: words }).first().click());
      return data.toString();
    };
    const har = JSON.parse(await requests("HAR")) as { log: { version: string; pages: []; entries: Entry[] } };
    expect(har.log.version).toBe("1.2");
    const count = har.log.entries.length;
    expect(count).toBeGreaterThan(20);
    await page.locator(".filter-count", { hasText: new RegExp(`^${count} of `) }).waitFor();
    for (const entry of har.log.entries) {
      expect(Date.parse(entry.startedDateTime)).toBeGreaterThan(0);
      expect(entry.cache).toEqual({});
      for (const number of [entry.time, entry.response.status, entry.timings.send, entry.timings.wait]) {
        expect(number).toBeGreaterThanOrEqual(0);
      }
    }
    expect(har.log.entries.some(({ response }) => response.status >= 500)).toBe(true);
    const lines = (await requests("JSON lines")).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line) as object)).toHaveLength(count);
    expect((await requests("CSV")).trim().split("\n").length).toBeGreaterThan(count);
  });
});

interface Entry {
  startedDateTime: string;
  time: number;
  cache: object;
  response: { status: number };
  timings: { send: number; wait: number; receive: number };
}

interface Counted {
  nodes: object[];
  edges: object[];
}
