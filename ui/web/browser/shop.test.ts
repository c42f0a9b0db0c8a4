// The lists of the recorded shop: filter, counts, columns, order, keyboard; a request's parts and its copies.

import type { Page, Response } from "playwright-core";
import { describe, expect, it } from "vitest";
import { missing, shop, soon, type Visit, visit } from "./served";

describe.skipIf(missing)("the recorded shop", () => {
  let page: Page;
  let show: Visit["show"];

  visit(shop, (begun) => {
    ({ page, show } = begun);
  });

  const rows = () => page.getByRole("grid", { name: "Requests" }).locator(".grid-row[aria-rowindex]");
  const filter = () => page.locator("#filter");
  const drawer = () => page.getByRole("complementary", { name: "Request", exact: true });
  const copied = () => page.evaluate(() => navigator.clipboard.readText());

  it("shows the map, and no token in its address", async () => {
    await soon(() => page.locator(".service").count()).toBeGreaterThan(4);
    await soon(() => page.locator(".edges .line").count()).toBeGreaterThan(4);
    await page.waitForURL((url) => !url.hash);
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict" });
  });

  it("draws the time line from sums, whose number does not grow with the edges", async () => {
    const answered = page.waitForResponse((answer) => answer.url().includes("/api/v1/timeline/sums?"));
    await show("");
    const { rows: sums } = await (await answered).json();
    expect(sums.length).toBeGreaterThan(4);
    expect(sums.length).toBeLessThanOrEqual(120);
    await soon(() => page.locator(".bar-calls").count()).toBe(sums.length);
  });

  it("filters, says what is wrong under the word, and mends it with a click", async () => {
    await show("?panel=full");
    await rows().first().waitFor();
    const box = filter();
    await box.fill("statis >= 500");
    await box.press("Enter");
    await page.locator("#filter-wrong").getByRole("button", { name: "status", exact: true }).click();
    await page.waitForURL(/where=status/);
    await soon(() => box.inputValue()).toBe("status >= 500");
    await page.locator("#filter-wrong").waitFor({ state: "detached" });
    await page.locator(".filter-count", { hasText: / of / }).waitFor();
    await soon(async () => {
      const statuses = await column("Status");
      return statuses.length > 0 && statuses.every((status) => /^5\d\d/.test(status));
    }).toBe(true);
    await page.locator(".facet").first().click();
    await page.waitForURL(/where=.*(outcome|%26%26)/);
    await page.goBack();
    await page.waitForURL(/where=status(?!.*%26%26)/);
  });

  it("completes, and Escape takes away first the list, whenever it comes, then the text", async () => {
    await show("");
    const box = filter();
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
    await soon(() => box.inputValue()).toBe("dst.serv");
    answer();
    await box.pressSequentially("i");
    await list.waitFor();
    await box.press("Tab");
    await soon(() => box.inputValue()).toBe("dst.service ");
    await list.waitFor();
    await box.press("Escape");
    await list.waitFor({ state: "detached" });
    await soon(() => box.inputValue()).toBe("dst.service ");
    await box.press("Escape");
    await soon(() => box.inputValue()).toBe("");
    await page.unroute("**/api/v1/complete?*");
  });

  it("says what an empty list is empty of, and clears that", async () => {
    await show("?where=status+%3D%3D+418");
    const list = page.getByRole("grid", { name: "Requests" });
    await list.getByText("0 of 5,708 requests match `status == 418`.").waitFor();
    await list.getByRole("button", { name: "Clear filter and time range" }).click();
    await rows().first().waitFor();
    await soon(() => new URL(page.url()).search).toBe("");
  });

  it("lets Tab go through the filter, and past it", async () => {
    await show("");
    const box = filter();
    await box.focus();
    await page.getByRole("listbox", { name: "What could come next" }).waitFor();
    await box.press("Tab");
    await soon(() => page.evaluate(() => document.activeElement?.textContent)).toBe("Errors");
    expect(await box.inputValue()).toBe("");
  });

  it("sorts by latency, the slowest first", async () => {
    await show("?panel=full");
    await rows().first().waitFor();
    await page
      .getByRole("columnheader", { name: /Latency/ })
      .getByRole("button")
      .click();
    await page.waitForURL(/order=latency_ns.*desc=1/);
    const latencies = async () => (await column("Latency")).map(inMilliseconds);
    await soon(async () => (await latencies())[0]).toBeGreaterThan(1000);
    const shown = await latencies();
    expect(shown.length).toBeGreaterThan(10);
    expect(shown).toEqual([...shown].sort((a, b) => b - a));
  });

  it("counts values: each as many as its filter finds, and a click narrows to them", async () => {
    await show("?panel=full");
    await soon(() => page.locator(".facets h3").allTextContents()).toEqual(
      expect.arrayContaining(["Outcome", "Status", "To", "From", "Method", "Protocol"]),
    );
    const facets = await page
      .locator(".facet")
      .evaluateAll((all) =>
        all.map((one) => [one.getAttribute("title")!, one.lastElementChild!.textContent!] as const),
      );
    expect(facets.length).toBeGreaterThan(20);
    for (const [where, shown] of facets) {
      const asked = await page.evaluate(async (term) => {
        const answer = await fetch(`/api/v1/exchanges/count?${new URLSearchParams({ where: term })}`);
        return ((await answer.json()) as { count: number }).count;
      }, where);
      expect(shown.replaceAll(",", ""), where).toBe(String(asked));
    }
    const [, redis] = facets.find(([where]) => where === 'protocol == "redis"')!;
    await page.locator(`.facet[title='protocol == "redis"']`).click();
    await page.locator(".filter-count", { hasText: new RegExp(`^${redis} of `) }).waitFor();
    await soon(() => filter().inputValue()).toBe('protocol == "redis"');
    await soon(async () => new Set(await column("Protocol"))).toEqual(new Set(["redis"]));
    await page.locator(`.facet[title='protocol == "redis"'][aria-pressed=true]`).click();
    await soon(() => filter().inputValue()).toBe("");
  });

  it("has the columns that one chooses", async () => {
    await show("?panel=full&facets=0&where=dst.service=='users'");
    const titles = () => page.getByRole("grid", { name: "Requests" }).getByRole("columnheader").allTextContents();
    await soon(titles).not.toContain("Host");
    await page.locator("summary", { hasText: "Columns" }).click();
    await page.getByLabel("Host", { exact: true }).check();
    await page.getByLabel("Size", { exact: true }).uncheck();
    await soon(titles).toEqual(["Time ↑", "Protocol", "From", "To", "Request", "Status", "Latency", "Host"]);
    await page.waitForURL(/columns=/);
    await soon(() => column("Host")).toContain("users:8080");
  });

  it("draws the rows in sight, of however many there are", async () => {
    await show("?panel=full");
    const grid = page.getByRole("grid", { name: "Requests" });
    await soon(() => grid.getAttribute("aria-rowcount")).toBe("5709");
    await rows().first().waitFor();
    await grid.focus();
    await page.keyboard.press("End");
    await page.locator('.grid-row[aria-rowindex="5709"]').waitFor();
    await soon(() => rows().count()).toBeLessThan(80);
    await page.keyboard.press("Home");
    await page.locator('.grid-row[aria-rowindex="2"]').waitFor();
    await show("?tab=flows&panel=full");
    await soon(() => page.getByRole("grid", { name: "Flows" }).getAttribute("aria-rowcount")).toBe("410");
    await soon(() => page.locator(".grid-row[aria-rowindex]").count()).toBeGreaterThan(10);
    expect(await page.locator(".grid-row").count()).toBeLessThan(80);
  });

  it("a request has its timing, heads, bodies, connection and packets", async () => {
    await show("?panel=full&where=target=='/charge' %26%26 failed");
    await rows().first().click();
    const open = async (name: string) => {
      await drawer().getByRole("tab", { name, exact: true }).click();
      return drawer().getByRole("tabpanel", { name, exact: true });
    };
    await (await open("Timing")).getByText("payments worked").waitFor();
    await (await open("Request")).getByText("content-type", { exact: false }).first().waitFor();
    await (await open("Request")).getByText("amount").first().waitFor();
    await (await open("Response")).getByText("error").first().waitFor();
    await (await open("Connection")).getByText("10.77.0.12").first().waitFor();
    await soon(async () => (await open("Packets")).locator("pre").count()).toBeGreaterThan(1);
  });

  it("a stream has its messages", async () => {
    await show("?panel=full&detail=messages&where=protocol=='websocket'");
    await rows().first().click();
    const panel = drawer().getByRole("tabpanel", { name: "Messages" });
    await soon(() => panel.locator("tbody tr, li, .message").count()).toBeGreaterThan(2);
  });

  it("is copied as curl, as grpcurl, and as a link that opens the same", async () => {
    const copy = async (where: string, words: string, told: RegExp) => {
      await show(`?panel=full&where=${encodeURIComponent(where)}`);
      await rows().first().click();
      await drawer().locator("summary", { hasText: "Copy" }).click();
      await drawer().getByRole("button", { name: words, exact: true }).click();
      await drawer().getByRole("status").getByText(told).waitFor();
    };
    await copy("target == '/charge'", "as curl", /^curl copied/);
    await soon(copied).toMatch(/^curl -g -X POST http:\/\/payments:8080\/charge -H .*--data-raw /);
    await copy("protocol == 'grpc'", "as grpcurl", /^grpcurl copied: put the message in place of \{\}/);
    await soon(copied).toMatch(/^grpcurl -plaintext (-H \S+ )*-d '\{\}' stock:\d+ shop\.Stock\/\w+$/);
    await copy("target == '/charge'", "link to this request", /^link copied/);
    await soon(copied).toContain("?request=");
    const title = await drawer().locator("h2").textContent();
    await page.goto(await copied());
    await soon(() => drawer().locator("h2").textContent()).toBe(title);
    await page.getByRole("button", { name: "Copy link" }).click();
    await page.getByRole("button", { name: "Link copied" }).waitFor();
    await soon(copied).toBe(page.url());
  });

  it("says what is missing, and why nothing is shown", async () => {
    await show("?tab=health&panel=full");
    const health = page.getByRole("tabpanel", { name: /Health/ });
    await health
      .getByText(/^packets/i)
      .first()
      .waitFor();
    await show("?tab=flows&panel=full");
    await page.getByLabel(/failed only/).check();
    await page.getByText("67 flows").waitFor();
    await page.getByRole("grid", { name: "Flows" }).getByText("refused", { exact: false }).first().waitFor();
    await show("?where=status==599");
    await page.getByText("0 of 5,708 requests match `status==599`.").first().waitFor();
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
    await soon(() => filter().evaluate((box) => box === document.activeElement)).toBe(true);
  });

  it("lists its keys, and gives the focus back", async () => {
    await show("");
    const grid = page.getByRole("grid", { name: "Requests" });
    await grid.focus();
    await page.keyboard.press("?");
    const keys = page.getByRole("dialog", { name: "Keys of this page" });
    await keys.getByText("times in UTC, and back").waitFor();
    await page.keyboard.press("3");
    await page.keyboard.press("Escape");
    await keys.waitFor({ state: "detached" });
    await soon(() => grid.evaluate((one) => one === document.activeElement)).toBe(true);
    expect(page.url()).not.toContain("tab=flows");
    const button = page.getByRole("button", { name: "Keys of this page" });
    await button.click();
    await keys.getByRole("button", { name: "Close" }).click();
    await soon(() => button.evaluate((one) => one === document.activeElement)).toBe(true);
  });

  it("counts the flows that the filter leaves", async () => {
    const flows = page.getByRole("tab", { name: /^Flows/ });
    await show("");
    await soon(() => flows.textContent()).toBe("Flows 409");
    await show("?where=dst.service=='orders'");
    await soon(() => flows.textContent()).toMatch(/^Flows \d\d$/);
  });

  it.each([
    ["status>=500", /^Flows 409$/, "409 flows, not filtered: the filter is about requests"],
    ["status>=500%26%26dst.service=='orders'", /^Flows \d\d$/, "flows, filtered in part: the rest is about requests"],
  ])("says that flows are not filtered by what only requests have: %s", async (where, tab, words) => {
    const refused: string[] = [];
    const note = (answer: Response) => answer.status() >= 400 && refused.push(answer.url());
    page.on("response", note);
    await show(`?tab=flows&panel=full&where=${where}`);
    await soon(() => page.locator(".flows-tools").textContent()).toContain(words);
    await soon(() => page.getByRole("tab", { name: /^Flows/ }).textContent()).toMatch(tab);
    await page.getByRole("grid", { name: "Flows" }).locator(".grid-row[aria-rowindex]").first().waitFor();
    page.off("response", note);
    expect(refused).toEqual([]);
  });

  it("says what is wrong with a filter that can't be understood, instead of flows", async () => {
    await show("?tab=flows&panel=full&where=statis>=500");
    await page.getByRole("tabpanel", { name: /Flows/ }).getByText("statis").first().waitFor();
    await soon(() => page.getByRole("tab", { name: /^Flows/ }).textContent()).toBe("Flows ");
  });

  it.each([1440, 1120])("keeps all columns of the table in sight beside a drawer, %i wide", async (width) => {
    await page.setViewportSize({ width, height: 800 });
    await show("?panel=full");
    await rows().first().click();
    await drawer().getByRole("tab", { name: "Timing" }).waitFor();
    await page.waitForFunction(() => {
      const shown = document.querySelector("aside.drawer")!.getBoundingClientRect();
      const size = document.querySelector(".grid-row[aria-rowindex]")!.lastElementChild!.getBoundingClientRect();
      return shown.right <= innerWidth && size.width > 0 && size.right <= shown.left;
    });
  });

  /** What the rows in sight say in a column. */
  async function column(title: string): Promise<string[]> {
    return page.getByRole("grid", { name: "Requests" }).evaluate((grid, wanted) => {
      const titles = [...grid.querySelectorAll("[role=columnheader]")].map((one) => one.textContent);
      const at = titles.findIndex((text) => text?.startsWith(wanted));
      return [...grid.querySelectorAll(".grid-row[aria-rowindex]")].map((row) => row.children[at]!.textContent ?? "");
    }, title);
  }
});

function inMilliseconds(text: string): number {
  const [, number, unit] = /([\d.]+) (µs|ms|s)/.exec(text) ?? [];
  return Number(number) * ({ µs: 0.001, ms: 1, s: 1000 }[unit ?? ""] ?? Number.NaN);
}
