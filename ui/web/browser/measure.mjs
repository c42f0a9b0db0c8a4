// Measures the page in a real browser, for bench/web.py: `node measure.mjs CHROMIUM '{"rows": URL}'`, or "mesh", "live".
// Prints JSON. Times in ms, as the page itself sees them.

import { performance } from "node:perf_hooks";
import { chromium } from "playwright-core";

const [executablePath, given] = process.argv.slice(2);
const urls = JSON.parse(given);
const PAINTS = 7;
const LIVE_S = 20;
const SLEEP_S = 10;
const STEPS = 150;

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-renderer-backgrounding"],
});

/** Notes long tasks, and when the map and a row of the requests were painted first. */
function observe() {
  window.tasks = [];
  /** Requests that the page says there are. */
  window.held = () =>
    Number(
      [...document.querySelectorAll(".facts span")]
        .map((one) => one.textContent.match(/^([\d,]+) requests?$/)?.[1])
        .find(Boolean)
        ?.replaceAll(",", ""),
    );
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) window.tasks.push({ at: startTime, ms: duration });
  }).observe({ type: "longtask", buffered: true });
  const watch = new MutationObserver(() => {
    if (!document.querySelector(".service") || !document.querySelector(".grid-row[aria-rowindex]")) return;
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => (window.useful = performance.now())));
  });
  watch.observe(document, { childList: true, subtree: true });
}

async function opened(url, query = "") {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  context.setDefaultTimeout(120_000);
  const page = await context.newPage();
  await page.addInitScript(observe);
  const { origin, hash } = new URL(url);
  await page.goto(`${origin}/${query}${hash}`);
  await page.waitForFunction(() => window.useful);
  return page;
}

const sorted = (values) => [...values].sort((a, b) => a - b);
const at = (values, share) => values[Math.min(Math.floor(values.length * share), values.length - 1)] ?? 0;

/** Lengths of the frames while something is done. */
async function frames(page, act) {
  await page.evaluate(() => {
    window.frames_ = [];
    let before = null;
    const frame = (now) => {
      if (window.frames_ === null) return;
      if (before !== null) window.frames_.push(now - before);
      before = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  await act();
  const listed = sorted(
    await page.evaluate(() => {
      const taken = window.frames_;
      window.frames_ = null;
      return taken;
    }),
  );
  return { frames: listed.length, median: at(listed, 0.5), p95: at(listed, 0.95), max: at(listed, 1) };
}

async function paints(url) {
  const ms = [];
  for (let round = 0; round < PAINTS; round++) {
    const page = await opened(url);
    ms.push(await page.evaluate(() => window.useful));
    await page.context().close();
  }
  return { ms: sorted(ms) };
}

async function largeMap(url) {
  const page = await opened(url, "?folded=0");
  await page.waitForFunction(() => document.querySelectorAll(".service").length >= 300);
  const [nodes, edges, tasks, layout] = await page.evaluate(() => [
    document.querySelectorAll(".service").length,
    Number(document.querySelector("#tab-edges .faint").textContent.replaceAll(",", "")),
    window.tasks,
    window.useful,
  ]);
  const box = await page.locator(".map").boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height - 60];
  await page.mouse.move(x, y);
  const pan = await frames(page, async () => {
    await page.mouse.down();
    for (let step = 0; step < STEPS; step++) {
      await page.mouse.move(x + 260 * Math.sin(step / 12), y - 120 * Math.abs(Math.sin(step / 23)));
    }
    await page.mouse.up();
  });
  const zoom = await frames(page, async () => {
    for (let step = 0; step < STEPS / 3; step++) await page.mouse.wheel(0, step < STEPS / 6 ? -60 : 60);
  });
  await page.context().close();
  const longest = Math.max(...tasks.map(({ ms }) => ms), 0);
  return { pan: { ...pan, nodes, edges, layout_ms: layout, layout_task_ms: longest }, zoom };
}

async function list(url) {
  const page = await opened(url, "?panel=full");
  const grid = page.locator(".grid-scroll");
  const rows = Number(await page.locator(".grid").getAttribute("aria-rowcount")) - 1;
  const box = await grid.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  const scroll = await frames(page, async () => {
    for (let step = 0; step < STEPS; step++) await page.mouse.wheel(0, 300);
  });
  const jumps = [];
  for (const share of [0.9, 0.1, 0.5, 0.73, 0.31, 1, 0.62]) {
    jumps.push(
      await grid.evaluate(
        (element, to) =>
          new Promise((resolve) => {
            const begun = performance.now();
            element.scrollTop = to * (element.scrollHeight - element.clientHeight);
            const look = () => {
              const shown = element.querySelectorAll(".grid-row[aria-rowindex]");
              const empty = element.querySelector(".loading-row");
              if (performance.now() - begun > 20 && shown.length && !empty) resolve(performance.now() - begun);
              else requestAnimationFrame(look);
            };
            requestAnimationFrame(look);
          }),
        share,
      ),
    );
  }
  await page.context().close();
  return { scroll: { ...scroll, rows, jump_ms: sorted(jumps) } };
}

async function live(url) {
  const page = await opened(url);
  let asked = 0;
  page.on("request", () => asked++);
  await page.waitForTimeout(2000); // what opening it cost is not what arriving records cost
  const [from, before, since] = [
    await page.evaluate(() => window.held()),
    asked,
    await page.evaluate(() => performance.now()),
  ];
  await page.waitForTimeout(LIVE_S * 1000);
  const [to, tasks, until] = await page.evaluate(
    (begun) => [window.held(), window.tasks.filter((task) => task.at > begun).map(({ ms }) => ms), performance.now()],
    since,
  );
  const seconds = (until - since) / 1000;
  const listed = sorted(tasks);
  const answer = {
    seconds,
    rate: (to - from) / seconds,
    count: listed.length,
    p95: at(listed, 0.95),
    max: at(listed, 1),
    asked: asked - before,
  };
  return { live: answer, sleep: await sleeping(page, () => asked) };
}

/** A tab that nobody sees: what it asks meanwhile, and when it is seen again. */
async function sleeping(page, asked) {
  const hide = (hidden) =>
    page.evaluate((now) => {
      Object.defineProperty(document, "hidden", { value: now, configurable: true });
      Object.defineProperty(document, "visibilityState", { value: now ? "hidden" : "visible", configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
  await hide(true);
  await page.waitForTimeout(1500); // what was under way comes to its end
  const [before, shown] = [asked(), await page.evaluate(() => window.held())];
  await page.waitForTimeout(SLEEP_S * 1000);
  const asleep = asked() - before;
  const since = await page.evaluate(() => performance.now());
  const begun = performance.now();
  await hide(false);
  await page.waitForFunction((known) => window.held() > known, shown + 1000);
  const ms = performance.now() - begun;
  const questions = asked() - before - asleep;
  const tasks = await page.evaluate(
    (from) => window.tasks.filter((task) => task.at > from).map((one) => one.ms),
    since,
  );
  await page.context().close();
  return { slept: SLEEP_S, asleep, asked: questions, ms, task_ms: Math.max(...tasks, 0) };
}

const parts = {
  rows: async () => ({ paint: await paints(urls.rows), ...(await list(urls.rows)) }),
  mesh: async () => ({ "mesh paint": await paints(urls.mesh), ...(await largeMap(urls.mesh)) }),
  live: () => live(urls.live),
};
const found = {};
for (const kind of Object.keys(urls)) Object.assign(found, await parts[kind]());
await browser.close();
console.log(JSON.stringify(found));
