// Real servers for the tests, and the browser that looks at them. What a page shows comes when it comes: tests wait for
// it (`soon`, a locator's waitFor), and never read it once.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect } from "vitest";

export const ROOT = resolve(import.meta.dirname, "../../..");
const TAPPER = join(ROOT, ".venv/bin/tapper");
const PYTHON = join(ROOT, ".venv/bin/python");
const CAPTURE = join(ROOT, "tapper/demo/shop.pcap.zst");
export const NAMES = join(ROOT, "tapper/demo/names.yaml");
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Why these tests can't run here; null: they can. */
export const missing = [
  [CHROMIUM, "no Chromium (set CHROMIUM to its path)"],
  [TAPPER, "tapper is not built (make)"],
  [join(ROOT, "agent/_engine.abi3.so"), "tapper's engine is not built (make)"],
  [join(ROOT, "ui/web/dist/index.html"), "the page is not built (make)"],
].find(([path]) => !existsSync(path!))?.[1];
if (missing) console.warn(`browser tests are skipped: ${missing}`);

/** A bound for one condition on a busy machine, ms. */
export const LONG = 60_000;

/** Reads again and again until it is what the matcher behind it asks for. */
export function soon<T>(read: () => T | Promise<T>) {
  return expect.poll(read, { timeout: LONG, interval: 50 });
}

export class Served {
  private said = "";
  private running = true;
  private readonly gone: Promise<void>;
  private constructor(
    private readonly process: ChildProcess,
    readonly directory: string,
  ) {
    for (const stream of [process.stdout!, process.stderr!]) {
      stream.on("data", (data: Buffer) => {
        this.said += data.toString();
      });
    }
    this.gone = new Promise((wake) => {
      process.once("exit", () => {
        this.running = false;
        wake();
      });
    });
  }

  static run(directory: string, ...args: string[]): Served {
    const child = spawn(TAPPER, args, { cwd: directory, stdio: ["ignore", "pipe", "pipe"] });
    return new Served(child, directory);
  }

  /** What the process says that fits, once it says it. */
  async says(pattern: RegExp): Promise<RegExpMatchArray> {
    const until = Date.now() + LONG;
    while (Date.now() < until) {
      const found = this.said.match(pattern);
      if (found) return found;
      if (!this.running) break;
      await new Promise((wake) => setTimeout(wake, 50));
    }
    throw new Error(`${this.process.spawnargs.join(" ")} never said ${pattern}: ${this.said}`);
  }

  ended(): Promise<void> {
    return this.gone;
  }

  async stop(): Promise<void> {
    if (!this.running) return;
    this.process.kill("SIGINT");
    const end = setTimeout(() => this.process.kill("SIGKILL"), LONG / 2);
    await this.gone;
    clearTimeout(end);
  }
}

export function scratch(): string {
  return mkdtempSync(join(tmpdir(), "tapper-web-"));
}

export function forget(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}

const URL_SAID = /(http:\/\/127\.0\.0\.1:\d+\/#\S+)/;

/** The recorded shop, or another capture, as `tapper read --web` serves it: process and URL. */
export async function shop(directory: string, capture = CAPTURE, names = NAMES): Promise<[Served, string]> {
  const served = Served.run(directory, "read", capture, "--names", names, "--web", "--no-browser");
  return [served, (await served.says(URL_SAID))[1]!];
}

/** A collector whose front ends ask at `port` (0: any). */
export async function collector(directory: string, names: string, port = 0): Promise<[Served, string, string]> {
  const served = Served.run(
    directory,
    ...["collector", "--listen", "127.0.0.1:0", "--api-listen", `127.0.0.1:${port}`, "--credentials", "keys"],
    ...["--names", names, "--save", "live.tap"],
  );
  const url = (await served.says(URL_SAID))[1]!;
  return [served, url, (await served.says(/agents: (\S+)/))[1]!];
}

/** Ships the recorded shop, or another capture, to a collector as if it were live. */
export function replay(directory: string, agents: string, speed: string, capture = CAPTURE): Served {
  return Served.run(
    directory,
    ...["replay", capture, "--speed", speed, "--collector", agents],
    ...["--token-file", "keys/token", "--ca", "keys/ca.pem"],
  );
}

/** A capture made by one of the scripts beside this file, and the names it wrote beside it if it writes some. */
export function made(directory: string, script: string): [capture: string, names: string] {
  const made = [join(directory, "made.pcap"), join(directory, "made.yaml")] as [string, string];
  execFileSync(PYTHON, [join(import.meta.dirname, script), ...made], { cwd: ROOT });
  return made;
}

/** What a click downloads, and the name it is given. */
export async function downloaded(page: Page, act: () => Promise<void>): Promise<[data: Buffer, name: string]> {
  const [download] = await Promise.all([page.waitForEvent("download"), act()]);
  return [readFileSync(await download.path()), download.suggestedFilename()];
}

export async function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

interface Looks {
  readonly dark?: boolean;
  readonly width?: number;
  readonly height?: number;
}

/** A page on which whatever goes wrong is kept: errors, alerts, what the policy refused, what is asked
 * elsewhere, what the server can't do. */
export async function opened(
  browser: Browser,
  url: string,
  looks: Looks = {},
): Promise<{ page: Page; wrong: string[] }> {
  const { origin } = new URL(url);
  const context = await browser.newContext({
    viewport: { width: looks.width ?? 1440, height: looks.height ?? 900 },
    colorScheme: looks.dark ? "dark" : "light",
    acceptDownloads: true,
    permissions: ["clipboard-read", "clipboard-write"],
    timezoneId: "UTC",
  });
  context.setDefaultTimeout(LONG);
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("dialog", (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => {
    if (/content security policy/i.test(message.text())) wrong.push(message.text());
  });
  page.on("request", (request) => {
    const asked = new URL(request.url());
    if (/^(http|ws)/.test(asked.protocol) && asked.origin !== origin) wrong.push(`asked elsewhere: ${asked.href}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 500) wrong.push(`${response.status()} of ${response.url()}`);
  });
  await page.goto(url);
  await page.locator(".top .facts").waitFor();
  return { page, wrong };
}

export interface Visit {
  readonly page: Page;
  readonly url: string;
  /** Opens the page anew with the query of a URL, and waits until it has begun. */
  show(query: string): Promise<void>;
}

/** For the tests of a block: a server with a page of its own from before the first to after the last of them. */
export function visit(
  serve: (directory: string) => Promise<[Served, string]>,
  begin: (visit: Visit) => void | Promise<void>,
  looks: Looks = {},
): void {
  let directory = "";
  let browser: Browser | undefined;
  let served: Served | undefined;
  let wrong: string[] = [];
  beforeAll(async () => {
    let url: string;
    let page: Page;
    directory = scratch();
    [served, url] = await serve(directory);
    browser = await launch();
    ({ page, wrong } = await opened(browser, url, looks));
    const show = async (query: string): Promise<void> => {
      await page.goto(new URL(`/${query}`, url).href);
      await page.locator(".top .facts").waitFor();
    };
    await begin({ page, url, show });
  });
  afterAll(async () => {
    await browser?.close();
    await served?.stop();
    if (directory) forget(directory);
    expect(wrong).toEqual([]);
  });
}

/** Where the boxes are on the map, whatever the view shows of it. */
export function places(page: Page): Promise<Record<string, string>> {
  return page.evaluate(() =>
    Object.fromEntries(
      [...document.querySelectorAll<HTMLElement>(".react-flow__node")].map((node) => [
        node.dataset.id ?? "",
        `${node.style.left} ${node.style.top}`,
      ]),
    ),
  );
}
